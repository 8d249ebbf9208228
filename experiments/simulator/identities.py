"""Under which ids a customer is known: references in pools that know nothing of each other (S1).

A person of the world never shows; a reference does. The first pool that a customer is in knows them from the
day they register. Others follow: before the world's first day at some instant, unless the customer has left
by then, later at the visit at which their id is first shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws, identifiers
from experiments.simulator.calendar import Season
from experiments.simulator.config import WorldConfig
from experiments.simulator.outlet_config import MOST_POOLS
from experiments.simulator.population import Population
from experiments.simulator.rows import Codes, Ints, Rows

NEVER: Final = 2**62
"""A day or an instant that does not come."""
SLOTS: Final = 2 * MOST_POOLS
"""References that a person may have: two in each pool."""
REFERENCES: Final = 2**34


@dataclass(frozen=True)
class Uses(Rows):
    """Visits at which references were used, ordered by person and instant.

    Attributes:
        slot: which reference of the person.
        at: UTC microseconds.
    """

    slot: Codes
    at: Ints

    @property
    def number(self) -> Ints:
        """Number of the reference among all that could be."""
        return self.person * SLOTS + self.slot


@dataclass(frozen=True)
class References(Rows):
    """References that came into being, ordered by person and slot.

    Attributes:
        slot: which of the person's references.
        at: when it was registered, UTC microseconds.
    """

    slot: Codes
    at: Ints

    @property
    def number(self) -> Ints:
        """Number of each reference among all that could be; ascending."""
        return self.person * SLOTS + self.slot

    @property
    def pool(self) -> Codes:
        """Position of each reference's pool."""
        return self.slot // 2

    def customer_ids(self, seed: int) -> NDArray[Any]:
        """The source's id of each: permuted, so that neither order nor person shows."""
        return identifiers.customer_ids(draws.permute(seed, "reference", self.number, REFERENCES))


class Identities:
    """The references of a population.

    Attributes:
        main: slot of the reference that speaks for each person, int8[n].
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population, *, left_before: Ints) -> None:
        """Draw from when on each reference can be used.

        Args:
            config: of the world.
            seed: of the world.
            population: whose references.
            left_before: day before the first on which each left, int64[n]; `life_cycle.STAYS` for others.
        """
        self._config, self._seed, self._population = config, seed, population
        self._open_until = np.minimum(left_before, config.first_day)
        self._since = self._opened()
        self.main: Codes = self._since.argmin(axis=1).astype(np.int8)

    def book(self, row: Ints, day: Ints, number: Ints) -> Codes:
        """On which reference each of some visits is booked.

        Args:
            row: positions of persons in the population, int64[m].
            day: local day of each.
            number: of each among those of its person.

        Returns:
            Slots, int8[m]: of the references that were open by then, by how often their pools are used.
        """
        use = np.repeat([pool.use for pool in self._config.outlet.pools], 2)
        u = draws.uniform(self._seed, "pool of a visit", self._population.person[row], k=number)
        return draws.choice(u, use * (self._since[row] <= day[:, np.newaxis])).astype(np.int8)

    def references(self, joined_at: Ints, uses: Uses) -> References:
        """The references that came into being.

        Args:
            joined_at: when each person registered, UTC microseconds, int64[n]; `NEVER` for who has not.
            uses: visits.
        """
        at = np.full(self._since.shape, NEVER)
        first = uses.take(np.unique(uses.number, return_index=True)[1])
        at[first.person - self._population.person[0], first.slot] = first.at
        row, slot = np.nonzero(self._since < self._open_until[:, np.newaxis])
        at[row, slot] = self._at_the_counter(self._since[row, slot], row, slot)
        at[np.arange(len(at)), self.main] = joined_at
        row, slot = np.nonzero(at < NEVER)
        return References(self._population.person[row], slot.astype(np.int8), at[row, slot])

    def _opened(self) -> Ints:
        """Local day from which each reference can be used, int64[n, slots]; `NEVER` for one that is none."""
        outlet, joined = self._config.outlet, self._population.joined[:, np.newaxis]
        person, slots = self._population.person[:, np.newaxis], np.arange(2 * len(outlet.pools))
        wait = outlet.pool_days * draws.exponential(
            draws.uniform(self._seed, "wait for a pool", person, k=slots)
        )
        members = self._members(draws.uniform(self._seed, "pool", person, k=slots))
        since = np.where(
            slots == members.argmax(axis=1)[:, np.newaxis], joined, joined + 1 + wait.astype(np.int64)
        )
        return np.where(members, since, NEVER)

    def _members(self, u: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which references each person will have; who would have none has one in the first pool for them."""
        pools, firm = self._config.outlet.pools, self._population.organisation
        members = np.zeros(u.shape, dtype=bool)
        shares = np.where(firm[:, np.newaxis], [p.organisations for p in pools], [p.persons for p in pools])
        members[:, ::2] = u[:, ::2] < shares
        members[:, 1::2] = members[:, ::2] & (u[:, 1::2] < [pool.again for pool in pools])
        nowhere = np.flatnonzero(~members.any(axis=1))
        members[nowhere, 2 * (shares[nowhere] > 0).argmax(axis=1)] = True
        return members

    def _at_the_counter(self, day: Ints, row: Ints, slot: Ints) -> Ints:
        """Instants in opening hours of some days."""
        u = draws.uniform(self._seed, "hour of a pool", self._population.person[row], k=slot)
        return Season(self._config, self._seed).at_the_counter(day, u)
