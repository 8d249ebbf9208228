"""What the registers of a business say of a block's customers: references, identifiers, vehicles."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.catalogue import Catalogue
from experiments.simulator.cells import instants, numbers, words
from experiments.simulator.codes import NONE, ServiceKind
from experiments.simulator.disclosures import Disclosures, Facts
from experiments.simulator.events import Answers, Consents, Contacts, Contracts, ServiceEvents
from experiments.simulator.identities import NEVER, SLOTS, Identities, References, Uses
from experiments.simulator.lived import Lived
from experiments.simulator.outlet_config import BIRTH_DATE, FACTS, NATIONAL_ID, PLATE
from experiments.simulator.rows import Codes, Ints, Rows
from experiments.simulator.world import World

OLDEST_CAR: Final = 15
"""Years, when the first of a household registers."""
FIRST_OF_A_KIND: Final = 2**38
"""Numbers of the identifiers of which a reference has one, or the first."""
OLDEST: Final = 120
"""Years; a register takes no date of birth of longer ago."""


class Registers:
    """The references of a block's customers.

    Args:
        world: the block, after its last day.
        catalogue: of the whole world.
        lived: what happened.
    """

    def __init__(self, world: World, catalogue: Catalogue, lived: Lived) -> None:
        self._config, self._seed, self._population = world.config, world.seed, world.population
        self._catalogue, self._lived = catalogue, lived
        self._identities = Identities(
            world.config, world.seed, world.population, left_before=world.left_before
        )
        self._disclosures = Disclosures(world.config, world.seed, world.population)
        begins = lived.begins
        visits, row = lived.lines.take(begins), self.row(lived.lines)[begins]
        slot = self._identities.book(row, lived.line_day[begins], visits.basket)
        # Nobody shows an id for a bill to come.
        bills = self._config.bills
        billed = visits.place == (self._config.places.index(bills.place) if bills else NONE)
        slot = np.where(billed, self._identities.main[row], slot)
        self._line_slot: Codes = slot[np.cumsum(begins) - 1]
        self._uses = Uses(visits.person, slot, visits.at).take(~billed)
        self._used_store = visits.store[~billed]

    def row(self, rows: Rows) -> Ints:
        """Positions of the rows' persons in the population."""
        return np.asarray(rows.person - self._population.person[0])

    @cached_property
    def references(self) -> References:
        """The references under which the block's customers are known."""
        joined = np.full(len(self._population), NEVER)
        joined[self.row(self._lived.joined)] = self._lived.joined.at
        return self._identities.references(joined, self._uses)

    @cached_property
    def customer_id(self) -> NDArray[Any]:
        """The source's id of each reference."""
        return self.references.customer_ids(self._seed)

    def of_lines(self) -> Ints:
        """Position of the reference on which each line is booked."""
        return self._position(self._lived.lines.person, self._line_slot)

    def of(self, rows: Contacts | Answers | ServiceEvents | Consents | Contracts) -> Ints:
        """Position of the reference that each row stands under: the one that speaks for the customer.

        What happens at the instant of a visit stands under the reference that was shown there, and a
        complaint is settled under the one that it stands under: equal instants would tell who is who.
        """
        slot = self._identities.main[self.row(rows)]
        if isinstance(rows, Contracts) or not len(rows):
            return self._position(rows.person, slot)
        lines = self._lived.lines
        if len(lines):
            # Pairs compare as complex numbers do: by the first, then by the second. Both are exact.
            booked, wanted = lines.person + 1j * lines.at, rows.person + 1j * rows.at
            found = np.minimum(np.searchsorted(booked, wanted), len(lines) - 1)
            slot = np.where(booked[found] == wanted, self._line_slot[found], slot)
        if isinstance(rows, ServiceEvents):
            made = np.where(rows.kind == ServiceKind.COMPLAINT, np.arange(len(rows)), 0)
            last = np.maximum.accumulate(made)
            known = (rows.person[last] == rows.person) & (rows.kind[last] == ServiceKind.COMPLAINT)
            slot = np.where(known & (rows.kind == ServiceKind.VISIT), slot[last], slot)
        return self._position(rows.person, slot)

    def customers(self) -> dict[str, Any]:
        """The columns of `customers`: sex and year of birth where a customer told the date of birth."""
        references = self.references
        row, born = self.row(references), self._birth_year()
        known = born != NONE
        return {
            "customer_id": self.customer_id,
            "kind": words(("person", "organisation"), self._population.organisation[row]),
            "segment": words(self._pools, self.references.pool),
            "area": words(self._catalogue.areas, self._catalogue.district[self._counter()]),
            "sex": words(("m", "f"), np.where(known, ~self._disclosures.male[row], NONE)),
            "birth_year": numbers(born, ~known),
            "registered_at": instants(references.at),
        }

    def vehicles(self) -> dict[str, Any]:
        """The columns of `vehicles`: those whose plate was told, as it was told."""
        told = self._facts.kind == FACTS.index(PLATE)
        which = self._facts.which[told]
        row = self._disclosures.driven(self.row(self.references)[self._facts.reference[told]], which)
        age = draws.uniform(self._seed, "age of a car", self._population.person[row], k=which) * OLDEST_CAR
        # Whoever of a family registers first may tell its car; by UTC that may still be the year before.
        told_from = self._first_of_household[row] - 1
        return {
            "customer_id": words(self.customer_id, self._facts.reference[told]),
            "plate": self._facts.value[told],
            "kind": words([one.vehicle for one in self._config.segments], self._population.segment[row]),
            "fuel": words(self._catalogue.product_names, self._fuel(row)),
            "model_year": _years(told_from) - age.astype(np.int64),
        }

    def identifiers(self) -> tuple[Ints, Ints, Ints, dict[str, Any]]:
        """Reference, number and instant of each row of `identities`, and its other columns."""
        import pyarrow as pa

        facts = self._facts
        number = self.references.number[facts.reference] * len(FACTS) + facts.kind
        number += facts.which.astype(np.int64) * FIRST_OF_A_KIND
        columns = {
            "pool": words(self._pools, self.references.pool[facts.reference]),
            "kind": words(FACTS, facts.kind),
            "value": pa.array(facts.value),
        }
        return facts.reference, number, facts.at, columns

    def truth(self) -> dict[str, Any]:
        """Who is who: the columns of the truth's `references`."""
        return {
            "customer_id": self.customer_id,
            "person": self.references.person,
            "household": self._population.household[self.row(self.references)],
            "pool": words(self._pools, self.references.pool),
        }

    @property
    def _first_of_household(self) -> Ints:
        """Local day on which the first of each person's household registered."""
        household = self._population.household - self._population.household[0]
        first = np.full(int(household[-1]) + 1, NEVER)
        np.minimum.at(first, household, self._population.joined)
        return np.asarray(first[household])

    def _birth_year(self) -> Ints:
        """Year of birth of each reference as it was told; `NONE` where none was, or none that can be."""
        year = np.full(len(self.references), NONE)
        # A date of birth that was told by itself stands above one in the number of an identity card.
        for kind, first in ((NATIONAL_ID, 6), (BIRTH_DATE, 0)):
            of_kind = self._facts.kind == FACTS.index(kind)
            text = [value[first : first + 4] for value in self._facts.value[of_kind].tolist()]
            said = np.array([int(one) if one.isdecimal() else NONE for one in text], dtype=np.int64)
            can_be = (said > self._config.start.year - OLDEST) & (said <= self._config.start.year)
            year[self._facts.reference[of_kind][can_be]] = said[can_be]
        return year

    def _counter(self) -> NDArray[np.int32]:
        """The store that each reference was registered in: that of its first visit, or one like a visit's.

        The second for references that are there before they are used, for whom the first would tell whether
        a customer comes later.
        """
        references, population, network = self.references, self._population, self._config.network
        row = self.row(references)
        u = draws.uniform(
            self._seed,
            "counter",
            references.person[:, np.newaxis],
            k=references.slot[:, np.newaxis] * 2 + np.arange(2),
        )
        anywhere = np.floor(network.stores * u[:, 1]).astype(np.int32)
        away = np.where(u[:, 0] < network.home + network.nearby, population.nearby[row], anywhere)
        store = np.where(u[:, 0] < network.home, population.home[row], away)
        first = np.unique(self._uses.number, return_index=True)[1]
        position = self._position(self._uses.person[first], self._uses.slot[first])
        at_visit = (references.at[position] == self._uses.at[first]) & (self._used_store[first] != NONE)
        store[position[at_visit]] = self._used_store[first][at_visit]
        return store

    def _fuel(self, row: Ints) -> NDArray[np.int32]:
        """What each of some persons comes for: the favourite of the category that most visits are for."""
        anchors = np.array([self._config.category(segment.anchor) for segment in self._config.segments])
        wanted = anchors[self._population.segment[row]]
        return self._population.favourite(row, wanted, self._catalogue.assortment)

    @property
    def _pools(self) -> list[str]:
        return [pool.name for pool in self._config.outlet.pools]

    @cached_property
    def _facts(self) -> Facts:
        return self._disclosures.facts(self.references, self._uses)

    def _position(self, person: Ints, slot: Codes) -> Ints:
        """Positions of references."""
        return np.searchsorted(self.references.number, person * SLOTS + slot)


def _years(day: Ints) -> Ints:
    """The years of local days."""
    return day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
