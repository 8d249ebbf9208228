"""What pools are told: at the right visit, as often as configured, the family's where it is shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.simulator.customer_config import ORGANISATION, Joining
from experiments.simulator.disclosures import Disclosures, Facts
from experiments.simulator.identities import References, Uses
from experiments.simulator.outlet_config import FACTS, PLATE, Errors, Outlet, Pool
from experiments.simulator.population import Population
from tests.experiments.simulator.conftest import plain, segment

PERSONS = 3000
RIGHT = Errors(mistyped=0, invented_phone=0, second_phone=0, family_phone=0, family_car=0, common_open_id=0)
ALL = dict.fromkeys(FACTS, 1.0)
NOBODY = Uses.none()


def told(
    errors: Errors = RIGHT,
    pools: tuple[Pool, ...] = (Pool("card", facts=ALL), Pool("app", facts=ALL)),
    **other: Any,
) -> tuple[Facts, References, Population]:
    """What two references of everybody are told, both older than the world."""
    config = plain(
        outlet=Outlet(pools=pools, errors=errors),
        segments=(segment(**{"vehicles": 1.0, **other}),),
        joining=Joining(before=1.0, household=3.0),
    )
    population = Population(config, 0, range(PERSONS))
    person = np.repeat(population.person, 2)
    references = References(person, np.tile([0, 2], PERSONS), np.full(2 * PERSONS, -1))
    return Disclosures(config, 0, population).facts(references, NOBODY), references, population


def values(facts: Facts, references: References, kind: str) -> dict[tuple[int, int], str]:
    """The value of each (person, pool)."""
    rows = np.flatnonzero(facts.kind == FACTS.index(kind))
    found = facts.reference[rows]
    pairs = zip(references.person[found].tolist(), references.pool[found].tolist(), strict=True)
    return dict(zip(pairs, facts.value[rows].tolist(), strict=True))


@pytest.mark.parametrize("kind", ["name", "national_id", "birth_date", "plate"])
def test_without_errors_a_customer_says_the_same_everywhere(kind: str) -> None:
    facts, references, population = told()
    said = values(facts, references, kind)
    assert len(said) == 2 * PERSONS
    assert all(said[person, 0] == said[person, 1] for person in population.person.tolist())


@pytest.mark.parametrize("kind", ["card", "open_id"])
def test_cards_and_open_ids_are_the_pools(kind: str) -> None:
    facts, references, _ = told()
    assert len(set(values(facts, references, kind).values())) == 2 * PERSONS
    common, references, _ = told(Errors(common_open_id=1.0))
    assert len(set(values(common, references, "open_id").values())) == PERSONS


def test_a_family_phone_is_that_of_the_first_member() -> None:
    facts, references, population = told(
        Errors(family_phone=1.0, mistyped=0, invented_phone=0, second_phone=0)
    )
    digits = {
        pair: "".join(sign for sign in value if sign.isdigit())[-11:]
        for pair, value in values(facts, references, "phone").items()
    }
    shared = [
        digits[person, 0] == digits[home, 1] for person, home in enumerate(population.household.tolist())
    ]
    assert all(shared)
    assert len(set(digits.values())) == len(set(population.household))


def test_as_many_values_are_mistyped_as_configured() -> None:
    right, references, _ = told()
    wrong, _, _ = told(Errors(**{**vars(RIGHT), "mistyped": 0.2}))
    for kind in ("name", "national_id", "birth_date", "plate"):
        rows = right.kind == FACTS.index(kind)
        differ = np.mean(right.value[rows] != wrong.value[rows])
        # Swapping two equal neighbours changes nothing.
        assert 0.14 < differ < 0.22
    for kind in ("card", "open_id"):
        rows = right.kind == FACTS.index(kind)
        assert (right.value[rows] == wrong.value[rows]).all()
    assert references.person.size == 2 * PERSONS


def test_a_fleet_tells_the_plates_of_all_its_vehicles_each_with_its_chance() -> None:
    pool = Pool("card", facts={"plate": 0.5, "phone": 1.0})
    facts, references, population = told(pools=(pool, Pool("app")), vehicles=4.0, kind=ORGANISATION)
    assert population.vehicles.mean() == pytest.approx(4, rel=0.05)
    plates = facts.kind == FACTS.index(PLATE)
    assert plates.sum() == pytest.approx(0.5 * population.vehicles.sum(), rel=0.03)
    assert len(set(facts.value[plates])) == plates.sum()
    row = references.person[facts.reference]
    assert (facts.which < population.vehicles[row]).all()
    assert (facts.which[~plates] == 0).all()
    # The first plate of each stays what it is in a world of one vehicle each.
    alone, _, _ = told(pools=(pool, Pool("app")), kind=ORGANISATION)
    first = plates & (facts.which == 0)
    assert np.array_equal(facts.value[first], alone.value[alone.kind == FACTS.index(PLATE)])


def test_only_the_first_vehicle_may_be_the_familys() -> None:
    family = Errors(**{**vars(RIGHT), "family_car": 1.0})
    facts, references, population = told(family, pools=(Pool("card", facts=ALL), Pool("app")), vehicles=3.0)
    plates = facts.kind == FACTS.index(PLATE)
    first, more = (facts.value[plates & (facts.which == which)] for which in (0, 1))
    assert len(set(first)) == len(set(population.household))
    assert len(set(more)) == len(more) == (population.vehicles > 1).sum()
    assert set(first).isdisjoint(more)
    assert references.person.size == 2 * PERSONS


def test_the_plate_of_each_further_vehicle_is_told_a_visit_later() -> None:
    pool = Pool("card", facts={"plate": 1.0})
    config = plain(
        outlet=Outlet(pools=(pool,)), segments=(segment(vehicles=20.0),), joining=Joining(before=0.0)
    )
    population = Population(config, 0, range(1))
    start = config.first_day * 86_400_000_000
    references = References(population.person, np.zeros(1, dtype=np.int8), np.array([start]))
    uses = Uses(np.zeros(3, np.int64), np.zeros(3, np.int8), start + 1000 * np.arange(3))
    facts = Disclosures(config, 0, population).facts(references, uses)
    assert facts.which.tolist() == [0, 1, 2]
    assert facts.at.tolist() == uses.at.tolist()


def test_organisations_have_firms_and_no_date_of_birth() -> None:
    facts, references, _ = told(kind=ORGANISATION)
    assert not values(facts, references, "national_id")
    assert not values(facts, references, "birth_date")
    assert all(name.endswith("有限公司") for name in values(facts, references, "name").values())


def test_chances_are_kept() -> None:
    facts, references, _ = told(pools=(Pool("card", facts={"phone": 0.3, "name": 0.9}),))
    assert len(values(facts, references, "phone")) / PERSONS == pytest.approx(0.3, abs=0.03)
    assert len(values(facts, references, "name")) / PERSONS == pytest.approx(0.9, abs=0.02)


def test_a_fact_of_the_third_visit_is_told_then_and_not_before() -> None:
    pool = Pool("card", facts={"plate": 1.0, "phone": 1.0}, told={"phone": 3})
    config = plain(
        outlet=Outlet(pools=(pool,)), segments=(segment(vehicles=1.0),), joining=Joining(before=0.0)
    )
    population = Population(config, 0, range(4))
    start = config.first_day * 86_400_000_000
    zero = np.zeros(4, dtype=np.int8)
    references = References(population.person, zero, start + np.arange(4))
    # The first comes three times, the second four times, the third twice, the last never.
    person = np.repeat([0, 1, 2], [3, 4, 2])
    uses = Uses(person, np.zeros(9, dtype=np.int8), start + 1000 * np.arange(1, 10))
    facts = Disclosures(config, 0, population).facts(references, uses)
    phones, plates = (facts.kind == FACTS.index(kind) for kind in ("phone", "plate"))
    assert facts.reference[phones].tolist() == [0, 1]
    assert facts.at[phones].tolist() == [start + 3000, start + 6000]
    assert facts.at[plates].tolist() == references.at.tolist()
