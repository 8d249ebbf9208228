from __future__ import annotations

from typing import Any

import pytest

from features.canonical import Canonical
from features.tiles import MEASURE_NAMES, MEASURES, PRODUCTS, measures_hash, purchases_sql, tiles_sql

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
    first, second = read(lines, tiles_sql(PRODUCTS))
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
    now, later = read([{**late, "known_day": 100}, late, late], tiles_sql(PRODUCTS))
    assert [(t["known_day"], t["baskets"], t["lines"]) for t in (now, later)] == [(100, 1, 1), (103, 0, 2)]
    bought = read([{**late, "known_day": 100}, late, late], purchases_sql())
    assert [(p["known_day"], p["baskets"], p["amount_cents"]) for p in bought] == [
        (100, 1, 100),
        (103, 0, 200),
    ]


def test_without_products_their_measures_are_0(read):
    (tile,) = read([{**LINE, "product_id": "petrol"}], tiles_sql(()), products=False)
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
    assert read(lines, purchases_sql()) == [
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
