from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.baselines import popularity
from training.baselines.purchases import Purchases
from training.recommendation.blocks import Block
from training.recommendation.examples import Collector

Market = Callable[[list[list[int]]], tuple[Block, Collector]]
BuyingNext = Callable[[Block, list[int]], Block]
EVERY = [list(range(14))]


def test_popularity_offers_best_sellers_and_of_new_ones_those_never_bought(
    market: Market, buying_next: BuyingNext
) -> None:
    # Item 13 sells most, then 12; customer 0 owns 13.
    block, collector = market([[13], [13, 12], [13, 12], *EVERY])
    for kind, item, gain in (
        ("all", 13, 1.0),
        ("all", 12, 1 / np.log2(3)),
        ("new", 12, 1.0),
        ("new", 13, 0.0),
    ):
        frame = popularity.report(Purchases.of(buying_next(block, [item]), collector))
        assert frame[f"popularity.ndcg10_b_{kind}"][0] == pytest.approx(gain), (kind, item)
