from __future__ import annotations

from typing import Any

import pytest

from features.canonical import Canonical
from features.measures import MEASURE_NAMES, MEASURES, PRODUCTS, TOUCH_NAMES
from features.source import Source
from features.tiles import measures_hash, relation_sql

LINE = {"customer_id": "a", "day": 100, "amount_cents": 100}


@pytest.fixture
def read(make_workspace):
    def rows(lines: list[dict[str, Any]], sql: str, products: bool = True) -> list[dict[str, Any]]:
        made = make_workspace(lines) if products else make_workspace(lines, None)
        with Canonical.open(made).connect() as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    return rows


def test_a_tile_adds_up_a_day(read):
    lines = [
        {**LINE, "basket_id": "x", "product_id": "petrol", "quantity": 2.5, "discount_cents": 10},
        {**LINE, "basket_id": "x", "product_id": "apple"},
        {**LINE, "basket_id": "y", "product_id": "unlisted", "amount_cents": -30, "quantity": -1.0},
        {**LINE},
        {**LINE},
        {**LINE, "day": 101},
    ]
    first, second = read(lines, relation_sql("tiles", PRODUCTS))
    expected = {
        "baskets": 3,
        "lines": 5,
        "amount_cents": 370,
        "discount_cents": 10,
        "discounted_lines": 1,
        "returned_lines": 1,
        "quantity_milli": 2500 + 1000 - 1000 + 1000 + 1000,
        "private_lines": 1,
        "private_cents": 100,
        "fuel_lines": 1,
        "fuel_cents": 100,
        "produce_lines": 1,
        "grocery_lines": 0,
    }
    assert {name: first[name] for name in expected} == expected
    assert (second["day"], second["lines"], second["baskets"]) == (101, 1, 1)
    assert list(first) == ["customer_id", "day", "known_day", *MEASURE_NAMES]


def test_a_basket_known_in_two_parts_is_one_basket(read):
    late = {**LINE, "basket_id": "x", "known_day": 103, "product_id": "apple"}
    now, later = read([{**late, "known_day": 100}, late, late], relation_sql("tiles", PRODUCTS))
    assert [(t["known_day"], t["baskets"], t["lines"]) for t in (now, later)] == [(100, 1, 1), (103, 0, 2)]
    bought = read([{**late, "known_day": 100}, late, late], relation_sql("purchases", ()))
    assert [(p["known_day"], p["baskets"], p["amount_cents"]) for p in bought] == [
        (100, 1, 100),
        (103, 0, 200),
    ]


def test_without_products_their_measures_are_0(read):
    (tile,) = read([{**LINE, "product_id": "petrol"}], relation_sql("tiles", ()), products=False)
    assert tile["lines"] == 1
    assert {tile[m.name] for m in MEASURES if m.needs} == {0}


def test_purchases_are_lines_with_a_product_and_a_quantity(read):
    lines = [
        {**LINE, "product_id": "apple", "basket_id": "x"},
        {**LINE, "product_id": "apple", "basket_id": "x", "quantity": 3.0},
        {**LINE, "product_id": "apple", "basket_id": "y", "quantity": 1.0},
        {**LINE, "product_id": "apple", "basket_id": "z", "quantity": -1.0},
        {**LINE, "product_id": "bread", "quantity": 0.0},
        {**LINE, "basket_id": "y"},
    ]
    assert read(lines, relation_sql("purchases", ())) == [
        {
            "customer_id": "a",
            "product_id": "apple",
            "day": 100,
            "known_day": 100,
            "baskets": 2,
            "amount_cents": 300,
        }
    ]


def test_the_hash_follows_the_measures(monkeypatch):
    before = measures_hash()
    monkeypatch.setattr("features.tiles.MEASURES", MEASURES[:-1])
    measures_hash.cache_clear()
    assert measures_hash() != before
    measures_hash.cache_clear()


