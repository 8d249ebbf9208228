"""Popularity: everybody is offered what sells best; of new items, what sells best and they never bought.

Score of an item: baskets with it, decayed with a half-life of 28 days (on windows of the sample that ended
by 2017-10-31 the best of 5, 7, 14, 28 and 60 days and of no decay at all).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.recommendation import lists
from training.recommendation.context import OwnItems
from training.recommendation.examples import Block, Collector, report_frame

NAME = "popularity"


def report(block: Block, collector: Collector) -> pd.DataFrame:
    """Report frame of the customers of a block."""
    items = collector.assortment(block.cutoff).items
    customers = np.searchsorted(collector.ledger.customers, block.truth.customer_id)
    own = OwnItems.of(items.recode(collector.histories).take(customers), block.cutoff)
    place = np.empty(len(items), dtype=np.int64)
    place[items.popular] = np.arange(len(items))
    # An item owned is skipped; with as many places as the largest number owned of them, ten always remain.
    owned = np.bincount(own.row, minlength=len(customers))
    columns: dict[str, NDArray[np.float64]] = {}
    for kind in lists.KINDS:
        depth = min(len(items), lists.TOP + (int(owned.max(initial=0)) if kind == "new" else 0))
        key = (np.arange(len(customers))[:, np.newaxis] * len(items) + items.popular[:depth]).ravel()
        if kind == "new":
            key = key[~np.isin(key, own.row * len(items) + own.item)]
        row, item = key // max(1, len(items)), key % max(1, len(items))
        chosen, rank = lists.best(row, item, -place[item], lists.TOP)
        fields = block.truth.qualities(row[chosen], item[chosen], rank, kind, block.items)
        columns |= {f"{NAME}.{name}": values for name, values in fields.items()}
    return report_frame(block.truth, block.cutoff, columns)
