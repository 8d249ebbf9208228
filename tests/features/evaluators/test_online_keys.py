"""The pass over rows without a day; `test_online.py` compares it with plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from features.customer_store.history import History, Member
from features.customer_store.rows import INT32_MAX, NO_BASKETS, Baskets, Keyed, Rows
from features.declarations import COLUMNS_OF, Feature
from features.evaluators.online_keys import (
    KEY_COLUMNS,
    MEMBER_COLUMNS,
    UNKNOWN,
    KeyPlan,
    basket_values,
    household_values,
)
from features.measures import MEASURE_NAMES


def feature(name: str, op: str, column: str = "", where: str = "", of: str = "products") -> Feature:
    return Feature(name, "money", "u", "m", "m", op, column, where, of=of)


OVER = [
    feature("keys", "count"),
    feature("fresh", "count", where="first_age <= 28"),
    feature("favourite", "max", "baskets_91"),
    feature("old", "sum", "baskets_all", "age > 28"),
    feature("least", "min", "age", "baskets_28 > 1"),
]
BOUGHT = Keyed.of([4, 4, 9], [900, 990, 980], [900, 990, 980], [5, 2, 1])


def values(products: Keyed, stores: Keyed, as_of: int = 1000) -> list[float]:
    stored = [feature(f"{f.name}_s", f.op, f.column, f.where, "stores") for f in OVER]
    return list(basket_values(KeyPlan([OVER, stored], KEY_COLUMNS), Baskets.of(products, stores), as_of))


def test_the_columns_are_those_declared():
    assert set(KEY_COLUMNS) == set(COLUMNS_OF["products"]) == set(COLUMNS_OF["stores"])
    assert set(MEMBER_COLUMNS) == set(COLUMNS_OF["household"])


def test_products_and_stores_have_values_of_their_own():
    old = Keyed.of([4], [900], [900], [7])
    assert values(BOUGHT, old) == [2, 1, 2, 0, 10, 1, 0, 0, 7, pytest.approx(math.nan, nan_ok=True)]


@pytest.mark.parametrize("first", [True, False])
def test_one_of_them_may_be_empty(first):
    found = values(BOUGHT, NO_BASKETS) if first else values(NO_BASKETS, BOUGHT)
    nothing = [0, 0, pytest.approx(math.nan, nan_ok=True), 0, pytest.approx(math.nan, nan_ok=True)]
    known = [2, 1, 2, 0, 10]
    assert found == (known + nothing if first else nothing + known)


def test_before_the_first_basket_there_is_nothing():
    assert values(BOUGHT, NO_BASKETS, as_of=900)[:2] == [0, 0]
    assert values(BOUGHT, NO_BASKETS, as_of=901)[:2] == [1, 1]


def test_a_plan_of_one_feature():
    plan = KeyPlan([[feature("keys", "count")]], KEY_COLUMNS)
    assert list(basket_values(plan, Baskets.of(BOUGHT, NO_BASKETS), 1000)) == [2]


def test_members_count_while_they_live_together():
    plan = KeyPlan(
        [
            [
                feature("members", "count", of="household"),
                feature("others", "count", where="itself = 0", of="household"),
                feature("last", "min", "age", of="household"),
                feature("unseen", "count", where="age IS NULL", of="household"),
                feature("spend", "sum", "spend_91", of="household"),
            ]
        ],
        MEMBER_COLUMNS,
        UNKNOWN,
    )
    spend = MEASURE_NAMES.index("amount_cents")
    cells = np.zeros((len(MEASURE_NAMES), 2), np.int64)
    cells[spend] = [2**40, 30]
    seen = Rows.of([900, 990], [900, 990], cells)
    history = History(
        "a",
        members=(
            Member("a", seen, 950, INT32_MAX),
            Member("b", Rows.of([999], [1005], cells[:, :1]), 950, INT32_MAX),
            Member("c", seen, 950, 999),
        ),
    )

    def at(as_of: int) -> list[float]:
        return list(household_values(plan, history, spend, as_of))

    assert at(1000) == [2, 1, 10, 1, 30]
    assert at(1006) == [2, 1, 7, 0, 30 + 2**40]
    assert at(999) == [3, 2, 9, 1, 60]
    assert at(950)[:2] == [0, 0]
