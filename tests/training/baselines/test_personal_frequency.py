from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.baselines import personal_frequency
from training.baselines.purchases import Purchases
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]
EVERY = [list(range(14))]


def test_what_was_bought_often_and_lately_comes_first(market: Market, buying_next: BuyingNext) -> None:
    # Item 5 was bought five times, item 9 twice, item 2 once and last; the others by somebody else.
    block, collector = market([[2, 9, 9, *[5] * 5], *EVERY])
    for item, rank in ((5, 1), (9, 2), (2, 3)):
        frame = personal_frequency.report(Purchases.of(buying_next(block, [item]), collector))
        assert frame["personal_frequency.ndcg10_b_all"][0] == pytest.approx(1 / np.log2(rank + 1))
    assert not [name for name in frame if name.endswith("_new")]


def test_half_life_of_120_days(market: Market, buying_next: BuyingNext) -> None:
    # One basket yesterday weighs more than one 121 days ago, and less than three.
    for times, rank in ((1, 2), (3, 1)):
        block, collector = market([[4, *[0] * 119, *[7] * times], *EVERY])
        frame = personal_frequency.report(Purchases.of(buying_next(block, [7]), collector))
        # Item 0 was bought every day between and leads.
        assert frame["personal_frequency.ndcg10_b_all"][0] == pytest.approx(1 / np.log2(rank + 2))


def test_what_a_customer_never_bought_is_not_named(market: Market, buying_next: BuyingNext) -> None:
    block, collector = market([[2, 9], *EVERY])
    frame = personal_frequency.report(Purchases.of(buying_next(block, [13]), collector))
    assert frame["personal_frequency.hit10_b_all"][0] == 0
    assert len(frame) == 1
