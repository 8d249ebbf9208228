"""References: members of pools, one from the start, the others from later on, and the same in any block."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import Joining
from experiments.simulator.identities import NEVER, Identities, References, Uses
from experiments.simulator.life_cycle import STAYS
from experiments.simulator.outlet_config import Outlet, Pool
from experiments.simulator.population import Population
from experiments.simulator.rows import Ints
from tests.experiments.simulator.conftest import plain

PERSONS = 4000
DAY_US = 86_400_000_000
POOLS = (Pool("card", persons=0.6, use=3.0), Pool("app", persons=0.5, again=0.2), Pool("firms", persons=0.0))


def made(pools: tuple[Pool, ...] = POOLS, **other: object) -> tuple[Identities, Population, WorldConfig]:
    config = plain(outlet=Outlet(pools=pools, **other), joining=Joining(before=0.5, within_days=20))
    population = Population(config, 0, range(PERSONS))
    return Identities(config, 0, population, left_before=staying(PERSONS)), population, config


def staying(persons: int) -> Ints:
    return np.full(persons, STAYS)


def visits(identities: Identities, population: Population, day: int, each: int = 3) -> Uses:
    """So many visits of everybody who has joined, on one day."""
    row = np.repeat(np.flatnonzero(population.joined <= day), each)
    number = np.arange(len(row)) % each
    slot = identities.book(row, np.full(len(row), day), number)
    return Uses(population.person[row], slot, day * DAY_US + number)


def test_members_are_as_many_as_the_shares_say() -> None:
    identities, population, config = made(pool_days=0.001)
    # So late that every reference has been used.
    uses = visits(identities, population, config.first_day + 5000, each=40)
    slots = {(person, slot) for person, slot in zip(uses.person.tolist(), uses.slot.tolist(), strict=True)}
    count = np.bincount([slot for _, slot in slots], minlength=6) / PERSONS
    nowhere = 0.4 * 0.5
    assert count[0] == pytest.approx(0.6 + nowhere, abs=0.03)
    assert count[2] == pytest.approx(0.5, abs=0.03)
    assert count[3] == pytest.approx(0.5 * 0.2, abs=0.02)
    assert count[[1, 4, 5]].sum() == 0


def test_visits_go_to_pools_by_how_often_they_are_used() -> None:
    pools = (Pool("card", use=3.0), Pool("app", use=1.0))
    identities, population, config = made(pools, pool_days=0.001)
    uses = visits(identities, population, config.first_day + 5000, each=10)
    assert np.mean(uses.slot == 0) == pytest.approx(0.75, abs=0.01)


def test_nobody_is_booked_before_a_reference_is_open() -> None:
    identities, population, config = made()
    uses = visits(identities, population, config.first_day + 19)
    joined_today = population.person[population.joined == config.first_day + 19]
    rows = np.isin(uses.person, joined_today)
    assert rows.any()
    assert (uses.slot[rows] == identities.main[uses.person[rows]]).all()


def test_references_are_those_of_before_the_first_day_and_those_that_were_used() -> None:
    identities, population, config = made(pool_days=30.0)
    uses = visits(identities, population, config.first_day + 15)
    registered = np.where(population.joined <= config.first_day + 15, population.joined * DAY_US + 1, NEVER)
    found = identities.references(registered, uses)
    start = config.first_day * DAY_US
    main = found.slot == identities.main[found.person]
    assert (found.at[main] == registered[found.person[main]]).all()
    assert set(found.person[main]) == set(np.flatnonzero(registered < NEVER))
    used = set(uses.number.tolist())
    opened = found.number[~main & (found.at >= start)].tolist()
    assert opened
    assert set(opened) <= used
    earliest = dict(zip(uses.number[::-1].tolist(), uses.at[::-1].tolist(), strict=True))
    assert [earliest[one] for one in opened] == found.at[~main & (found.at >= start)].tolist()
    early = ~main & (found.at < start)
    assert early.any()
    assert (found.at[early] > registered[found.person[early]]).all()
    assert (np.diff(found.number) > 0).all()


def test_who_left_before_the_first_day_registers_no_id_from_that_day_on() -> None:
    _, population, config = made(pool_days=100.0)
    first, nothing = config.first_day, Uses.none()
    registered = np.where(population.joined < first, population.joined * DAY_US + 1, NEVER)
    joined = population.joined[population.joined < first]
    left = np.where(np.arange(PERSONS) % 2 == 0, np.maximum(population.joined, first - 200), STAYS)
    stayed, found = (
        Identities(config, 0, population, left_before=each).references(registered, nothing)
        for each in (staying(PERSONS), left)
    )
    day = local_days(found.at)
    later = found.slot != Identities(config, 0, population, left_before=left).main[found.person]
    assert (day[later] < left[found.person[later]]).all()
    # Nothing else is taken away: the first id of each, all of who stayed, and those from before leaving.
    kept = np.isin(stayed.number, found.number)
    assert np.isin(found.number, stayed.number).all()
    assert (local_days(stayed.at[~kept]) >= left[stayed.person[~kept]]).all()
    assert len(np.unique(found.person)) == len(joined)
    assert (~kept).sum() > 50


def local_days(at: Ints) -> Ints:
    """Local days of instants, in Shanghai."""
    return (at // 3_600_000_000 + 8) // 24


def test_ids_are_different_and_in_no_order() -> None:
    population = np.arange(5000)
    references = References(population, np.zeros(5000, dtype=np.int8), np.zeros(5000, dtype=np.int64))
    ids = references.customer_ids(7)
    assert len(set(ids)) == 5000
    assert abs(np.corrcoef(np.argsort(np.argsort(ids)), population)[0, 1]) < 0.06
    assert set(ids).isdisjoint(references.customer_ids(8))


def test_a_part_of_the_persons_has_the_same_references_as_in_the_whole() -> None:
    whole, population, config = made()
    part = Population(config, 0, range(1000, 2000))
    alone = Identities(config, 0, part, left_before=staying(1000))
    assert (alone.main == whole.main[1000:2000]).all()
    day = config.first_day + 19
    uses, expected = visits(alone, part, day), visits(whole, population, day)
    inside = (expected.person >= 1000) & (expected.person < 2000)
    assert (uses.slot == expected.slot[inside]).all()
