from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from training.baselines import tifuknn
from training.baselines.purchases import Purchases
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]


def test_weights_of_baskets_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tifuknn, "WITHIN", 0.5)
    # Customer 0: five baskets in two groups of 2 (older) and 3. Customer 1: one basket, one group.
    found = tifuknn.weights(np.array([0, 0, 0, 0, 0, 1]), groups=2)
    older, newer = 0.9 / 2 / 2, 1 / 3 / 2
    expected = [older * 0.5, older, newer * 0.25, newer * 0.5, newer, 1.0]
    assert found == pytest.approx(expected)
    # Fewer baskets than groups: one in each.
    assert tifuknn.weights(np.zeros(3, int), groups=9) == pytest.approx([0.81 / 3, 0.9 / 3, 1 / 3])


def test_a_basket_past_midnight_holds_an_item_once(market: Market) -> None:
    block, collector = market([[3, 3, 4], [3, 4]])
    ledger = collector.ledger
    assert ledger.customer.tolist() == [0, 0, 0, 1, 1]
    # The older two lines of customer 0, items 4 and 3, are one basket, then so are all three.
    for basket, expected in (([0, 0, 1, 2, 3], [[1.9 / 2, 0.9 / 2]]), ([0, 0, 0, 2, 3], [[1, 1]])):
        one = replace(collector, ledger=replace(ledger, basket=np.array(basket)))
        read = Purchases.of(block, one)
        vectors = tifuknn.profiles(read).toarray()[:, np.argsort(read.popular)]
        assert vectors[:1] == pytest.approx(np.array(expected))


def test_scores_mix_own_and_nearest_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tifuknn, "NEIGHBOURS", 2)
    vectors = np.array([[1.0, 0, 0, 0], [1, 0.1, 0, 0], [0.9, 0, 0.2, 0], [0, 0, 0, 1]])
    found = tifuknn.scores(sparse.csr_matrix(vectors), np.array([0, 3]), np.arange(4))
    assert found[0] == pytest.approx([0.5 + 0.475, 0.025, 0.05, 0])
    # The nearest two of the last are found by the shorter distance: customers 2 and 0.
    assert found[1] == pytest.approx([0.475, 0, 0.05, 0.5])


def test_a_lonely_customer_has_their_own_items(market: Market, buying_next: BuyingNext) -> None:
    block, collector = market([[0, 1, 1]])
    frame = tifuknn.report(Purchases.of(buying_next(block, [1]), collector))
    assert frame["tifuknn.ndcg10_b_all"].tolist() == [1.0]


def test_the_report_offers_what_like_customers_have(
    market: Market, buying_next: BuyingNext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tifuknn, "NEIGHBOURS", 4)
    block, collector = market([[0, 1], *[[0, 1, 2]] * 4, *[[3, 4, 5]] * 6])
    frame = tifuknn.report(Purchases.of(buying_next(block, [2]), collector))
    assert frame["tifuknn.ndcg10_b_all"].tolist() == pytest.approx([0.5])
    assert frame["tifuknn.ndcg10_b_new"].tolist() == [1.0]