def test_hours_are_local(make_workspace):
    # 2016-03-13 in New York: the hour from 2 to 3 does not exist.
    lines = [
        {**LINE, "occurred_at": "2016-03-13 06:59"},
        {**LINE, "occurred_at": "2016-03-13 09:00"},
        {**LINE, "occurred_at": "2016-03-13 15:30"},
        {**LINE, "occurred_at": "2016-03-14 02:59"},
    ]
    made = make_workspace(lines, source=Source(zone="America/New_York"))
    with Canonical.open(made).connect() as connection:
        assert connection.execute("SELECT hour FROM transactions ORDER BY occurred_at").fetchall() == [
            (1,),
            (5,),
            (11,),
            (22,),
        ]
        tile = connection.execute(
            "SELECT night_lines, morning_lines, midday_lines, evening_lines "
            f"FROM ({relation_sql('tiles', PRODUCTS)})"
        ).fetchall()
    assert tile == [(1, 1, 1, 1)]


def test_a_third_off_is_a_deep_discount(read):
    lines = [{**LINE, "amount_cents": 70, "discount_cents": cents} for cents in (0, 29, 30, 31)]
    (tile,) = read(lines, relation_sql("tiles", ()))
    assert (tile["discounted_lines"], tile["deep_lines"]) == (3, 2)


def test_touches_are_contacts_answers_and_service_events(make_workspace):
    tables = {
        "exposures": [{"customer_id": "a", "day": 100, "cost_cents": 5}, {"customer_id": "a", "day": 100}],
        "responses": [
            {"customer_id": "a", "day": 100, "kind": "Redemption"},
            {"customer_id": "b", "day": 101, "kind": "refusal", "known_day": 103},
        ],
        "service_events": [
            {"customer_id": "a", "day": 102, "kind": "rating", "score": 4.5},
            {"customer_id": "a", "day": 102, "kind": "rating"},
            {"customer_id": "a", "day": 102, "kind": "complaint"},
        ],
    }
    canonical = Canonical.open(make_workspace([LINE], tables=tables))
    with canonical.connect(references=True) as connection:
        rows = connection.execute(relation_sql("touches", canonical.facts)).df().to_dict("records")
    known = [{name: value for name, value in row.items() if value} for row in rows]
    assert known == [
        {"customer_id": "a", "day": 100, "known_day": 100, "contacts": 2, "contact_cents": 5, "responses": 1,
         "redemptions": 1},
        {"customer_id": "a", "day": 102, "known_day": 102, "complaints": 1, "ratings": 1,
         "rating_milli": 4500},
        {"customer_id": "b", "day": 101, "known_day": 103, "responses": 1, "refusals": 1},
    ]  # fmt: skip
    assert list(rows[0]) == ["customer_id", "day", "known_day", *TOUCH_NAMES]


def test_without_their_tables_there_are_no_touches(read):
    assert read([LINE], relation_sql("touches", ())) == []


def test_rows_count_for_the_person_of_the_time(make_workspace):
    lines = [LINE, {**LINE, "customer_id": "b", "day": 101}, {**LINE, "customer_id": "b", "day": 105}]
    people = [("b", "b", -(2**31), 103), ("b", "a", 103, 110), ("b", "b", 110, 2**31 - 1)]
    canonical = Canonical.open(make_workspace(lines, people=people))
    with canonical.connect(references=True) as connection:
        for view in ("tiles", "purchases"):
            connection.execute(f"CREATE VIEW {view} AS {relation_sql(view, canonical.facts)}")
        rows = connection.execute("SELECT customer_id, day, known_day, until_day FROM tiles").fetchall()
    assert rows == [
        ("a", 100, 100, 2**31 - 1),
        ("a", 101, 103, 110),
        ("a", 105, 105, 110),
        ("b", 101, 101, 103),
        ("b", 101, 110, 2**31 - 1),
        ("b", 105, 110, 2**31 - 1),
    ]
