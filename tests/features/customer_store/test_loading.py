from __future__ import annotations

import duckdb

from features.customer_store.loading import Loading
from features.facts import HOUSEHOLDS, PEOPLE
from features.measures import MEASURE_NAMES, TOUCH_NAMES
from features.tiles import FOREVER, RELATION_VIEWS


def table(connection, name: str, columns: str, rows: list[tuple], filled: tuple[str, ...] = ()) -> None:
    cells = "".join(f", {value} AS {column}" for value, column in enumerate(filled))
    values = ", ".join(map(str, rows))
    connection.execute(f"CREATE TABLE {name} AS SELECT *{cells} FROM (VALUES {values}) AS t({columns})")


def opened(connection, monkeypatch, facts=frozenset()) -> Loading:
    key = "day, known_day, until_day" if PEOPLE in facts else "day, known_day"
    until = (FOREVER,) if PEOPLE in facts else ()
    table(
        connection,
        "tiles",
        f"customer_id, {key}",
        [("b", 5, 5, *until), ("a", 7, 9, *until), ("a", 7, 7, *(9,) * len(until))],
        MEASURE_NAMES,
    )
    table(
        connection, "touches", f"customer_id, {key}", [("c", 6, 6, *until), ("b", 4, 4, *until)], TOUCH_NAMES
    )
    table(
        connection,
        "purchases",
        f"customer_id, product_id, {key}, baskets",
        [("b", "y", 5, 5, *until, 2), ("b", "x", 5, 5, *until, 1), ("a", "z", 7, 7, *until, 1)],
    )
    table(
        connection, "store_baskets", f"customer_id, store_id, {key}, baskets", [("b", "s", 5, 5, *until, 3)]
    )
    monkeypatch.setattr("features.customer_store.loading._CHUNK", 2)
    relations = {view: f"SELECT * FROM {view}" for view in RELATION_VIEWS.values()}
    return Loading(connection, relations, frozenset(facts), frozenset({"channel"}))


def test_every_customer_with_a_row_gets_a_history(monkeypatch):
    with duckdb.connect() as connection:
        loading = opened(connection, monkeypatch)
        a, b, c = loading.histories()
    assert loading.names == {"products": ["x", "y", "z"], "stores": ["s"]}
    assert [h.customer_id for h in (a, b, c)] == ["a", "b", "c"]
    assert (a.visits.day.tolist(), a.visits.known_day.tolist()) == ([7, 7], [7, 9])
    assert b.visits.values[:, 0].tolist() == list(range(len(MEASURE_NAMES)))
    assert b.touches.values[:, 0].tolist() == list(range(len(TOUCH_NAMES)))
    assert (b.products.keys.tolist(), b.products.baskets.tolist()) == ([0, 1], [1, 2])
    assert (b.stores.keys.tolist(), b.stores.baskets.tolist()) == ([0], [3])
    assert (c.day.tolist(), c.touches.day.tolist()) == ([], [6]), "who was contacted need not have bought"
    assert a.absent == {"channel"}
    assert a.visits.until_day is None


def test_persons_and_households_come_along(monkeypatch):
    with duckdb.connect() as connection:
        table(
            connection,
            "households",
            "customer_id, household_id, from_day, to_day",
            [("a", "h", 0, 9), ("b", "h", 5, 20)],
        )
        a, b, c = opened(connection, monkeypatch, {PEOPLE, HOUSEHOLDS}).histories()
    assert a.visits.until_day is not None
    assert a.visits.until_day.tolist() == [9, FOREVER]
    assert b.visits.until_day is None, "for ever is not said"
    assert [(m.customer_id, m.from_day, m.to_day) for m in a.members] == [("a", 0, 9), ("b", 5, 9)]
    assert c.members == ()
