"""How each customer takes each action on each channel: the part of treatment effects that never changes.

Effects differ between customers in three ways at once (S18): how they take offers at all, how they take this
one, and how they take it on this channel; and they arrive only as far as the customer notices the channel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.carry_over import HAZARD, KINDS, VISITS, levelled
from experiments.simulator.config import WorldConfig
from experiments.simulator.population import SENSITIVITY_SHAPE, Population
from experiments.simulator.rows import Floats, Ints
from experiments.simulator.treatment_config import Effect

_WEIGHT: Final = 4.0
"""Of the beta distributions of attention and of using offers: some read all messages, some hardly any."""
_OF_ACTION: Final = 0.5
"""Of the variance of sensitivity that is not common to all actions: the action's part; rest: the pair's."""
_OF_PRICES: Final = 0.4
"""Of the variance of thrift: the part that is sensitivity to prices, which shows in what a customer buys."""
_LEAST: Final = 1e-9


@dataclass(frozen=True)
class Effects:
    """What a first contact changes on the day after it, at middle risk: the truth, a row for each triple.

    The customer is rested and nothing is left of other contacts; the ceiling is applied.

    Attributes:
        person: position of the customer, int64[m].
        action: position of the action, int16[m].
        channel: position of the channel, int16[m].
        visits: relative change of the rate of visits, float64[m]; 0.1 is 10 % more.
        spend: the same of the money of what is chosen or used (`treatment_config.Action`).
        hazard: the same of the hazard of leaving; below 0 keeps the customer.
        waking: change of that hazard on top of it when the customer has been silent for long.
    """

    person: Ints
    action: NDArray[np.int16]
    channel: NDArray[np.int16]
    visits: Floats
    spend: Floats
    hazard: Floats
    waking: Floats


class Sensitivities:
    """The static part of the effects on n customers of p pairs of an action and a channel.

    Attributes:
        liking: sensitivity of visits, 1 on the mean, below 0 for whom the contact puts off, float64[n, p].
        effect: changes of the logarithms of visits, spend and hazard before the ceiling, float64[3, n, p].
        waking: the same of the hazard alone, on top, if the customer is asleep, float64[n, p].
        thrift: rank among all customers in using offers, between 0 and 1, float64[n].
        pair: position of the pair of an action and a channel, -1 where there is no such pair, int64[a, c].
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population) -> None:
        """Draw them; they depend on nothing but the seed and the customer."""
        self._treatment, self._seed, self._person = config.treatment, seed, population.person
        self._pairs = self._treatment.pairs
        self._of_action = [
            draws.normal(self._uniform("action", n)) for n in range(len(self._treatment.actions))
        ]
        shape = (len(self._treatment.actions), len(self._treatment.channels))
        self.pair = np.full(shape, -1, dtype=np.int64)
        self.pair[self._pairs[:, 0], self._pairs[:, 1]] = np.arange(len(self._pairs))
        self.thrift = self._thrift(population)
        self._taste = draws.normal(self.thrift)
        dog = self._uniform("dog") < self._treatment.sleeping_dogs
        attention = [
            share(self._uniform("attention", n), channel.attention)
            for n, channel in enumerate(self._treatment.channels)
        ]
        segments = [segment.name for segment in config.segments]
        size = (len(self._person), len(self._pairs))
        self.liking, self.waking, self.effect = np.ones(size), np.zeros(size), np.zeros((KINDS, *size))
        for n, (number, channel) in enumerate(self._pairs):
            action = self._treatment.actions[number]
            meant = [not action.segments or name in action.segments for name in segments]
            noticed = attention[channel] * np.array(meant)[population.segment]
            self.waking[:, n] = action.wakes * noticed * dog
            for kind, effect in enumerate((action.visits, action.spend, action.hazard)):
                liking = self._liking(effect, int(number), int(channel), kind)
                self.effect[kind, :, n] = effect.mean * liking * noticed
                if kind == VISITS:
                    self.liking[:, n] = liking

    def _thrift(self, population: Population) -> Floats:
        """Who minds prices uses offers, and other reasons weigh as well."""
        from scipy.special import gammainc, ndtr

        usual = population.of_segment("price_sensitivity")
        relative = population.sensitivity / np.maximum(usual, _LEAST)
        rank = gammainc(SENSITIVITY_SHAPE, SENSITIVITY_SHAPE * relative)
        rank = np.where(usual > 0, rank, self._uniform("minding"))
        minding = draws.normal(np.clip(rank, _LEAST, 1 - _LEAST))
        other = draws.normal(self._uniform("thrift"))
        return np.asarray(ndtr(math.sqrt(_OF_PRICES) * minding + math.sqrt(1 - _OF_PRICES) * other))

    def _uniform(self, what: str, k: int = 0) -> Floats:
        return draws.uniform(self._seed, f"treatment/{what}", self._person, k=k)

    def _liking(self, effect: Effect, action: int, channel: int, kind: int) -> Floats:
        """Sensitivity of each customer: normal with mean 1; those of one customer go together."""
        if not effect.spread:
            return np.ones(len(self._person))
        own = draws.normal(self._uniform(f"{action}/{channel}", kind))
        rest = math.sqrt(_OF_ACTION) * self._of_action[action] + math.sqrt(1 - _OF_ACTION) * own
        common = self._treatment.common
        return 1 + effect.spread * (math.sqrt(common) * self._taste + math.sqrt(1 - common) * rest)

    def table(self) -> Effects:
        """All effects, by customer and then in the order of the pairs."""
        ceiling = self._treatment.ceiling
        change = levelled(self.effect, ceiling)
        waking = levelled(self.effect[HAZARD] + self.waking, ceiling) - change[HAZARD]
        visits, spend, hazard = np.expm1(change)
        return Effects(
            person=np.repeat(self._person, len(self._pairs)),
            action=np.tile(self._pairs[:, 0], len(self._person)),
            channel=np.tile(self._pairs[:, 1], len(self._person)),
            visits=visits.ravel(),
            spend=spend.ravel(),
            hazard=hazard.ravel(),
            waking=np.expm1(waking).ravel(),
        )


def share(u: Floats, mean: float) -> Floats:
    """Beta numbers that rise with `u`; all alike where the mean is 0 or 1."""
    return draws.beta(u, mean, _WEIGHT) if 0 < mean < 1 else np.full(len(u), mean)
