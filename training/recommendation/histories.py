"""Purchases of n customers as flat arrays: what a recommendation reads about a customer.

The same type is filled from the customer store (one customer, in the service) and from the canonical
tables (the base, in the batch), so both are scored by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.tiles import relation_sql


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    """The columns of a query's result."""
    return {name: np.asarray(values) for name, values in connection.execute(query).fetchnumpy().items()}


def coded(texts: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.str_]]:
    """Texts as codes into their distinct values, which are in ascending order."""
    codes, values = pd.factorize(np.asarray(texts, dtype=object), sort=True)
    return codes.astype(np.int32), np.asarray(values, dtype=np.str_)


COLUMNS = ("keys", "day", "known_day", "baskets")
NOTHING = np.empty(0, dtype=np.int32)


class StoredBaskets(Protocol):
    """Baskets of one customer by product or by store; `keys` are codes of these."""

    @property
    def keys(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def day(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def known_day(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def baskets(self) -> NDArray[Any]: ...  # noqa: D102


class StoredHistory(Protocol):
    """The part of a customer store's history that is read here."""

    @property
    def customer_id(self) -> str: ...  # noqa: D102
    @property
    def products(self) -> StoredBaskets: ...  # noqa: D102
    @property
    def stores(self) -> StoredBaskets: ...  # noqa: D102


@dataclass(frozen=True)
class Histories:
    """Purchases of n customers, those of one customer side by side.

    Attributes:
        customer_id: n ids.
        products: p product ids that `product` counts in, in any order.
        start: n + 1 offsets into the purchase arrays.
        product: code of the product of each purchase.
        day: local day of the purchase.
        known_day: first day from which it counts is the day after this one.
        baskets: baskets of that day which held the product.
        stores: baskets of the same customers by store, in the same form with stores for products; None: not
            read.
    """

    customer_id: NDArray[np.str_]
    products: NDArray[np.str_]
    start: NDArray[np.int64]
    product: NDArray[np.int32]
    day: NDArray[np.int32]
    known_day: NDArray[np.int32]
    baskets: NDArray[np.int32]
    stores: Histories | None = None

    def __len__(self) -> int:
        return len(self.customer_id)

    def slice(self, first: int, last: int) -> Histories:
        """Customers `first` to `last` (exclusive)."""
        start = self.start[first : last + 1]
        rows = slice(int(start[0]), int(start[-1]))
        return Histories(
            self.customer_id[first:last],
            self.products,
            start - start[0],
            self.product[rows],
            self.day[rows],
            self.known_day[rows],
            self.baskets[rows],
            None if self.stores is None else self.stores.slice(first, last),
        )

    def take(self, places: NDArray[np.int64]) -> Histories:
        """The customers at these places; place -1 is a customer with an empty history."""
        sizes = np.where(places < 0, 0, np.diff(self.start, append=self.start[-1:])[places])
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        rows = np.repeat(self.start[places] - start[:-1], sizes) + np.arange(start[-1])
        return Histories(
            np.append(self.customer_id, "")[places],
            self.products,
            start,
            self.product[rows],
            self.day[rows],
            self.known_day[rows],
            self.baskets[rows],
            None if self.stores is None else self.stores.take(places),
        )

    def select(self, customers: Sequence[str]) -> Histories:
        """These customers, in this order; one without purchases has an empty history."""
        place = {str(name): at for at, name in enumerate(self.customer_id)}
        places = np.array([place.get(name, -1) for name in customers], dtype=np.int64)
        found, ids = self.take(places), np.array(customers, dtype=np.str_)
        stores = None if found.stores is None else replace(found.stores, customer_id=ids)
        return replace(found, customer_id=ids, stores=stores)

    @classmethod
    def of(
        cls,
        stored: Sequence[StoredHistory | None],
        products: NDArray[Any],
        customers: Sequence[str],
        stores: NDArray[Any] | None = None,
    ) -> Histories:
        """From the customer store.

        Args:
            stored: one history per customer, None for a customer it does not know.
            products: the store's product ids by code.
            customers: ids in the order of `stored`.
            stores: the store's store ids by code; None: stores are not read.
        """

        def joined(names: NDArray[Any], parts: Sequence[StoredBaskets | None]) -> Histories:
            known = [part for part in parts if part is not None]
            product, day, known_day, baskets = (
                np.concatenate([NOTHING, *(np.asarray(getattr(part, name), np.int32) for part in known)])
                for name in COLUMNS
            )
            sizes = [0 if part is None else len(part.keys) for part in parts]
            start = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
            ids = np.array(customers, dtype=np.str_)
            return cls(ids, np.asarray(names, dtype=np.str_), start, product, day, known_day, baskets)

        bought = joined(products, [None if history is None else history.products for history in stored])
        if stores is None:
            return bought
        visits = [None if history is None else history.stores for history in stored]
        return replace(bought, stores=joined(stores, visits))

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Histories:
        """From the view `transactions` of a connection: every customer who ever bought a product."""
        bought = cls._read(connection, "purchases", "product_id")
        return replace(bought, stores=cls.read_stores(connection, bought.customer_id))

    @classmethod
    def read_stores(cls, connection: duckdb.DuckDBPyConnection, customers: NDArray[np.str_]) -> Histories:
        """Baskets of these customers by store."""
        return cls._read(connection, "store_baskets", "store_id").select(customers.tolist())

    @classmethod
    def _read(cls, connection: duckdb.DuckDBPyConnection, relation: str, key: str) -> Histories:
        columns = fetch(connection, relation_sql(relation, ()))
        customer, customers = coded(columns["customer_id"])
        product, products = coded(columns[key])
        counts = np.bincount(customer, minlength=len(customers))
        return cls(
            customers,
            products,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            product,
            columns["day"].astype(np.int32),
            columns["known_day"].astype(np.int32),
            columns["baskets"].astype(np.int32),
        )
