"""TIFUKNN: a customer's frequent items, mixed with those of the customers most like them.

Hu, He, Gao and Zhang 2020, "Modeling personalized item frequency information for next-basket
recommendation" (SIGIR), with 300 neighbours, 14 groups, decays 1 within and .9 between groups, and a share
of .5. A customer's baskets are cut, in time order, into groups of equal numbers; a customer with fewer
baskets than groups has one in each. A group's vector is the mean of its baskets, each weighted by the first
decay to the power of the later baskets in the group; the customer's vector u is the mean of the groups',
weighted in the same way by the second. Scores: share x u + (1 - share) x mean u of the nearest customers, by
Euclidean distance, the customer left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from training.baselines.purchases import Purchases
from training.recommendation.grouping import changes

NAME = "tifuknn"
NEIGHBOURS, GROUPS, WITHIN, BETWEEN, SHARE = 300, 14, 1.0, 0.9, 0.5

Floats = NDArray[np.float64]


def report(purchases: Purchases) -> pd.DataFrame:
    """Report frame of the customers of a block."""
    vectors = profiles(purchases)
    fitted = purchases.fitted
    return purchases.report(NAME, lambda rows: scores(vectors, rows, fitted))


def profiles(purchases: Purchases) -> sparse.csr_matrix:
    """The vectors u of all customers (customers x items)."""
    row, column = purchases.line.T
    fresh = changes(purchases.basket)
    basket = np.cumsum(fresh) - 1
    weight = weights(row[fresh])[basket]
    # A basket that lasts past midnight has a line of an item on each day, and holds the item once.
    order = np.lexsort((column, basket))
    kept = order[changes(basket[order], column[order])]
    return sparse.csr_matrix((weight[kept], (row[kept], column[kept])), shape=purchases.shape)


def weights(customer: NDArray[np.int64], groups: int = GROUPS) -> Floats:
    """The weight of each basket in its customer's vector.

    Args:
        customer: whose basket it is, 0, 1, ..., ascending; one's baskets in time order.
        groups: how many groups baskets are cut into.
    """
    baskets = np.bincount(customer)
    later = np.cumsum(baskets)[customer] - 1 - np.arange(len(customer))
    parts = np.minimum(groups, baskets)[customer]
    group = later * parts // baskets[customer]
    start = np.flatnonzero(changes(customer, group))
    size = np.diff(np.append(start, len(group)))
    within = np.repeat(np.append(start[1:], len(group))[: len(start)], size) - 1 - np.arange(len(group))
    found: Floats = WITHIN**within * BETWEEN**group / (np.repeat(size, size) * parts)
    return found


def scores(vectors: sparse.csr_matrix, rows: NDArray[np.int64], fitted: NDArray[np.int64]) -> Floats:
    """Scores of every item for some customers (rows x items), their neighbours sought among the fitted."""
    own, others = vectors[rows], vectors[fitted]
    length = np.asarray(others.multiply(others).sum(axis=1)).ravel()
    distance = length - 2.0 * (own @ others.T).toarray()
    distance[rows[:, np.newaxis] == fitted] = np.inf
    count = min(NEIGHBOURS, len(fitted) - 1)
    near = np.argpartition(distance, max(0, count - 1), axis=1)[:, :count]
    start = np.arange(len(rows) + 1) * count
    share = np.full(near.size, (1.0 - SHARE) / max(1, count))
    neighbours = sparse.csr_matrix((share, near.ravel(), start), (len(rows), len(fitted)))
    found: Floats = (own * SHARE + neighbours @ others).toarray()
    return found
