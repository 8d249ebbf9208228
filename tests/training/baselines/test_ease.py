from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from training.baselines import ease, purchases
from training.baselines.ease import Ease
from training.baselines.purchases import Purchases
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]


def weights(rows: np.ndarray, penalty: float) -> np.ndarray:
    """B by the inverse of the item-item matrix, as the paper has it."""
    inverse = np.linalg.inv(rows.T @ rows + penalty * np.eye(rows.shape[1]))
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0.0)
    return found


def test_two_items_worked_out_by_hand() -> None:
    # X'X + I = [[3, 1], [1, 3]], its inverse [[3, -1], [-1, 3]] / 8: B = [[0, 1/3], [1/3, 0]].
    rows = sparse.csr_matrix([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert Ease.fit(rows, 1.0).scores(rows) == pytest.approx(np.array([[1, 1], [0, 1], [1, 0]]) / 3)


@pytest.mark.parametrize("shape", [(7, 30), (30, 7), (1, 3)])
def test_the_inverse_over_customers_is_the_inverse_over_items(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ease, "CHUNK", 4)
    draw = np.random.default_rng(3)
    rows = draw.poisson(0.6, shape) * draw.random(shape)
    others = draw.random((2, shape[1]))
    for penalty in (0.5, 500.0):
        model = Ease.fit(sparse.csr_matrix(rows), penalty)
        for asked in (rows, others):
            found = model.scores(sparse.csr_matrix(asked))
            assert found == pytest.approx(asked @ weights(rows, penalty), rel=1e-9, abs=1e-12)


def test_the_report_offers_what_goes_with_what_one_has(
    market: Market, buying_next: BuyingNext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purchases, "CHUNK", 2)
    # Items 0, 1 and 2 go together, and so do 3, 4 and 5; customer 0 has only begun.
    block, collector = market([[0, 1], *[[0, 1, 2]] * 4, *[[3, 4, 5]] * 6])
    frame = ease.report(Purchases.of(buying_next(block, [2]), collector))
    assert frame["ease.ndcg10_b_new"].tolist() == [1.0]
    # An item does not speak for itself: two speak for item 2, one for each of the others.
    assert frame["ease.ndcg10_b_all"].tolist() == [1.0]
