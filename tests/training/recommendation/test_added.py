from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation import added, candidates
from training.recommendation.added import Added
from training.recommendation.beforehand import Beforehand, Bought
from training.recommendation.grouping import places
from training.recommendation.histories import Histories
from training.recommendation.lists import RULES
from training.recommendation.recommender import Recommender, recommend

BASKETS = ([], ["red03"], ["blue05", "red01"], ["blue00", "blue09", "red02", "red13"], ["no item"])


@pytest.fixture
def fresh(fitted: Fitted) -> Fitted:
    """The model as another object, of which nothing has been made ready."""
    return replace(fitted)


def compared(fitted: Fitted, histories: Histories, day: int) -> int:
    """Lists with what is known beforehand beside those without; how many differ from an empty basket's."""
    ready, known = Recommender.of(fitted), list[Beforehand | None]()
    items = ready.assortment.items
    recommend(fitted, histories, day, ahead=known)
    draw, plain, moved = np.random.default_rng(1), None, 0
    for row, before in enumerate(known):
        one = histories.slice(row, row + 1)
        bought = Bought.of(items.recode(one), day)
        for stocked in (None, draw.random(len(items)) < 0.3, draw.random(len(items)) < 0.9):
            for basket in BASKETS:
                expected = recommend(fitted, one, day, 5, kinds=["new"], basket=basket, stocked=stocked)
                assert before is not None
                model = ready.assortment, ready.boosters, ready.line
                found = added.add(*model, before, bought, items.among(basket), 5, stocked, RULES)
                assert items.product_id[found.item].tolist() == expected.product_id.tolist()
                assert found.score.tolist() == expected.score.tolist()
                because = [str(items.product_id[item]) if item >= 0 else "" for item in found.because]
                assert because == expected.because.tolist()
                plain = expected.score.tolist() if not basket else plain
                moved += expected.score.tolist() != plain
    return moved


def test_a_list_is_the_same_as_with_nothing_known(
    fresh: Fitted, histories: Histories, shop: Snapshots
) -> None:
    """The shop has so few items that all of them are candidates."""
    assert compared(fresh, histories.slice(0, 20), shop.until) > 0


def test_candidates_are_what_the_basket_speaks_most_for_and_the_likeliest_without_it(
    fresh: Fitted, histories: Histories, shop: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(added, "CANDIDATES", 6)
    monkeypatch.setattr(added, "BROUGHT", 2)
    ready, seen = Recommender.of(fresh), set[int]()
    items, (factors, _) = ready.assortment.items, ready.assortment.collaborative.factors
    covered = ready.assortment.collaborative.covered
    basket = items.among(["red01", "blue05"])
    for row in range(20):
        one = histories.slice(row, row + 1)
        before, bought = ready.beforehand(one, shop.until), Bought.of(items.recode(one), shop.until)
        assert before is not None
        held = places(covered, basket)
        graded = bought.graded(basket)[0]
        more = np.rint(64 * np.log1p(graded + 1)) - np.rint(64 * np.log1p(graded))
        speaks = more @ factors.contributions(np.arange(len(covered)), held)
        new = np.flatnonzero((speaks > 0) & ~np.isin(covered, np.concatenate([bought.item, basket])))
        brought = covered[new[np.argsort(-speaks[new])[:2]]]
        listed = np.isin(before.listed, brought, invert=True)
        order = np.argsort(-before.score[listed])[: 6 - len(brought)]
        expected = {*brought.tolist(), *before.listed[listed][order].tolist()}
        found, inputs = Added.of(ready.assortment, before, bought, basket).candidates(None)
        assert set(found.tolist()) == expected
        assert len(inputs) == len(found)
        assert found.tolist() == sorted(found.tolist())
        seen.add(len(brought))
    assert 2 in seen


def test_a_stores_candidates_are_the_best_of_each_source_with_the_basket(
    fresh: Fitted, histories: Histories, shop: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (candidates, added):
        monkeypatch.setattr(module, "COLLABORATIVE", (3, 2))
    for name in ("TYPES", "LINES", "POPULAR", "TRIED"):
        monkeypatch.setattr(candidates, name, 1)
    ready = Recommender.of(fresh)
    items, draw, fewer = ready.assortment.items, np.random.default_rng(2), 0
    for row in range(20):
        one = histories.slice(row, row + 1)
        before, bought = ready.beforehand(one, shop.until), Bought.of(items.recode(one), shop.until)
        assert before is not None
        for share in (0.3, 0.9):
            stocked = draw.random(len(items)) < share
            for basket in (items.among(names) for names in BASKETS):
                _, expected, _ = ready.assortment.describe(
                    items.recode(one), shop.until, [basket], stocked, new_only=True
                )
                found, _ = Added.of(ready.assortment, before, bought, basket).candidates(stocked)
                assert found.tolist() == expected.item.tolist()
                fewer += len(found) < stocked.sum() - np.isin(np.flatnonzero(stocked), bought.item).sum()
    assert fewer > 0
