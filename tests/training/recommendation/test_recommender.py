from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation import recommender
from training.recommendation.histories import Histories
from training.recommendation.lists import Rules
from training.recommendation.recommender import Recommendations, recommend
from training.registry import flavor


def rows_of(answer: Recommendations, mask: np.ndarray) -> list[tuple[object, ...]]:
    names = [field.name for field in fields(Recommendations) if field.name not in ("known", "row")]
    return list(zip(*(getattr(answer, name)[mask].tolist() for name in names), strict=True))


def same(one: Recommendations, other: Recommendations) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Recommendations))


def test_every_camp_is_offered_its_own_colour(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    answer = recommend(fitted, histories, shop.until, limit=3)
    camp = np.where(answer.row % 2 == 0, "red", "blue")
    listed = answer.kind == "any"
    assert listed.sum() == 3 * 60
    assert all(np.char.startswith(answer.product_id[listed], camp[listed]))
    assert answer.known.all()
    assert "fuel" not in answer.product_id


def test_lists_are_ranked_and_new_ones_hold_nothing_bought(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    answer = recommend(fitted, histories, shop.until)
    customer = np.repeat(np.arange(60), np.diff(histories.start))
    bought = set(zip(customer.tolist(), histories.products[histories.product].tolist(), strict=True))
    for row, product, kind, reason in zip(
        answer.row, answer.product_id, answer.kind, answer.reason, strict=True
    ):
        if kind == "new":
            assert (row, product) not in bought
        assert (reason == "bought_before") == ((row, product) in bought)
    for row in range(60):
        for kind in ("any", "new"):
            part = answer.of(row, kind)
            assert answer.rank[part].tolist() == list(range(1, 1 + len(answer.rank[part])))
            assert (np.diff(answer.score[part]) <= 0).all()
            assert ((answer.score[part] > 0) & (answer.score[part] < 1)).all()


def test_one_customer_at_a_time_and_any_chunking_give_the_same_bits(
    fitted: Fitted, histories: Histories, shop: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = recommend(fitted, histories, shop.until)
    for row in range(0, 60, 7):
        alone = recommend(fitted, histories.slice(row, row + 1), shop.until)
        assert rows_of(alone, np.ones(len(alone), bool)) == rows_of(together, together.row == row)
    monkeypatch.setattr(recommender, "CHUNK", 7)
    assert same(recommend(fitted, histories, shop.until), together)


def test_nothing_at_or_after_the_day_is_read(
    fitted: Fitted, histories: Histories, cut_shop: Snapshots
) -> None:
    cut = Histories.read(cut_shop.connect()).select(histories.customer_id.tolist())
    assert same(recommend(fitted, histories, cut_shop.until), recommend(fitted, cut, cut_shop.until))


def test_a_stranger_gets_what_sells(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    answer = recommend(fitted, histories.select(["c00", "stranger"]), shop.until, limit=5)
    assert answer.known.tolist() == [True, False]
    stranger = answer.row == 1
    priors = fitted.arrays["item_prior"]
    best = fitted.arrays["item_product_id"][np.lexsort((np.arange(len(priors)), -priors))][:5]
    assert answer.product_id[stranger].tolist() == [*best, *best]
    assert set(answer.reason[stranger]) == {"popular"}
    assert answer.score[stranger][0] == priors.max()
    alone = recommend(fitted, histories.select(["other"]), shop.until, limit=5)
    assert rows_of(alone, alone.row == 0) == rows_of(answer, stranger)


def test_excluded_and_basket_products_are_not_listed(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    one = histories.select(["c00"])
    plain = recommend(fitted, one, shop.until, limit=4)
    first = str(plain.product_id[0])
    without = recommend(fitted, one, shop.until, limit=4, exclude=[[first, "no such product"]])
    expected = plain.product_id[plain.of(0, "any")].tolist()[1:]
    assert without.product_id[without.of(0, "any")].tolist()[:3] == expected
    basket = recommend(fitted, one, shop.until, limit=40, basket=["red01", "blue05"])
    assert not {"red01", "blue05"} & set(basket.product_id.tolist())


def test_a_basket_speaks_for_what_goes_with_it(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    """A red customer with a blue basket: of the new (all blue) items some are explained by the basket."""
    red = histories.select(["c00"])
    answer = recommend(fitted, red, shop.until, kinds=["new"], basket=["blue05"])
    assert "blue05" in answer.because
    assert set(answer.kind) == {"new"}


def test_products_the_model_does_not_know_are_ignored(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    renamed = replace(histories, products=np.char.replace(histories.products, "fuel", "from another shop"))
    assert same(recommend(fitted, renamed, shop.until), recommend(fitted, histories, shop.until))


def test_a_saved_model_answers_the_same(
    fitted: Fitted, histories: Histories, shop: Snapshots, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    loaded = flavor.load_model(tmp_path / "model")
    assert same(recommend(loaded, histories, shop.until), recommend(fitted, histories, shop.until))


def test_nobody_asked_for_is_an_empty_answer(fitted: Fitted, histories: Histories, shop: Snapshots) -> None:
    assert len(recommend(fitted, histories.slice(0, 0), shop.until)) == 0


def test_lists_of_what_can_be_had_are_full_and_scored_as_ever(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    products = fitted.arrays["item_product_id"]
    stocked = np.arange(len(products)) % 2 == 0
    whole = recommend(fitted, histories, shop.until, 28, rules=Rules(None, 0.0))
    some = recommend(fitted, histories, shop.until, 28, rules=Rules(None, 0.0), stocked=stocked)
    assert set(some.product_id.tolist()) <= set(products[stocked].tolist())
    had = np.isin(whole.product_id, products[stocked])
    for row in range(0, 60, 9):
        mine = (whole.row == row) & (whole.kind == "any") & had
        part = some.of(row, "any")
        assert sorted(some.product_id[part]) == sorted(whole.product_id[mine])
    short = recommend(fitted, histories, shop.until, 5, stocked=stocked)
    assert np.bincount(short.row[short.kind == "any"]).tolist() == [5] * 60
    nobody = histories.select(["nobody"])
    assert set(recommend(fitted, nobody, shop.until, 28, stocked=stocked).product_id.tolist()) == set(
        products[stocked].tolist()
    )
    assert len(recommend(fitted, histories, shop.until, stocked=np.zeros(len(products), np.bool_))) == 0


def test_new_items_alone_are_the_new_items_beside_all(
    fitted: Fitted, histories: Histories, shop: Snapshots
) -> None:
    both, alone = (recommend(fitted, histories, shop.until, kinds=k) for k in (("any", "new"), ("new",)))
    assert rows_of(alone, alone.kind == "new") == rows_of(both, both.kind == "new")
