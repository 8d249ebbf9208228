"""Personal frequency: a customer buys again what they bought often and lately. Cannot name anything new.

Score of an item: sum over the customer's baskets with it of 1/2 to the power age / half-life. Equal scores,
like those of single purchases on one day, rank by the item's popularity.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.recommendation import lists
from training.recommendation.context import FREQUENCY, OwnItems
from training.recommendation.examples import Block, Collector, report_frame

NAME = "personal_frequency"


def report(block: Block, collector: Collector) -> pd.DataFrame:
    """Report frame of the customers of a block, half-life 120 days; no fields of new items."""
    items = collector.assortment(block.cutoff).items
    customers = np.searchsorted(collector.ledger.customers, block.truth.customer_id)
    own = OwnItems.of(items.recode(collector.histories).take(customers), block.cutoff)
    sold = np.empty(len(items), dtype=np.int64)
    sold[items.popular] = np.arange(len(items))
    chosen, rank = lists.best(own.row, sold[own.item], own.decayed[:, FREQUENCY], lists.TOP)
    fields = block.truth.qualities(own.row[chosen], own.item[chosen], rank, "all", block.items)
    columns = {f"{NAME}.{name}": values for name, values in fields.items()}
    return report_frame(block.truth, block.cutoff, columns)
