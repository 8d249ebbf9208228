"""What registers say of customers: only what somebody told them."""

from __future__ import annotations

import duckdb
import pytest

from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written

POOLS = [pool.name for pool in preset("fuel").outlet.pools]


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
