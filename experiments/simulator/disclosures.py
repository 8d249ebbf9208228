"""What pools are told of their customers: identifiers, over the first visits (S3), not all of them right.

Whoever is older than the world told everything long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.simulator import draws, identifiers
from experiments.simulator.calendar import Season
from experiments.simulator.config import WorldConfig
from experiments.simulator.identifiers import Letters
from experiments.simulator.identities import References, Uses
from experiments.simulator.outlet_config import FACTS, PLATE, Pool
from experiments.simulator.population import Population
from experiments.simulator.rows import Codes, Flags, Floats, Ints

VEHICLES: Final = 32
"""Vehicles of a customer whose plates are ever told, at most."""
MEN: Final = 0.62
"""Of drivers and subscribers; nothing depends on it."""
_OF_PERSONS: Final = ("national_id", "birth_date")
_TYPED: Final = ("phone", "name", "national_id", "birth_date", "plate")
_LONGEST_NAME: Final = 9


@dataclass(frozen=True)
class Facts:
    """Identifiers that pools were told.

    Attributes:
        reference: position of the reference, int64[m].
        kind: position of the kind in `FACTS`, int8[m].
        at: when it was told, UTC microseconds, int64[m].
        value: as it was written, m texts.
        which: of a plate, number of the vehicle among the customer's, from 0; else 0, int8[m].
    """

    reference: Ints
    kind: Codes
    at: Ints
    value: NDArray[Any]
    which: Codes


class Disclosures:
    """What the customers of a population say of themselves.

    Attributes:
        male: sex of each person, bool[n].
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population) -> None:
        self._config, self._seed, self._population = config, seed, population
        self._errors = config.outlet.errors
        self._start = int(Season(config, seed).starts(np.array([config.first_day]))[0])
        self.male: Flags = self._draw("sex") < MEN
        self._born = identifiers.birth_days(seed, population.person, config.first_day)

    def driven(self, row: Ints, which: ArrayLike = 0) -> Ints:
        """Whose car each of some persons comes in and tells the plate of: positions in the population.

        Args:
            row: positions in the population, int64[m].
            which: of their vehicles: only the first may be the family's, the others are their own.
        """
        owner = self._owner("family car", self._errors.family_car, row)
        return np.where(np.asarray(which) > 0, row, owner - self._population.person[0])

    def facts(self, references: References, uses: Uses) -> Facts:
        """What the pools were told; what would be told at a later visit, only if there was one."""
        used = np.sort(uses.number, kind="stable")
        at = uses.at[np.argsort(uses.number, kind="stable")]
        first, end = (np.searchsorted(used, references.number, side=side) for side in ("left", "right"))
        old = references.at < self._start
        told: list[tuple[Ints, Codes, Ints, NDArray[Any], Codes]] = []
        for pool, position, kind, which in self._kinds():
            visit = pool.told.get(kind, 1) + which
            u = draws.uniform(self._seed, f"told/{kind}", references.number, k=which)
            known = (references.pool == position) & (u < pool.facts[kind])
            known &= self._has(kind, references, which)
            later = known & ~old & (visit > 1)
            known &= ~later | (first + visit <= end)
            when = references.at.copy()
            when[known & later] = at[(first + visit - 1)[known & later]]
            value = self._written(kind, pool, references.take(known), which)
            codes, number = (np.full(len(value), code, np.int8) for code in (FACTS.index(kind), which))
            told.append((np.flatnonzero(known), codes, when[known], value, number))
        if not told:
            return Facts(*(np.empty(0, dtype=kind) for kind in ("i8", "i1", "i8", "U1", "i1")))
        return Facts(*(np.concatenate(column) for column in zip(*told, strict=True)))

    def _kinds(self) -> list[tuple[Pool, int, str, int]]:
        """Each pool, its position, each kind that it may be told, and of plates the vehicle's number."""
        most = min(VEHICLES, int(self._population.vehicles.max(initial=0)))
        return [
            (pool, position, kind, which)
            for position, pool in enumerate(self._config.outlet.pools)
            for kind in pool.facts
            for which in range(most if kind == PLATE else 1)
        ]

    def _has(self, kind: str, references: References, which: int) -> Flags:
        """Whether there is such an identifier of the customers of references."""
        row = references.person - self._population.person[0]
        if kind in _OF_PERSONS:
            return np.asarray(~self._population.organisation[row])
        return np.asarray(self._population.vehicles[row] > which) if kind == PLATE else row >= 0

    def _written(self, kind: str, pool: Pool, references: References, which: int) -> NDArray[Any]:
        """Identifiers of a kind as they were written down."""
        row, number = references.person - self._population.person[0], references.number
        found = self._given(kind, pool, references, row, which)
        if kind in _TYPED:
            k = 4 * which + np.arange(4)
            u = draws.uniform(self._seed, f"slip/{kind}", number[:, np.newaxis], k=k)
            wrong = u[:, 0] < self._errors.mistyped
            found[wrong] = identifiers.mistyped(found[wrong], u[wrong, 1:])
        if kind == "phone":
            found = identifiers.as_written(found, draws.uniform(self._seed, "style", number))
        return identifiers.texts(found)

    def _given(self, kind: str, pool: Pool, references: References, row: Ints, which: int) -> Letters:
        """Identifiers before anybody mistypes them: the customer's own, or what is given for it."""
        seed, person = self._seed, references.person
        match kind:
            case "card":
                return identifiers.cards(seed, pool.name, references.number)
            case "open_id":
                common = self._draw("common open id")[row] < self._errors.common_open_id
                own = identifiers.open_ids(seed, pool.name, references.number)
                return np.where(common[:, np.newaxis], identifiers.open_ids(seed, "", person), own)
            case "plate":
                owner = self._population.person[self.driven(row, which)]
                return identifiers.plates(seed, owner * VEHICLES + which)
            case "phone":
                return self._phones(references, row)
            case "name":
                return self._names(person, row)
            case "national_id":
                return identifiers.national_ids(seed, person, self._born[row], self.male[row])
            case _:
                return identifiers.letters(identifiers.dates(self._born[row]))

    def _phones(self, references: References, row: Ints) -> Letters:
        u = draws.uniform(self._seed, "which phone", references.number[:, np.newaxis], k=np.arange(3))
        owner = self._owner("family phone", self._errors.family_phone, row)
        second = (owner == references.person) & (u[:, 0] < self._errors.second_phone)
        found = identifiers.phones(self._seed, owner, second)
        invented = u[:, 1] < self._errors.invented_phone
        found[invented] = identifiers.invented_phones(u[invented, 2])
        return found

    def _names(self, person: Ints, row: Ints) -> Letters:
        firm = self._population.organisation[row]
        own = identifiers.names(self._seed, person, self.male[row], self._population.household[row])
        found = np.zeros((len(row), _LONGEST_NAME), dtype=np.uint32)
        found[:, : own.shape[1]] = own
        found[firm] = identifiers.firms(self._seed, person[firm])
        return found

    def _owner(self, stream: str, share: float, row: Ints) -> Ints:
        """Whose phone or car it is: the customer's own, or that of the household's first member."""
        shared = self._draw(stream)[row] < share
        return np.where(shared, self._population.household[row], self._population.person[row])

    def _draw(self, stream: str) -> Floats:
        return draws.uniform(self._seed, stream, self._population.person)
