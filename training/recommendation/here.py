"""What sells best where the customer shops: the source of candidates "here".

A customer's store is the one with most baskets, as of the day and as far as known then, each counting half
after 120 days; of equal ones the first by id. A store's items are ranked by baskets that count half after 28
days. Both are point in time: the stores' lists are of the assortment's day, as all that is known of items is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation import lists
from training.recommendation.decay import Decay
from training.recommendation.grouping import counted, distinct, places
from training.recommendation.histories import Histories
from training.recommendation.ledger import Ledger

LISTED = 40
SOLD = Decay(28)
VISITED = Decay(120)


@dataclass(frozen=True)
class Here:
    """The best selling items of s stores.

    Attributes:
        stores: ids, ascending.
        best: codes of items, best first, -1 where a store has sold fewer (s x LISTED).
    """

    stores: NDArray[np.str_]
    best: NDArray[np.int32]

    @classmethod
    def at(cls, ledger: Ledger, products: NDArray[np.int64], as_of: int) -> Here:
        """As of a day, from what was known before it.

        Args:
            ledger: purchases.
            products: codes of the products that are items then, ascending.
            as_of: the day.
        """
        size = max(1, len(products))
        place = np.full(len(ledger.products), -1)
        place[products] = np.arange(len(products))
        lines = np.flatnonzero(ledger.before(as_of) & (place[ledger.product] >= 0) & (ledger.store >= 0))
        stores = distinct(ledger.store[lines].astype(np.int64))
        key = places(stores, ledger.store[lines]) * size + place[ledger.product[lines]]
        pairs = distinct(key)
        sold = counted(places(pairs, key), SOLD(as_of - ledger.day[lines]), len(pairs))
        chosen, rank = lists.best(pairs // size, pairs % size, sold, LISTED)
        best = np.full((len(stores), LISTED), -1, dtype=np.int32)
        best[pairs[chosen] // size, rank] = pairs[chosen] % size
        return cls(ledger.stores[stores], best)

    def lists(self, histories: Histories, as_of: int) -> NDArray[np.int64]:
        """Items of each customer's store, -1 where there are no more (n x LISTED)."""
        visits, size = histories.stores, len(self.stores)
        if visits is None or not size:
            return np.full((len(histories), LISTED), -1)
        row = np.repeat(np.arange(len(visits)), np.diff(visits.start))
        store = places(self.stores, visits.products)[visits.product]
        seen = (visits.day < as_of) & (visits.known_day < as_of) & (store >= 0)
        weight = VISITED(as_of - visits.day[seen]) * visits.baskets[seen]
        amount = counted(row[seen] * size + store[seen], weight, len(visits) * size)
        amount = amount.reshape(len(visits), size)
        home = amount.argmax(axis=1)
        found = amount[np.arange(len(visits)), home] > 0
        return np.where(found[:, np.newaxis], self.best[home], -1).astype(np.int64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a model's artifact."""
        return {"here_stores": self.stores, "here_best": self.best}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Here:
        """From a model's artifact."""
        return cls(arrays["here_stores"], arrays["here_best"])
