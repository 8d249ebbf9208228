"""Personal frequency: a customer buys again what they bought often and lately. Cannot name anything new.

Score of an item: sum over the customer's baskets with it of 1/2 to the power age / half-life. Equal scores,
like those of single purchases on one day, rank by the item's popularity.
"""

from __future__ import annotations

import pandas as pd

from training.baselines.purchases import Purchases
from training.recommendation import lists
from training.recommendation.blocks import report_frame
from training.recommendation.context import FREQUENCY

NAME = "personal_frequency"


def report(purchases: Purchases) -> pd.DataFrame:
    """Report frame of the customers of a block, half-life 120 days; no fields of new items."""
    own, block = purchases.own, purchases.block
    chosen, rank = lists.best(own.row, purchases.column, own.decayed[:, FREQUENCY], lists.TOP)
    fields = block.truth.qualities(own.row[chosen], own.item[chosen], rank, "all", block.items)
    columns = {f"{NAME}.{name}": values for name, values in fields.items()}
    return report_frame(block.truth, block.cutoff, columns)
