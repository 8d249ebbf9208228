from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from training.baselines import item_knn
from training.baselines.item_knn import ItemKnn
from training.baselines.purchases import Purchases
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]


def test_three_items_worked_out_by_hand() -> None:
    # Rows of length 1: (.6, .8, 0), (0, .8, .6), (1, 0, 0). Squares of the columns: 1.36, 1.28, .36.
    rows = sparse.csr_matrix([[3.0, 4.0, 0.0], [0.0, 4.0, 3.0], [2.0, 0.0, 0.0]])
    first, last = 0.48 / np.sqrt(1.36 * 1.28), 0.48 / np.sqrt(1.28 * 0.36)
    alike = np.array([[0, first, 0], [first, 0, last], [0, last, 0]])
    assert ItemKnn.fit(rows, 0.0).scores(rows) == pytest.approx(rows.toarray() @ alike)


def test_likeness_is_the_shrunk_cosine_of_other_items() -> None:
    draw = np.random.default_rng(5)
    rows = draw.poisson(0.7, (9, 12)).astype(np.float64)
    rows[4] = 0
    rows[:, 7] = 0
    unit = rows / np.maximum(1e-300, np.linalg.norm(rows, axis=1, keepdims=True))
    for shrinkage in (0.1, 3.0):
        squares = np.diag(unit.T @ unit) + shrinkage
        alike = unit.T @ unit / np.sqrt(np.outer(squares, squares))
        np.fill_diagonal(alike, 0.0)
        found = ItemKnn.fit(sparse.csr_matrix(rows), shrinkage).scores(sparse.csr_matrix(rows))
        kept = np.arange(12) != 7
        assert found[:, kept] == pytest.approx((rows @ alike)[:, kept])
        assert not found[:, 7].any()


def test_the_report_offers_what_goes_with_what_one_has(market: Market, buying_next: BuyingNext) -> None:
    block, collector = market([[0, 1], *[[0, 1, 2]] * 4, *[[3, 4, 5]] * 6])
    frame = item_knn.report(Purchases.of(buying_next(block, [2]), collector))
    assert frame["item_knn.ndcg10_b_new"].tolist() == [1.0]
