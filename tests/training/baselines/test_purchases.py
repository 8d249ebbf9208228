from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.baselines import purchases
from training.baselines.purchases import Purchases, top
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]


def test_columns_are_items_from_the_best_selling_down(market: Market) -> None:
    read = Purchases.of(*market([[5, 5, 2], [5, 2, 9]]))
    # Item 5 sells most, then 2, then 9, which are columns 0, 1, 2 of the three items there are.
    assert read.popular.tolist() == [1, 0, 2]
    assert read.logarithms().toarray() == pytest.approx(np.log1p([[2, 1, 0], [1, 1, 1]]))
    # Lines of a customer in time order: the last of a list was bought first.
    assert read.line.tolist() == [[0, 1], [0, 0], [0, 0], [1, 2], [1, 1], [1, 0]]


def test_lists_are_best_first_and_new_ones_leave_out_what_is_owned(
    market: Market, buying_next: BuyingNext
) -> None:
    block, collector = market([[13, 12], list(range(14))])
    score = np.arange(14.0)

    def scores(rows: np.ndarray) -> np.ndarray:
        assert rows.tolist() == [0], "customers without a target are not scored"
        return score[read.popular][np.newaxis].copy()

    for item, every, new in ((13, 1, None), (12, 2, None), (11, 3, 1), (4, 10, 8), (3, None, 9)):
        read = Purchases.of(buying_next(block, [item]), collector)
        frame = read.report("x", scores)
        for kind, rank in (("all", every), ("new", new)):
            gain = 0.0 if rank is None else 1 / np.log2(rank + 1)
            assert frame[f"x.ndcg10_a_{kind}"].tolist() == pytest.approx([gain]), (item, kind)


def test_ties_go_to_the_earlier_column_and_minus_infinity_is_never_listed() -> None:
    scores = np.array([[0.0, 1.0, 0.0, -np.inf], [-np.inf] * 4])
    row, column, rank = top(scores)
    assert (row.tolist(), column.tolist(), rank.tolist()) == ([0, 0, 0], [1, 0, 2], [0, 1, 2])
    many = np.zeros((2, 30))
    many[1, 29] = 1.0
    assert top(many)[1].tolist() == [*range(10), 29, *range(9)]
    assert not len(top(np.empty((3, 0)))[0])


def test_fits_read_an_even_share_of_many_customers(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Purchases.of(*market([[item % 14] for item in range(10)]))
    assert read.fitted.tolist() == list(range(10))
    monkeypatch.setattr(purchases, "LARGEST_FIT", 4)
    assert read.fitted.tolist() == [0, 3, 6, 9]
