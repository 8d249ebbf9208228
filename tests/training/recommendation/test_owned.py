from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation import owned
from training.recommendation.context import OwnItems
from training.recommendation.examples import Collector
from training.recommendation.histories import Histories
from training.recommendation.items import Items
from training.recommendation.lists import Rules
from training.recommendation.owned import last_share
from training.recommendation.recommender import recommend


def test_usual_gaps_worked_out_by_hand(collector: Collector) -> None:
    """Item 0 lasts and has a gap of 50 days; item 1 is bought again and again."""
    items = collector.assortment(collector.until).items
    repeat, gap = np.full(len(items), 0.9), np.full(len(items), 50.0)
    repeat[0] = 0.05
    items = replace(items, repeat=repeat, gap=gap)
    coded = Histories(
        np.array(["a", "b"]),
        items.product_id,
        np.array([0, 2, 5]),
        np.array([0, 1, 0, 0, 0], dtype=np.int32),
        np.array([90, 90, 40, 60, 80], dtype=np.int32),
        np.array([90, 90, 40, 60, 80], dtype=np.int32),
        np.ones(5, dtype=np.int32),
    )
    share = last_share(OwnItems.of(coded, 100), items)
    # Customer b has a rhythm of its own, 20 days.
    assert share.tolist() == [10 / 50, np.inf, 20 / 20]


def test_the_gap_of_an_item_is_that_of_its_buyers(collector: Collector) -> None:
    items = collector.assortment(collector.until).items
    ledger = collector.ledger
    at = 3
    lines = ledger.products[ledger.product] == items.product_id[at]
    spans, times = items.age[at], 1
    for customer in np.unique(ledger.customer[lines]):
        days = np.unique(ledger.day[lines & (ledger.customer == customer)])
        spans, times = spans + days[-1] - days[0], times + len(days) - 1
    assert items.gap[at] == pytest.approx(spans / times)
    assert isinstance(items, Items)


def test_a_lasting_item_comes_back_when_its_gap_has_passed(
    fitted: Fitted, histories: Histories, shop: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = histories.select(["c00"])

    def listed(rest: float) -> set[str]:
        answer = recommend(fitted, one, shop.until, limit=40, kinds=["any"], rules=Rules(None, rest))
        return {str(name) for name in answer.product_id}

    assert listed(1e9) == listed(0.0), "what is bought again and again never rests"
    monkeypatch.setattr(owned, "LASTING", 1.0)
    assert listed(0.0) - listed(1e9) == {str(name) for name in one.products[one.product]} - {"fuel"}
