from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation import added, beforehand, candidates, collaborative
from training.recommendation.beforehand import Beforehand, Bought
from training.recommendation.collaborative import Factors
from training.recommendation.histories import Histories
from training.recommendation.lists import RULES
from training.recommendation.recommender import Recommender, recommend

BASKETS = ([], ["red03"], ["blue05", "red01"], ["blue00", "blue09", "red02", "red13"], ["no item"])


@pytest.fixture
def fresh(fitted: Fitted) -> Fitted:
    """The model as another object, of which nothing has been made ready."""
    return replace(fitted)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often scores of all items and of some were asked for."""
    counts: Counter[str] = Counter()
    plain = Factors.scores

    def counted(self: Factors, sums: Any, items: NDArray[Any] | None = None) -> NDArray[np.float64]:
        counts["all" if items is None else "some"] += 1
        return plain(self, sums, items)

    monkeypatch.setattr(Factors, "scores", counted)
    return counts


def compared(fitted: Fitted, histories: Histories, day: int, looked: Counter[str]) -> int:
    """Lists with what is known beforehand beside those without; how many differ from an empty basket's."""
    ready, known = Recommender.of(fitted), list[Beforehand | None]()
    items = ready.assortment.items
    recommend(fitted, histories, day, ahead=known)
    draw, plain, counts, moved = np.random.default_rng(1), None, Counter(looked), 0
    for row, before in enumerate(known):
        one = histories.slice(row, row + 1)
        bought = Bought.of(items.recode(one), day)
        for stocked in (None, draw.random(len(items)) < 0.3, draw.random(len(items)) < 0.9):
            for basket in BASKETS:
                expected = recommend(fitted, one, day, 5, kinds=["new"], basket=basket, stocked=stocked)
                looked.clear()
                assert before is not None
                model = ready.assortment, ready.boosters, ready.line
                found = added.add(*model, before, bought, items.among(basket), 5, stocked, RULES)
                counts.update(looked)
                assert items.product_id[found.item].tolist() == expected.product_id.tolist()
                assert found.score.tolist() == expected.score.tolist()
                because = [str(items.product_id[item]) if item >= 0 else "" for item in found.because]
                assert because == expected.because.tolist()
                plain = expected.score.tolist() if not basket else plain
                moved += expected.score.tolist() != plain
    looked.clear()
    looked.update(counts)
    return moved


def test_a_list_is_the_same_as_with_nothing_known(
    fresh: Fitted, histories: Histories, shop: Snapshots, looked: Counter[str]
) -> None:
    assert compared(fresh, histories.slice(0, 20), shop.until, looked) > 0


def test_the_bound_tells_when_the_kept_items_are_not_enough(
    fresh: Fitted,
    histories: Histories,
    shop: Snapshots,
    looked: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With few items kept some lists need all scores, others do not, and all are the same as ever."""
    monkeypatch.setattr(beforehand, "POOL", (6, 5))
    monkeypatch.setattr(collaborative, "NEAREST", 6)
    for module in (candidates, added):
        monkeypatch.setattr(module, "COLLABORATIVE", (3, 2))
    for name in ("TYPES", "LINES", "POPULAR", "TRIED"):
        monkeypatch.setattr(candidates, name, 1)
    assert compared(fresh, histories.slice(0, 20), shop.until, looked) > 0
    assert looked["all"] > 0
    assert looked["some"] > looked["all"]
