from __future__ import annotations

from dataclasses import fields

import numpy as np

from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation.beforehand import Beforehand, Bought
from training.recommendation.context import OwnItems
from training.recommendation.histories import Histories
from training.recommendation.recommender import Recommender, recommend


def known(fitted: Fitted, histories: Histories, day: int) -> list[Beforehand | None]:
    found: list[Beforehand | None] = []
    recommend(fitted, histories, day, ahead=found)
    return found


def test_what_is_packed_is_unpacked_to_the_last_bit(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    for one in known(fitted, histories, shop.until):
        assert one is not None
        packed = one.pack()
        assert len(packed) % 8 == 0
        again = Beforehand.unpack(packed)
        for field in fields(Beforehand):
            kept, made = getattr(one, field.name), getattr(again, field.name)
            assert kept.dtype == made.dtype, field.name
            assert np.array_equal(kept, made, equal_nan=kept.dtype.kind == "f"), field.name


def test_what_is_kept_is_the_list_of_new_items_without_a_basket(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    answer = recommend(fitted, histories, shop.until, 3, kinds=["new"])
    products = fitted.arrays["item_product_id"]
    for row, one in enumerate(known(fitted, histories, shop.until)):
        assert one is not None
        scores = dict(zip(products[one.listed].tolist(), one.score.tolist(), strict=True))
        part = answer.of(row, "new")
        assert all(
            scores[product] == score
            for product, score in zip(answer.product_id[part].tolist(), answer.score[part], strict=True)
        )


def test_of_a_stranger_nothing_is_known(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    some = known(fitted, histories.select(["c00", "stranger", "c01"]), shop.until)
    assert [one is None for one in some] == [False, True, False]
    # Before the first purchase everybody is one.
    assert known(fitted, histories.select(["c00"]), int(histories.day.min())) == [None]


def test_purchases_are_counted_as_everywhere(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    items = Recommender.of(fitted).assortment.items
    for day in (shop.until, shop.until - 100):
        for row in range(0, len(histories), 7):
            coded = items.recode(histories).slice(row, row + 1)
            own, bought = OwnItems.of(coded, day), Bought.of(coded, day)
            item, baskets = bought.items()
            assert np.array_equal(item, own.item)
            assert np.array_equal(baskets, own.baskets)
            assert np.array_equal(np.column_stack(bought.graded(item)), own.graded)
            absent = np.setdiff1d(np.arange(len(items)), item)[:2]
            assert not np.any(bought.graded(absent))
