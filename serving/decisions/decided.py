"""What was decided for n customers at a place, on arrays; and one of them, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.catalogue.actions import Action
from serving.decisions.capacity import Bar
from serving.decisions.contact_policy import Mask
from serving.decisions.offers import Believed, Offers

Columns = Mapping[str, NDArray[Any]]

# Beyond 2**53 a double no longer holds every cent, so that a larger product is an error of the catalogue.
LARGEST: Final = float(2**53)
NO_CONSENTS: Final = (
    "consents: the source has no such table, so that for everybody holds what the catalogue says of silence."
)


@dataclass(frozen=True)
class Choice:
    """One ranked proposal for one customer.

    Attributes:
        rank: 1 stands first.
        pair: which (action, channel) pair it is.
        action: what to propose.
        channel: through what.
        expected_value_cents: net of the contact's cost, over the action's horizon.
        spread_cents: standard deviation of that, for what is not known of the action's effect.
        propensity: P(does it | contacted through this channel): the expression times the channel's reach.
        value_cents: gain if so, before cost.
        score: expected value x context weight x lever.
    """

    rank: int
    pair: int
    action: Action
    channel: str
    expected_value_cents: int
    spread_cents: float
    propensity: float
    value_cents: float
    score: float


@dataclass(frozen=True)
class Decisions:
    """Everything that was considered for n customers at one place: a actions, k (action, channel) pairs.

    Attributes:
        offers: the actions and pairs, in the order of the arrays.
        believed: the beliefs that the numbers rest on.
        columns: features, scores and circumstances that the expressions read, each of length n.
        customers: their ids.
        rule: the first rule that drops each pair, `Rule.OFFERED` for none, int8[n, k].
        propensity: P(does it | notices it), n x a; NaN where unknown.
        value_cents: n x a; NaN where unknown.
        expected: expected net value of each pair in cents, n x k; meaningless where a number is missing.
        spread: its standard deviation, n x k.
        score: what each pair is ranked by, rules of the contact policy and groups apart, n x k: above 0 for
            pairs that are credibly better than nothing, else 0. A pair that a control group goes without
            keeps it, so that its effect can be estimated.
        best_pair: the best pair of each action, n x a; meaningless where none is offered.
        order: action indices as they are shown, n x a.
        chosen: how many of them are offered, n.
        probability: of what stands first to do so, n; 1 where nothing was left to chance.
        arms: each customer's arm of each experiment that actions of the place take part in, by name.
        holdout: who gets nothing but exempt kinds, bool[n]; None: nobody.
        controls: by action id, who goes without it, bool[n].
        missing: what could not be known of the customers, in sentences.
        bars: of scarce actions, by id; they are listed only where they stand first.
    """

    offers: Offers
    believed: Believed
    columns: Columns
    customers: NDArray[Any]
    rule: NDArray[np.int8]
    propensity: NDArray[np.float64]
    value_cents: NDArray[np.float64]
    expected: NDArray[np.int64]
    spread: NDArray[np.float64]
    score: NDArray[np.float64]
    best_pair: NDArray[np.intp]
    order: NDArray[np.int64]
    chosen: NDArray[np.int64]
    probability: NDArray[np.float64]
    arms: Mapping[str, NDArray[Any]]
    holdout: Mask | None
    controls: Mapping[str, Mask]
    missing: tuple[str, ...]
    bars: Mapping[str, Bar] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the decision is asked for."""
        return self.offers.place

    def ranked(self, row: int, limit: int | None = None) -> list[Choice]:
        """The proposals for one customer, best first; empty when nothing is better than nothing."""
        count = int(self.chosen[row])
        return [self._choice(row, rank) for rank in range(count if limit is None else min(limit, count))]

    def _choice(self, row: int, rank: int) -> Choice:
        index = int(self.order[row, rank])
        pair = int(self.best_pair[row, index])
        return Choice(
            rank=rank + 1,
            pair=pair,
            action=self.offers.actions[index],
            channel=self.offers.pair_channel[pair],
            expected_value_cents=int(self.expected[row, pair]),
            spread_cents=float(self.spread[row, pair]),
            propensity=float(self.propensity[row, index] * self.offers.reach[pair]),
            value_cents=float(self.value_cents[row, index]),
            score=float(self.score[row, pair]),
        )

    def listed(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Every proposal, customer by customer, best first: its customer, its rank from 1, its pair."""
        row, place = np.nonzero(np.arange(self.order.shape[1]) < self.chosen[:, None])
        return row, place + 1, self.best_pair[row, self.order[row, place]]

    def arms_of(self, row: int) -> dict[str, str]:
        """One customer's arm of each experiment."""
        return {name: str(arms[row]) for name, arms in self.arms.items()}

    def controls_of(self, row: int) -> list[str]:
        """The control groups that one customer is in: `holdout`, and the ids of actions."""
        held = [] if self.holdout is None or not self.holdout[row] else ["holdout"]
        return [*held, *(action for action, mask in self.controls.items() if mask[row])]
