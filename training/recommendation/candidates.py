"""The items worth ranking for each customer: those they buy, those similar customers buy, those that sell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.recommendation.context import FREQUENCY, Context
from training.recommendation.grouping import distinct, places
from training.recommendation.items import Items

COVERED = 8000
OWN = 100
COLLABORATIVE = (150, 60)
POPULAR = 40


@dataclass(frozen=True)
class Candidates:
    """Pairs of customer and item, ascending, each once.

    Attributes:
        row: place of the customer in the context.
        item: code of the item.
        entry: place of the pair among the customer's own items, -1 when never bought.
    """

    row: NDArray[np.int64]
    item: NDArray[np.int64]
    entry: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


def covered(items: Items) -> NDArray[np.int64]:
    """Codes of the best selling items, which have collaborative scores; ascending."""
    return np.sort(items.popular[:COVERED])


def choose(context: Context, items: Items, covered: NDArray[np.int64]) -> Candidates:
    """Own items by decayed frequency, others by collaborative score, and what sells best."""
    own, size = context.own, len(items)
    everyone = np.arange(own.customers)
    frequent = _best(own.row, own.decayed[:, FREQUENCY], OWN)
    keys = [own.row[frequent] * size + own.item[frequent]]
    popular = items.popular[:POPULAR]
    keys.append((everyone[:, np.newaxis] * size + popular).ravel())
    place = np.full(size, -1)
    place[covered] = np.arange(len(covered))
    bought = place[own.item] >= 0
    for scores, wanted in zip(context.scores, COLLABORATIVE, strict=True):
        open_scores = scores.copy()
        open_scores[own.row[bought], place[own.item[bought]]] = -np.inf
        count = min(wanted, len(covered))
        if count:
            top = np.argpartition(-open_scores, count - 1, axis=1)[:, :count]
            keys.append((everyone[:, np.newaxis] * size + covered[top]).ravel())
    key = distinct(np.concatenate(keys))
    entry = places(own.row * size + own.item, key)
    return Candidates(key // max(1, size), key % max(1, size), entry)


def _best(row: NDArray[np.int64], value: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of the `count` largest values of each row; ties go to the earlier place."""
    order = np.lexsort((-value, row))
    ordered = row[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < count]
