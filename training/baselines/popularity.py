"""Popularity: everybody is offered what sells best; of new items, what sells best and they never bought.

Score of an item: baskets with it, decayed with a half-life of 28 days (on windows of the sample that ended
by 2017-10-31 the best of 5, 7, 14, 28 and 60 days and of no decay at all).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.baselines.purchases import Purchases

NAME = "popularity"


def report(purchases: Purchases) -> pd.DataFrame:
    """Report frame of the customers of a block."""
    best_first = -np.arange(len(purchases.popular), dtype=np.float64)
    return purchases.report(NAME, lambda rows: np.tile(best_first, (len(rows), 1)))
