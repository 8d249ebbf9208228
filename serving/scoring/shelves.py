"""What each store sells: the products that it sold in the eight weeks before a day, in how many baskets.

Nobody tells which products a store carries, but what has not been sold there for eight weeks is not there to
be offered. A line without a quantity is one piece, one without a basket is part of the basket of its day, as
everywhere; returns do not count. A posted event is on the shelf once it has been ingested.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical
from features.errors import unknown
from training.recommendation.grouping import places
from training.recommendation.histories import coded, fetch

DAYS: Final = 56
KEPT: Final = 4

_LINES = """
CREATE TEMP TABLE line AS
SELECT DISTINCT coalesce(store_id, '') AS store_id, product_id, customer_id,
       coalesce(basket_id, 'day ' || day) AS basket_id
FROM transactions WHERE day >= {first} AND product_id IS NOT NULL AND coalesce(quantity, 1) > 0
"""
_SOLD = "SELECT store_id, product_id, count(*) AS baskets FROM line GROUP BY ALL ORDER BY ALL"
_BASKETS = "SELECT store_id, count(DISTINCT (customer_id, basket_id)) FROM line GROUP BY ALL"


@dataclass(frozen=True)
class Shelf:
    """What one store sold, or all stores together.

    Attributes:
        baskets: baskets with any product.
        sold: baskets with each of n items, int64[n].
    """

    baskets: int
    sold: NDArray[np.int64]

    @property
    def stocked(self) -> NDArray[np.bool_]:
        """The items that can be had there, bool[n]."""
        return self.sold > 0

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the baskets that hold each item, float64[n]."""
        return self.sold / max(1, self.baskets)

    def rank(self, sold: NDArray[np.int64]) -> NDArray[np.int64]:
        """Place among the best selling of what is in so many baskets, from 1."""
        place: NDArray[np.int64] = 1 + len(self._ordered) - self._ordered.searchsorted(sold, "right")
        return place

    @cached_property
    def _ordered(self) -> NDArray[np.int64]:
        """What the items that were sold at all sold, ascending."""
        return np.sort(self.sold[self.sold > 0])


@dataclass(frozen=True)
class Shelves:
    """The shelves of all stores as of a day, for n items.

    Attributes:
        everywhere: all stores together, and sales of no store.
        place: by store with a sale in the eight weeks, its place in `start` and `baskets`.
        start: first row of each store in `item` and `sold`, and the end, int64[s + 1].
        item: code of the item of each row.
        sold: the store's baskets with it.
        baskets: each store's baskets with any product, int64[s].
        known: every store that the tables name.
    """

    everywhere: Shelf
    place: Mapping[str, int]
    start: NDArray[np.int64]
    item: NDArray[np.int32]
    sold: NDArray[np.int32]
    baskets: NDArray[np.int64]
    known: frozenset[str]

    @classmethod
    def at(cls, canonical: Canonical, items: NDArray[np.str_], as_of: int) -> Shelves:
        """As of a day, from what was known before it.

        Args:
            canonical: the tables.
            items: product ids, ascending.
            as_of: the day.
        """
        with closing(canonical.connect(until=as_of)) as connection:
            connection.execute(_LINES.format(first=as_of - DAYS))
            rows = fetch(connection, _SOLD)
            totals: dict[str, int] = dict(connection.execute(_BASKETS).fetchall())
            named = "SELECT DISTINCT store_id FROM {} WHERE store_id IS NOT NULL"
            tables = ["transactions", *(["stores"] if canonical.has("stores") else [])]
            known = {row[0] for table in tables for row in connection.execute(named.format(table)).fetchall()}
        store, stores = coded(rows["store_id"])
        product, products = coded(rows["product_id"])
        item = places(items, products)[product]
        kept = (item >= 0) & (stores[store] != "") if len(stores) else item >= 0
        counts = np.bincount(item[item >= 0], rows["baskets"][item >= 0], len(items)).astype(np.int64)
        return cls(
            everywhere=Shelf(sum(totals.values()), counts),
            place={str(name): at for at, name in enumerate(stores) if name},
            start=np.searchsorted(store[kept], np.arange(len(stores) + 1)),
            item=item[kept].astype(np.int32),
            sold=rows["baskets"][kept].astype(np.int32),
            baskets=np.array([totals[name] for name in stores], dtype=np.int64),
            known=frozenset(known),
        )

    def of(self, store: str | None) -> Shelf:
        """The shelf of a store, an empty one if it sold nothing in the eight weeks; None: of all together.

        Raises:
            UserError: the tables name no such store.
        """
        if store is None:
            return self.everywhere
        if store not in self.known:
            raise unknown("store", store, self.known)
        sold = np.zeros(len(self.everywhere.sold), dtype=np.int64)
        if store not in self.place:
            return Shelf(0, sold)
        at = self.place[store]
        rows = slice(self.start[at], self.start[at + 1])
        sold[self.item[rows]] = self.sold[rows]
        return Shelf(int(self.baskets[at]), sold)


class Shelved:
    """The shelves of some tables by as-of, each found when it is first asked for; the last few are kept.

    Args:
        canonical: the tables.
        items: product ids, ascending.
    """

    def __init__(self, canonical: Canonical, items: NDArray[np.str_]) -> None:
        self._canonical = canonical
        self._items = items
        self._kept: OrderedDict[int, Shelves] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, as_of: int) -> Shelves:
        """The shelves as of a day, or of the last that the tables cover."""
        day = min(as_of, self._canonical.clock_day)
        with self._lock:
            if day not in self._kept:
                self._kept[day] = Shelves.at(self._canonical, self._items, day)
            self._kept.move_to_end(day)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[day]
