from __future__ import annotations

import numpy as np
import pytest

from training.recommendation.context import Context, OwnItems
from training.recommendation.examples import Collector
from training.recommendation.histories import Histories
from training.recommendation.items import GROUPS

# Customer 0: item 1 on days 60 (2 baskets) and 90, item 0 on days 90 and 100; customer 1: item 0, known late.
CODED = Histories(
    np.array(["a", "b"]),
    np.array(["p", "q"]),
    np.array([0, 5, 6]),
    np.array([1, 1, 0, 0, -1, 0], dtype=np.int32),
    np.array([60, 90, 90, 100, 95, 99], dtype=np.int32),
    np.array([60, 90, 90, 100, 95, 101], dtype=np.int32),
    np.array([2, 1, 1, 1, 1, 1], dtype=np.int32),
)


def test_own_items_worked_out_by_hand() -> None:
    own = OwnItems.of(CODED, 100)
    assert own.row.tolist() == [0, 0]
    assert own.item.tolist() == [0, 1]
    assert own.baskets.tolist() == [1, 3]
    assert own.days.tolist() == [1, 2]
    assert own.first.tolist() == [10, 40]
    assert own.last.tolist() == [10, 10]
    assert own.decayed[1, 1] == pytest.approx(2 * 0.5 + 0.5**0.25)
    assert own.visits[0, 0] == pytest.approx(0.5 ** (40 / 30) + 0.5 ** (10 / 30))
    assert own.since_visit[0] == 10
    assert np.isnan(own.since_visit[1])


def test_what_was_not_known_before_the_day_is_left_out() -> None:
    assert OwnItems.of(CODED, 101).item.tolist() == [0, 1]
    assert OwnItems.of(CODED, 101).baskets.tolist() == [2, 3]
    assert OwnItems.of(CODED, 102).row.tolist() == [0, 0, 1]
    assert OwnItems.of(CODED, 50).row.tolist() == []


def test_a_basket_counts_as_bought_today() -> None:
    own = OwnItems.of(CODED, 100)
    plain = own.matrices(np.array([0, 1]))[0].toarray()
    with_basket = own.matrices(np.array([0, 1]), [np.array([0]), np.array([0])])[0].toarray()
    assert plain[:, 0].tolist() == [np.rint(64 * np.log(2)), 0]
    assert with_basket[:, 0].tolist() == [np.rint(64 * np.log(3)), np.rint(64 * np.log(2))]
    assert np.array_equal(plain[:, 1], with_basket[:, 1])


def test_affinities_add_up_to_the_customers_own_items(collector: Collector) -> None:
    as_of = collector.until
    assortment = collector.assortment(as_of)
    own = OwnItems.of(assortment.items.recode(collector.histories), as_of)
    context = Context.of(own, assortment.items, assortment.collaborative)
    items = assortment.items
    for group in range(len(GROUPS)):
        assert items.part(context.amounts, group).sum() == pytest.approx(own.decayed[:, 2].sum())
        assert items.part(context.kinds, group).sum() == len(own.row)
    blue, red = items.part(context.amounts, 1)[0]
    assert blue == 0 < red
