from __future__ import annotations

import duckdb
import pytest

from features.catalogue import BY_NAME, DECLARATIONS, NAMES, closure
from features.declarations import Feature
from features.errors import UserError
from features.evaluators.sql import aggregate, feature_sql, needs
from features.facts import FACTS, PEOPLE
from features.measures import MEASURE_NAMES, TOUCH_NAMES


@pytest.fixture
def duck():
    rows = "customer_id VARCHAR, day INTEGER, known_day INTEGER"
    with duckdb.connect() as connection:
        for view, names in (("tiles", MEASURE_NAMES), ("touches", TOUCH_NAMES)):
            measures = ", ".join(f"{name} BIGINT DEFAULT 0" for name in names)
            connection.execute(f"CREATE TABLE {view} ({rows}, {measures})")
        for view, key in (("purchases", "product_id"), ("store_baskets", "store_id")):
            connection.execute(f"CREATE TABLE {view} ({rows}, {key} VARCHAR, baskets BIGINT)")
        connection.execute(
            "CREATE TABLE households (customer_id VARCHAR, household_id VARCHAR, from_day INT, to_day INT)"
        )
        connection.execute("CREATE TABLE as_ofs AS SELECT 1000 AS as_of")
        yield connection


def test_every_feature_is_a_double(duck):
    described = duck.execute(f"DESCRIBE {feature_sql(NAMES, FACTS)}").fetchall()
    assert [(row[0], row[1]) for row in described[2:]] == [(name, "DOUBLE") for name in NAMES]


def test_rows_end_only_where_references_were_joined():
    assert "until_day" not in feature_sql(NAMES, FACTS)
    assert "as_of <= until_day" in feature_sql(NAMES, (*FACTS, PEOPLE))


def test_what_needs_an_absent_table_is_null(duck):
    duck.execute("INSERT INTO tiles (customer_id, day, known_day, lines) VALUES ('a', 999, 999, 1)")
    values = duck.execute(feature_sql(NAMES, ())).fetchnumpy()
    for name in NAMES:
        if needs(name):
            assert values[name].mask.tolist() == [True], name
    assert values["visits_all"].tolist() == [1.0]


def test_only_what_is_asked_for_is_computed():
    query = feature_sql(["visits_28"], ())
    assert "LAG" not in query
    assert "amount_cents" not in query


def test_columns_stand_in_the_order_asked_for(duck):
    duck.execute("INSERT INTO tiles (customer_id, day, known_day) VALUES ('b', 990, 990), ('a', 999, 999)")
    query = feature_sql(["visits_all", "overdue_ratio", "days_since_visit"], ())
    assert duck.execute(query).fetchall() == [(1000, "a", 1.0, None, 1.0), (1000, "b", 1.0, None, 10.0)]


def test_money_is_added_as_whole_cents(duck):
    rows = [("a", 990 + i, 990 + i, cents) for i, cents in enumerate([2**53, 1, 1])]
    duck.executemany(
        "INSERT INTO tiles (customer_id, day, known_day, amount_cents) VALUES (?, ?, ?, ?)", rows
    )
    assert duck.execute(feature_sql(["spend_all"], ())).fetchall() == [(1000, "a", float(2**53 + 2))]


def test_every_aggregate_is_a_double():
    for declaration in DECLARATIONS:
        if isinstance(declaration, Feature):
            assert aggregate(declaration).endswith("AS DOUBLE)")
    assert aggregate(BY_NAME["last_gap"]) == "CAST(ARG_MAX(gap, day) AS DOUBLE)"


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(UserError, match="did you mean 'spend_91'"):
        closure(["spend_9"])
