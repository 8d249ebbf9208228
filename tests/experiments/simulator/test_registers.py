"""What registers say of customers: only what somebody told them."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from experiments.simulator.life_cycle import STAYS
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written, write
from experiments.simulator.world import World

EVENTS = {"service_events": "occurred_at", "responses": "occurred_at", "exposures": "contacted_at"}
POOLS = [pool.name for pool in preset("fuel").outlet.pools]


@pytest.fixture(scope="module")
def telecom(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A telecom world of ten weeks."""
    out = tmp_path_factory.mktemp("telecom") / "source"
    return write(preset("telecom"), out, customers=1000, days=70, seed=3)


def asked(written: Written, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as opened:
        for name in written.rows:
            opened.execute(f"CREATE VIEW {name} AS FROM '{written.folder / name}.parquet'")
        opened.execute(f"CREATE VIEW truth AS FROM '{written.truth}/references.parquet'")
        return opened.execute(query).fetchall()


def test_every_id_in_every_table_is_a_reference_of_a_person(written: Written) -> None:
    for table in set(written.rows) - {"products", "stores", "staff", "campaigns"}:
        strangers = f"SELECT count(*) FROM {table} WHERE customer_id NOT IN (SELECT customer_id FROM truth)"
        assert asked(written, strangers) == [(0,)], table
    assert asked(written, "SELECT count(*), count(DISTINCT customer_id) FROM truth") == [
        (written.rows["customers"], written.rows["customers"])
    ]


def test_some_persons_have_ids_in_several_pools_and_organisations_are_among_them(written: Written) -> None:
    pools = "SELECT person, count(DISTINCT pool) AS pools, count(*) AS ids FROM truth GROUP BY person"
    ((most, twice),) = asked(written, f"SELECT max(pools), count(*) FILTER (ids > pools) FROM ({pools})")
    assert most >= 3
    assert twice > 0
    kinds = dict(asked(written, "SELECT kind, count(*) FROM customers GROUP BY kind"))
    assert kinds["person"] > 10 * kinds["organisation"] > 0
    assert sorted({pool for (pool,) in asked(written, "SELECT DISTINCT segment FROM customers")}) == sorted(
        POOLS
    )


def test_the_date_of_birth_is_known_where_somebody_told_it(written: Written) -> None:
    told = (
        "SELECT customer_id FROM identities WHERE kind IN ('national_id', 'birth_date') AND value IS NOT NULL"
    )
    unknown = f"SELECT count(*) FROM customers WHERE birth_year IS NOT NULL AND customer_id NOT IN ({told})"
    # A damaged row may be the only one that says it.
    ((count,),) = asked(written, unknown)
    assert count <= 2
    ((both, known),) = asked(written, "SELECT count(sex), count(birth_year) FROM customers")
    assert both == known
    assert 0 < known < written.rows["customers"]


def test_the_year_of_birth_is_the_one_that_was_told(written: Written) -> None:
    said = "CASE i.kind WHEN 'birth_date' THEN value[:4] WHEN 'national_id' THEN value[7:10] END"
    both = (
        "SELECT customer_id FROM identities WHERE kind IN ('national_id', 'birth_date') "
        "GROUP BY customer_id HAVING count(DISTINCT kind) > 1"
    )
    told = (
        f"SELECT birth_year, {said} AS said FROM customers JOIN identities AS i USING (customer_id) "
        f"WHERE regexp_matches({said}, '^(19|20)[0-9][0-9]$') AND {said} <= '2024' "
        f"AND customer_id NOT IN ({both})"
    )
    ((rows, right),) = asked(
        written, f"SELECT count(*), count(*) FILTER (birth_year = CAST(said AS INTEGER)) FROM ({told})"
    )
    assert rows == right > 100


def test_the_area_is_that_of_the_store_of_a_first_visit(written: Written) -> None:
    """Of a reference that began with a visit, and of the others it is not always the same for a person."""
    first = (
        "SELECT DISTINCT c.area AS area, s.area AS there FROM customers AS c JOIN transactions AS t USING "
        "(customer_id) JOIN stores AS s USING (store_id) WHERE t.occurred_at = c.registered_at"
    )
    assert asked(written, f"SELECT count(*) FROM ({first}) WHERE area <> there") == [(0,)]
    assert asked(written, f"SELECT count(*) > 0 FROM ({first})") == [(True,)]
    areas = (
        "SELECT count(DISTINCT area) AS areas FROM customers JOIN truth USING (customer_id) "
        "GROUP BY person HAVING count(*) > 1"
    )
    ((several,),) = asked(written, f"SELECT avg(CAST(areas > 1 AS INTEGER)) FROM ({areas})")
    assert several > 0.1


def test_nothing_tells_two_ids_of_one_person_by_an_instant(written: Written, telecom: Written) -> None:
    for world in (written, telecom):
        for table, at in EVENTS.items():
            told = (
                f"SELECT count(*) FROM {table} AS e JOIN transactions AS t ON e.{at} = t.occurred_at JOIN "
                "truth AS a ON a.customer_id = e.customer_id JOIN truth AS b ON b.customer_id = "
                "t.customer_id WHERE a.person = b.person AND a.customer_id <> b.customer_id "
                "AND t.occurred_at > TIMESTAMP '1971-01-01'"
            )
            assert asked(world, told) == [(0,)], table
            there = f"SELECT count(*) > 0 FROM {table} AS e JOIN transactions AS t ON e.{at} = t.occurred_at"
            assert asked(world, there) == [(table != "exposures" or world is written,)], table


def test_a_complaint_is_settled_under_the_id_that_made_it(written: Written) -> None:
    strangers = (
        "SELECT count(*) FROM service_events AS v WHERE kind = 'visit' AND customer_id <> '' AND NOT EXISTS "
        "(FROM service_events AS c WHERE c.kind = 'complaint' AND c.customer_id = v.customer_id "
        "AND c.occurred_at <= v.occurred_at)"
    )
    assert asked(written, strangers) == [(0,)]
    assert asked(written, "SELECT count(*) > 0 FROM service_events WHERE kind = 'visit'") == [(True,)]


@pytest.mark.parametrize("table", ["transactions", "exposures", "responses", "service_events"])
def test_nothing_happens_under_an_id_before_it_is_registered(written: Written, table: str) -> None:
    at = "contacted_at" if table == "exposures" else "occurred_at"
    early = (
        f"SELECT count(*) FROM {table} AS t JOIN customers USING (customer_id) "
        f"WHERE {at} < registered_at AND {at} > TIMESTAMP '1970-01-01'"
    )
    assert asked(written, early) == [(0,)]


def test_vehicles_are_of_those_whose_plate_was_told(written: Written) -> None:
    untold = "SELECT count(*) FROM vehicles WHERE customer_id NOT IN (FROM told)"
    told = "WITH told AS (SELECT customer_id FROM identities WHERE kind = 'plate' OR kind IS NULL) "
    assert asked(written, told + untold) == [(0,)]
    assert written.rows["vehicles"] > 0
    otherwise = (
        "SELECT count(*) FROM vehicles WHERE (customer_id, plate) NOT IN "
        "(SELECT (customer_id, value) FROM identities WHERE value IS NOT NULL AND customer_id IS NOT NULL)"
    )
    # A damaged row may be the only one that says it.
    ((count,),) = asked(written, otherwise)
    assert count <= 2


def test_lorry_drivers_and_fleets_have_lorries_and_others_cars(written: Written) -> None:
    world = World(preset("fuel"), 3, range(2000))
    segments = [one.name for one in world.config.segments]
    lorries = np.isin(world.population.segment, [segments.index(n) for n in ("lorries", "organisations")])
    # The driver of a lorry may come in the family's car, and another one in the family's lorry.
    first = world.population.household == world.population.person
    rows = asked(written, "SELECT DISTINCT person, v.kind FROM vehicles AS v JOIN truth USING (customer_id)")
    found = {(bool(lorries[person]), kind) for person, kind in rows if first[person] and kind is not None}
    assert found == {(True, "lorry"), (False, "car")}


def test_no_plate_is_told_before_the_model_year_of_its_car(written: Written) -> None:
    told = (
        "SELECT model_year, year(i.seen_at) AS told FROM vehicles AS v JOIN identities AS i "
        "ON i.customer_id = v.customer_id AND i.value = v.plate WHERE i.seen_at > TIMESTAMP '1901-01-01'"
    )
    counts = "count(*) FILTER (model_year > told), count(*) FILTER (model_year > told - 2)"
    ((early, new),) = asked(written, f"SELECT {counts} FROM ({told})")
    assert early == 0
    assert new > 10


def test_who_left_before_the_first_day_registers_no_further_id(written: Written) -> None:
    left = World(preset("fuel"), 3, range(written.customers)).left_before
    ids = asked(
        written, "SELECT person, epoch_us(registered_at) FROM customers JOIN truth USING (customer_id)"
    )
    person, at = np.array(ids, dtype=np.int64).T
    day = (at // 3_600_000_000 + 8) // 24
    gone = left[person] < STAYS
    assert (day[gone] <= left[person[gone]]).all()
    assert len(np.unique(person[gone])) == (left < STAYS).sum() > 100


def test_fleets_have_several_vehicles(written: Written) -> None:
    """Five on the mean, each known to a pool with the chance of its plate; damaged rows take none away."""
    kinds = (
        "SELECT person, count(*) AS known FROM vehicles JOIN truth USING (customer_id) JOIN customers AS c "
    )
    each = "USING (customer_id) WHERE c.kind = '{}' GROUP BY person"
    most = [asked(written, f"SELECT max(known) FROM ({kinds + each.format(kind)})")[0][0] for kind in
            ("person", "organisation")]  # fmt: skip
    assert most[0] >= 2
    assert most[1] >= 5
    different = "SELECT count(*), count(DISTINCT (customer_id, plate)) FROM vehicles"
    ((rows, plates),) = asked(written, different)
    assert rows == plates
    ids = (
        "SELECT count(*), count(DISTINCT event_id) FROM identities WHERE kind IN (SELECT DISTINCT kind FROM "
        "identities WHERE length(kind) > 1) AND value IS NOT NULL AND customer_id <> '' "
        "AND seen_at > TIMESTAMP '1901-01-01'"
    )
    ((rows, different_ids),) = asked(written, ids)
    assert rows == different_ids


def test_an_equal_plate_does_not_always_mean_one_person(written: Written) -> None:
    equal = (
        "SELECT a.person = b.person FROM vehicles AS v JOIN vehicles AS w USING (plate) "
        "JOIN truth AS a ON a.customer_id = v.customer_id JOIN truth AS b ON b.customer_id = w.customer_id "
        "WHERE v.customer_id < w.customer_id"
    )
    assert {same for (same,) in asked(written, equal)} == {True, False}
