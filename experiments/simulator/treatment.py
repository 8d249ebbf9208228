"""What contacts do: to whom they arrive, how much they change, and what is left of that on later days.

The effect of a contact is the customer's own one (`sensitivities`); its gain goes with the risk of leaving
as the action's alignment says, and shrinks with fatigue until it turns to harm; its harm is always there.
Sleeping dogs are woken. All effects on a customer add up in an adstock (`carry_over`) that multiplies what
the customer would do without any contact. A contact works from the day after it on: a visit of the same day
may be earlier than the contact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.calendar import CONTACT_HOURS, Season, between
from experiments.simulator.carry_over import HAZARD, CarryOver, Fatigue, freshness
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Actions, Contacts, Lines
from experiments.simulator.population import Population
from experiments.simulator.rows import Floats, Ints
from experiments.simulator.sensitivities import Effects, Sensitivities
from experiments.simulator.treatment_config import Alignment

BENEFIT: Final = np.array([[1.0], [1.0], [-1.0]])
"""The direction in which visits, spend and hazard get better."""


class Treatment:
    """The contacts of a world's customers, and what they change.

    Attributes:
        sensitivities: the static part of the effects.
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population) -> None:
        self._config, self._seed, self._first = config.treatment, seed, int(population.person[0])
        actions, channels = self._config.actions, self._config.channels
        person = population.person
        self.sensitivities = Sensitivities(config, seed, population)
        self._season = Season(config, seed)
        self._left = CarryOver(
            [action.half_life_days for action in actions], len(person), self._config.ceiling
        )
        patience = draws.lognormal(
            draws.uniform(seed, "treatment/patience", person), self._config.patience_spread
        )
        self._fatigue = Fatigue(self._config.patience * patience, self._config.fatigue_half_life_days)
        self._alignment = np.array(
            [list(Alignment).index(action.alignment) for action in actions], dtype=np.int64
        )
        self._cost_cents = np.array([round(100 * channel.cost) for channel in channels], dtype=np.int64)
        self._weight = np.array([channel.weight for channel in channels])
        self._at_visit = np.array([channel.at_visit for channel in channels], dtype=bool)
        self._waiting = Actions.none()

    def contact(self, day: int, actions: Actions, risk: Floats, silent_days: Ints) -> Contacts:
        """Make the contacts of a day, after its `multipliers`; those at a visit wait for it (`meet`).

        Args:
            day: local day.
            actions: what the policy wants.
            risk: chance of leaving within 28 days without any contact, float64[n].
            silent_days: days since each customer's last visit, int64[n].

        Raises:
            ValueError: a policy wants what no channel carries.
        """
        at_visit = self._at_visit[actions.channel]
        self._waiting = actions.take(at_visit)
        now = actions.take(~at_visit)
        u = draws.uniform(self._seed, "treatment/hour", now.person, day, now.channel)
        return self._make(day, now, self._season.at(day, between(CONTACT_HOURS, u)), risk, silent_days)

    def meet(self, day: int, lines: Lines, risk: Floats, silent_days: Ints) -> Contacts:
        """Make the contacts that waited for a visit with those who came.

        Args:
            day: local day.
            lines: what was bought at visits.
            risk: as for `contact`.
            silent_days: as for `contact`.
        """
        if not len(self._waiting):
            return Contacts.none()
        came, position = np.unique(lines.person, return_index=True)
        waiting = self._waiting.take(np.isin(self._waiting.person, came))
        self._waiting = Actions.none()
        at = lines.at[position[np.searchsorted(came, waiting.person)]]
        return self._make(day, waiting, at, risk, silent_days)

    def multipliers(self, day: int) -> tuple[Floats, Floats, Floats]:
        """By how much visits, spend and the hazard of leaving are multiplied, float64[n] each.

        Exactly 1 for whoever has no carry-over. To be asked for before the day's contacts are made.
        """
        visits, spend, hazard = self._left.multipliers(day)
        return visits, spend, hazard

    def effects(self) -> Effects:
        """The static part of all effects, for the truth."""
        return self.sensitivities.table()

    def _make(self, day: int, actions: Actions, at: Ints, risk: Floats, silent_days: Ints) -> Contacts:
        row = actions.person - self._first
        pair = self.sensitivities.pair[actions.action, actions.channel]
        if (pair < 0).any():
            raise ValueError("a policy chose an action on a channel that does not carry it")
        fresh = freshness(self._fatigue.on(day, row))
        effect = self.sensitivities.effect[:, row, pair]
        gains = effect * BENEFIT > 0
        effect = np.where(gains, effect * self._aligned(actions.action, risk[row]) * fresh, effect)
        asleep = silent_days[row] >= self._config.asleep_after_days
        effect[HAZARD] += asleep * self.sensitivities.waking[row, pair]
        visits, spend, hazard = self._left.add(day + 1, row, actions.action, effect)
        self._fatigue.add(row, self._weight[actions.channel])
        return Contacts(
            person=actions.person,
            at=at,
            action=actions.action,
            channel=actions.channel,
            propensity=actions.propensity,
            cost_cents=self._cost_cents[actions.channel],
            effect_visits=visits,
            effect_spend=spend,
            effect_hazard=hazard,
            freshness=fresh,
        )

    def _aligned(self, action: NDArray[np.int16], risk: Floats) -> Floats:
        """Factor on the gain of each contact; see `Alignment`."""
        x = risk / (risk + self._config.middle_risk)
        shapes = {
            Alignment.FLAT: np.ones_like(x),
            Alignment.MIDDLING: 4 * x * (1 - x),
            Alignment.RISING: 2 * x,
        }
        return np.asarray(
            np.choose(self._alignment[action], [shapes[kind] for kind in Alignment]), dtype=np.float64
        )
