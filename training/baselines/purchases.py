"""What the baselines of recommendation read, and the lists that their scores make.

Items are columns of a matrix from the best selling down: of equal scores the more popular item comes first.
Scores are worked out for a chunk of customers at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from training.recommendation import lists
from training.recommendation.blocks import Block, report_frame
from training.recommendation.context import OwnItems
from training.recommendation.examples import Collector
from training.recommendation.grouping import places

CHUNK = 128
# Fits compare every customer with every other: beyond so many they read every second, third, ... one.
LARGEST_FIT = 4000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Purchases:
    """What n customers bought of m items before a cutoff.

    Attributes:
        block: the customers, and what they bought afterwards.
        popular: the item in each column, from the best selling down.
        own: distinct items of each customer.
        column: column of each entry of `own`.
        line: customer and column of each purchased line, those of a basket side by side (lines x 2).
        basket: number of the line's basket, ascending with customer and time.
    """

    block: Block
    popular: NDArray[np.int64]
    own: OwnItems
    column: NDArray[np.int64]
    line: NDArray[np.int64]
    basket: NDArray[np.int64]

    @classmethod
    def of(cls, block: Block, collector: Collector) -> Purchases:
        """Of the customers of a block, as known at its cutoff."""
        ledger, items = collector.ledger, collector.assortment(block.cutoff).items
        customers = places(ledger.customers, block.truth.customer_id)
        own = OwnItems.of(items.recode(collector.histories).take(customers), block.cutoff)
        column = np.empty(len(items), dtype=np.int64)
        column[items.popular] = np.arange(len(items))
        lines = np.flatnonzero(ledger.before(block.cutoff))
        item = items.codes(ledger.products)[ledger.product[lines]]
        row = places(customers, ledger.customer[lines])
        kept = (item >= 0) & (row >= 0)
        line = np.stack([row[kept], column[item[kept]]], axis=1)
        return cls(block, items.popular, own, column[own.item], line, ledger.basket[lines[kept]])

    @property
    def shape(self) -> tuple[int, int]:
        """Customers and items."""
        return self.own.customers, len(self.popular)

    def matrix(self, values: NDArray[Any]) -> sparse.csr_matrix:
        """Values of the entries of `own` as customers x items."""
        return sparse.csr_matrix((values, (self.own.row, self.column)), shape=self.shape)

    def logarithms(self) -> sparse.csr_matrix:
        """log(1 + baskets), customers x items."""
        return self.matrix(np.log1p(self.own.baskets))

    @property
    def fitted(self) -> NDArray[np.int64]:
        """The customers that fits read: all, or an even share of at most LARGEST_FIT."""
        return np.arange(0, self.own.customers, max(1, -(-self.own.customers // LARGEST_FIT)))

    def report(self, name: str, scores: Callable[[NDArray[np.int64]], Floats]) -> pd.DataFrame:
        """Report frame of the lists of all items and of new ones.

        Args:
            name: of the baseline.
            scores: from customers to their scores of every item (customers x m), which may be overwritten.
        """
        owned = self.matrix(np.ones(len(self.column), dtype=np.bool_))
        wanted = np.flatnonzero(self.block.truth.sizes["b", "all"] > 0)
        listed: dict[str, list[NDArray[np.int64]]] = {
            kind: [np.empty((3, 0), dtype=np.int64)] for kind in lists.KINDS
        }
        for first in range(0, len(wanted), CHUNK):
            rows = wanted[first : first + CHUNK]
            values = scores(rows)
            for kind in lists.KINDS:
                if kind == "new":
                    values[owned[rows].nonzero()] = -np.inf
                row, column, rank = top(values)
                listed[kind].append(np.stack([rows[row], self.popular[column], rank]))
        columns: dict[str, Floats] = {}
        for kind, parts in listed.items():
            row, item, rank = np.concatenate(parts, axis=1)
            fields = self.block.truth.qualities(row, item, rank, kind, self.block.items)
            columns |= {f"{name}.{field}": quality for field, quality in fields.items()}
        return report_frame(self.block.truth, self.block.cutoff, columns)


def top(scores: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The ten highest scores of each row as row, column and rank from 0; ties go to the earlier column.

    A score of minus infinity is never listed.
    """
    depth = min(lists.TOP, scores.shape[1])
    if not depth:
        return (np.empty(0, dtype=np.int64),) * 3
    least = np.partition(scores, -depth, axis=1)[:, [-depth]]
    row, column = np.nonzero((scores >= least) & (scores > -np.inf))
    chosen, rank = lists.best(row, column, scores[row, column], lists.TOP)
    return row[chosen], column[chosen], rank
