"""What the registers of a business say of a block's customers: references, identifiers, vehicles."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.catalogue import Catalogue
from experiments.simulator.cells import instants, numbers, words
from experiments.simulator.codes import NONE
from experiments.simulator.disclosures import VEHICLES, Disclosures, Facts
from experiments.simulator.identities import NEVER, SLOTS, Identities, References, Uses
from experiments.simulator.lived import Lived
from experiments.simulator.outlet_config import BIRTH_DATE, FACTS, NATIONAL_ID, PLATE
from experiments.simulator.rows import Codes, Ints, Rows
from experiments.simulator.world import World

OLDEST_CAR: Final = 15
"""Years."""


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
        self._identities = Identities(world.config, world.seed, world.population)
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
        return self._of(self._lived.lines.person, self._line_slot)

    def main(self, rows: Rows) -> Ints:
        """Position of the reference that speaks for the customer of each row."""
        return self._of(rows.person, self._identities.main[self.row(rows)])

    def customers(self) -> dict[str, Any]:
        """The columns of `customers`: sex and year of birth where a customer told the date of birth."""
        references, known_of = self.references, self._disclosures
        row = self.row(references)
        dated = np.isin(self._facts.kind, [FACTS.index(kind) for kind in (NATIONAL_ID, BIRTH_DATE)])
        known = np.zeros(len(references), dtype=bool)
        known[self._facts.reference[dated]] = True
        return {
            "customer_id": self.customer_id,
            "kind": words(("person", "organisation"), self._population.organisation[row]),
            "segment": words(self._pools, self.references.pool),
            "area": words(self._catalogue.areas, self._catalogue.district[self._population.home[row]]),
            "sex": words(("m", "f"), np.where(known, ~known_of.male[row], NONE)),
            "birth_year": numbers(known_of.birth_year(row), ~known),
            "registered_at": instants(references.at),
        }

    def vehicles(self) -> dict[str, Any]:
        """The columns of `vehicles`: those of the customers who told a plate."""
        told = self._facts.reference[self._facts.kind == FACTS.index(PLATE)]
        row = self.row(self.references)[told]
        count = np.minimum(self._population.vehicles[row], VEHICLES)
        reference, row = np.repeat(told, count), np.repeat(row, count)
        vehicle = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        age = draws.uniform(self._seed, "age of a car", self._population.person[row], k=vehicle) * OLDEST_CAR
        return {
            "customer_id": words(self.customer_id, reference),
            "plate": self._disclosures.plates(row, vehicle),
            "kind": words(("car", "lorry"), self._population.organisation[row]),
            "fuel": words(self._catalogue.product_names, self._fuel(row)),
            "model_year": self._config.start.year - age.astype(np.int64),
        }

    def identifiers(self) -> tuple[Ints, Ints, Ints, dict[str, Any]]:
        """Reference, number and instant of each row of `identities`, and its other columns."""
        import pyarrow as pa

        facts = self._facts
        number = self.references.number[facts.reference] * len(FACTS) + facts.kind
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

    def _of(self, person: Ints, slot: Codes) -> Ints:
        """Positions of references."""
        return np.searchsorted(self.references.number, person * SLOTS + slot)
