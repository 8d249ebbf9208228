"""A market of fourteen items in which who bought what, and when, is written down in the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from features.labels import LabelDefinitions, RecommendationLabel
from tests.training.recommendation.conftest import no_stores
from training.recommendation.blocks import Block, Truth
from training.recommendation.examples import COMPLETE, Collector
from training.recommendation.ledger import Ledger

T = 1000


def shop(bought_last: list[list[int]]) -> tuple[Block, Collector]:
    """Customers 0, 1, ... who bought these items, one basket each, 1, 2, 3, ... days before T."""
    rows = [
        (who, item, T - 1 - back) for who, items in enumerate(bought_last) for back, item in enumerate(items)
    ]
    customer, product, day = (np.array(column, dtype=np.int32) for column in zip(*rows, strict=True))
    order = np.lexsort((day, customer))
    customer, product, day = customer[order], product[order], day[order]
    label = RecommendationLabel(minimum_item_baskets=1, minimum_customer_baskets=1)
    ledger = Ledger(
        replace(LabelDefinitions(), recommendation=label),
        np.array([f"c{who}" for who in range(len(bought_last))]),
        np.array([f"p{item:02d}" for item in range(14)]),
        np.full((14, 3), ""),
        np.full((14, 2), ""),
        np.ones(14, dtype=np.bool_),
        customer,
        product,
        np.arange(len(rows)),
        day,
        day,
        np.full(len(rows), 100),
        np.zeros(len(rows), dtype=np.bool_),
        *no_stores(len(rows), len(bought_last)),
    )
    collector = Collector(ledger, T)
    block = collector.block(T, COMPLETE)
    return block, collector


def wanting(block: Block, items: list[int]) -> Block:
    """The block with a future in which customer 0 buys these items, all new to them, in one basket."""
    some = np.zeros(len(block.truth.customer_id))
    some[0] = len(items)
    sizes = {(target, kind): some for target in ("a", "b") for kind in ("all", "new")}
    pairs, first = np.array(sorted(items)), np.ones(len(items), dtype=np.bool_)
    return replace(block, truth=Truth(block.truth.customer_id, sizes, pairs, first))


@pytest.fixture
def market() -> Callable[[list[list[int]]], tuple[Block, Collector]]:
    return shop


@pytest.fixture
def buying_next() -> Callable[[Block, list[int]], Block]:
    return wanting
