"""What stays of a contact: effects that fade, and the tiredness of whoever is contacted often.

Effects add up and fade by half in each half-life (adstock: Broadbent 1979, "One way TV advertisements work").
Their sum levels off: many contacts at once never move a customer beyond a ceiling, as curves of response to
advertising do. Contacts also tire (wear-out: Naik, Mantrala and Sawyer 1998, "Planning media schedules in the
presence of dynamic advertising quality"): the more of them a customer still remembers, the less the next one
does, until it does harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

VISITS, SPEND, HAZARD = 0, 1, 2
KINDS: Final = 3
FORGOTTEN: Final = 1e-9
"""Carry-over below this is dropped once a week, so that multipliers of a customer left alone are 1 again."""
_WEEK: Final = 7


def levelled(total: NDArray[np.float64], ceiling: float) -> NDArray[np.float64]:
    """The change of a logarithm that effects of such a sum make: nearly the sum, never beyond the ceiling."""
    return np.asarray(ceiling * np.tanh(total / ceiling))


class CarryOver:
    """The effects that still work on each of n customers, as changes of logarithms.

    One sum per kind of effect, action and customer, for each action has a half-life of its own.
    """

    def __init__(self, half_life_days: Sequence[float], customers: int, ceiling: float) -> None:
        """No effects yet.

        Args:
            half_life_days: of each action.
            customers: how many.
            ceiling: the greatest change of a logarithm, up or down.
        """
        self._left = np.zeros((KINDS, len(half_life_days), customers))
        self._kept = 0.5 ** (1 / np.asarray(half_life_days, dtype=np.float64))[:, np.newaxis]
        self._ceiling = ceiling
        self._day: int | None = None

    def add(
        self, day: int, row: NDArray[np.int64], action: NDArray[np.int16], effect: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add contacts that work from a day on; a customer may have several.

        Args:
            day: local day, not before one that was asked for already.
            row: position of each contact's customer, int64[m].
            action: position of its action, int16[m].
            effect: changes of the logarithms of visits, spend and hazard, float64[3, m].

        Returns:
            Relative change that each contact makes to the multipliers of that day, beside all others added so
            far: with it against without it, float64[3, m].
        """
        self._pass_until(day)
        for kind in range(KINDS):
            np.add.at(self._left[kind], (action, row), effect[kind])
        total = self._left[:, :, row].sum(axis=1)
        without = levelled(total - effect, self._ceiling)
        return np.asarray(np.expm1(levelled(total, self._ceiling) - without))

    def multipliers(self, day: int) -> NDArray[np.float64]:
        """By how much visits, spend and hazard of each customer are multiplied on a day: float64[3, n].

        Exactly 1 for whoever has no carry-over; never beyond exp(+-ceiling).
        """
        self._pass_until(day)
        return np.asarray(np.exp(levelled(self._left.sum(axis=1), self._ceiling)))

    def _pass_until(self, day: int) -> None:
        if self._day is not None and day > self._day:
            self._left *= self._kept ** (day - self._day)
            if day // _WEEK > self._day // _WEEK:
                self._left[np.abs(self._left) < FORGOTTEN] = 0.0
        self._day = day


class Fatigue:
    """How many contacts each of n customers still remembers, by weight of their channels.

    Attributes:
        weight: sum of the remembered contacts, float64[n]; 0 for a rested customer.
    """

    def __init__(self, patience: NDArray[np.float64], half_life_days: float) -> None:
        """Everybody is rested.

        Args:
            patience: contacts from which one more does harm, of each customer, float64[n].
            half_life_days: after which a contact weighs half.
        """
        self.weight = np.zeros_like(patience)
        self._patience = patience
        self._kept = 0.5 ** (1 / half_life_days)
        self._day: int | None = None

    def on(self, day: int, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of their patience that customers have used up before contacts of a day, float64[m]."""
        if self._day is not None and day > self._day:
            self.weight *= self._kept ** (day - self._day)
        self._day = day
        return self.weight[row] / self._patience[row]

    def add(self, row: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
        """Remember contacts of the day last asked for."""
        np.add.at(self.weight, row, weight)


def freshness(fatigue: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is left of a contact's gain: 1 when rested, 0 at the end of one's patience, down to -1 beyond."""
    return np.maximum(1 - fatigue, -1)
