"""Every purchase line that a run may read, and who and what counts at a cutoff.

The definitions are those of the source's `labels.recommendation`: items are products sold in enough baskets
before the cutoff, customers those with enough baskets of such items; the target is what they buy of them in
the days that follow. A line counts at a cutoff when both its day and the day it became known lie before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from features.labels import LabelDefinitions
from training.recommendation.grouping import changes, counted, distinct, places
from training.recommendation.histories import Histories, coded, fetch

if TYPE_CHECKING:
    from training.datasets import Snapshots

# One row per (basket, product, day), with what was known of it first; baskets are numbered by customer and
# time. A line without quantity is one piece, a line without a basket is part of the basket of its day.
LINES = """
WITH line AS (
    SELECT customer_id, product_id, day, known_day, coalesce(basket_id, 'day ' || day) AS basket_id,
           min(occurred_at) AS occurred_at, CAST(sum(amount_cents) AS BIGINT) AS amount_cents,
           coalesce(sum(discount_cents), 0) > 0 AS discounted, coalesce(min(store_id), '') AS store_id
    FROM transactions
    WHERE product_id IS NOT NULL AND coalesce(quantity, 1) > 0
    GROUP BY ALL
), basket AS (
    SELECT customer_id, basket_id,
           row_number() OVER (ORDER BY customer_id, min(occurred_at), basket_id) - 1 AS basket
    FROM line GROUP BY customer_id, basket_id
)
SELECT customer_id, product_id, day, min(known_day) AS known_day,
       arg_min(store_id, known_day) AS store_id, arg_min(amount_cents, known_day) AS amount_cents,
       arg_min(discounted, known_day) AS discounted, basket
FROM line JOIN basket USING (customer_id, basket_id)
GROUP BY customer_id, product_id, day, basket
ORDER BY basket, product_id, day
"""
LEVELS = ("department", "category", "product_type")
MAKER = ("brand", "manufacturer")


@dataclass(frozen=True)
class Ledger:
    """Purchase lines of a run, ordered by customer, time, basket and product.

    Attributes:
        labels: definitions of items, customers and targets.
        customers: customer ids, ascending; `customer` counts in them.
        products: product ids, ascending; `product` counts in them.
        levels: department, category and product type of each product, '' when not known (p x 3).
        maker: brand and manufacturer of each product, '' when not known (p x 2).
        allowed: products that may be items at all.
        customer: who bought.
        product: what.
        basket: number of the basket, ascending with customer and time.
        day: when, local day.
        known_day: local day on which the line arrived.
        amount_cents: paid.
        discounted: whether less was asked than usual.
        stores: store ids, ascending; `store` counts in them.
        store: where, -1 when not known.
        visits: baskets of the customers by store.
    """

    labels: LabelDefinitions
    customers: NDArray[np.str_]
    products: NDArray[np.str_]
    levels: NDArray[np.str_]
    maker: NDArray[np.str_]
    allowed: NDArray[np.bool_]
    customer: NDArray[np.int32]
    product: NDArray[np.int32]
    basket: NDArray[np.int64]
    day: NDArray[np.int32]
    known_day: NDArray[np.int32]
    amount_cents: NDArray[np.int64]
    discounted: NDArray[np.bool_]
    stores: NDArray[np.str_]
    store: NDArray[np.int32]
    visits: Histories

    @classmethod
    def read(cls, snapshots: Snapshots) -> Ledger:
        """From the canonical tables, cut at the run's as-of."""
        connection = snapshots.connect()
        columns = fetch(connection, LINES)
        customer, customers = coded(columns["customer_id"])
        product, products = coded(columns["product_id"])
        store, stores = coded(columns["store_id"])
        blank = int((stores == "").sum())
        texts = _texts(connection, products, given=snapshots.canonical.has("products"))
        levels, maker = texts[:, : len(LEVELS)], texts[:, len(LEVELS) :]
        return cls(
            snapshots.labels,
            customers,
            products,
            levels,
            maker,
            _allowed(levels, snapshots.labels),
            customer,
            product,
            columns["basket"].astype(np.int64),
            columns["day"].astype(np.int32),
            columns["known_day"].astype(np.int32),
            columns["amount_cents"].astype(np.int64),
            columns["discounted"].astype(np.bool_),
            stores[blank:],
            store - np.int32(blank),
            Histories.read_stores(connection, customers),
        )

    def cut(self, until: int) -> Ledger:
        """The lines known before an earlier day."""
        kept = (self.day < until) & (self.known_day < until)
        columns = ("customer", "product", "basket", "day", "known_day", "amount_cents", "discounted", "store")
        return replace(self, **{name: getattr(self, name)[kept] for name in columns})

    def before(self, as_of: int) -> NDArray[np.bool_]:
        """Lines known before a day, of products that may be items."""
        known: NDArray[np.bool_] = (self.day < as_of) & (self.known_day < as_of) & self.allowed[self.product]
        return known

    def items(self, as_of: int) -> NDArray[np.int64]:
        """Codes of the products that are items at a cutoff, ascending."""
        lines = np.flatnonzero(self.before(as_of))
        # A basket that lasts past midnight has a line on each day, and is one basket.
        once = lines[changes(self.basket[lines], self.product[lines])]
        baskets = np.bincount(self.product[once], minlength=len(self.products))
        return np.flatnonzero(baskets >= max(1, self.labels.recommendation.minimum_item_baskets))

    def customers_at(self, as_of: int) -> NDArray[np.int64]:
        """Codes of the customers with enough baskets of items before a cutoff, ascending."""
        item = self._among(self.items(as_of)) & self.before(as_of)
        baskets = changes(self.basket[item])
        counts = np.bincount(self.customer[item][baskets], minlength=len(self.customers))
        return np.flatnonzero(counts >= max(1, self.labels.recommendation.minimum_customer_baskets))

    def _among(self, products: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Lines of these products."""
        chosen = np.zeros(len(self.products), dtype=np.bool_)
        chosen[products] = True
        return chosen[self.product]

    def bought(self, as_of: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """What was bought in the window that starts at a cutoff: target B, with target A marked.

        Returns:
            customer codes, product codes (distinct pairs, ascending; items of the cutoff only) and whether
            the product was in the customer's first basket of the window.
        """
        end = as_of + self.labels.recommendation.horizon_days
        inside = (self.day >= as_of) & (self.day < end) & self._among(self.items(as_of))
        customer, basket = self.customer[inside].astype(np.int64), self.basket[inside]
        earliest = np.full(len(self.customers), np.iinfo(np.int64).max)
        np.minimum.at(earliest, customer, basket)
        key = customer * len(self.products) + self.product[inside]
        pairs = distinct(key)
        first = counted(places(pairs, key), basket == earliest[customer], len(pairs)) > 0
        width = max(1, len(self.products))
        return pairs // width, pairs % width, first

    def histories(self) -> Histories:
        """The histories of all customers, as the customer store would give them."""
        order = np.lexsort((self.basket, self.known_day, self.day, self.product, self.customer))
        keys = np.stack([self.customer, self.product, self.day, self.known_day])[:, order]
        fresh = changes(*keys)
        counts = np.bincount(np.cumsum(fresh) - 1) if len(order) else np.empty(0, dtype=np.int64)
        customer, product, day, known_day = keys[:, fresh]
        sizes = np.bincount(customer, minlength=len(self.customers))
        return Histories(
            self.customers,
            self.products,
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            product.astype(np.int32),
            day.astype(np.int32),
            known_day.astype(np.int32),
            counts.astype(np.int32),
            self.visits,
        )


def _texts(
    connection: duckdb.DuckDBPyConnection, products: NDArray[np.str_], *, given: bool
) -> NDArray[np.str_]:
    """Levels, brand and manufacturer of each product; '' where no table, column or value says."""
    found: dict[str, tuple[Any, ...]] = {}
    if given:
        present = {row[0] for row in connection.execute("DESCRIBE products").fetchall()}
        chosen = ", ".join(f"coalesce({name}, '')" if name in present else "''" for name in (*LEVELS, *MAKER))
        rows = connection.execute(f"SELECT product_id, {chosen} FROM products").fetchall()
        found = {row[0]: row[1:] for row in rows}
    nothing = ("",) * (len(LEVELS) + len(MAKER))
    texts = [found.get(str(product), nothing) for product in products]
    return np.array(texts, dtype=np.str_).reshape(len(products), len(nothing))


def _allowed(levels: NDArray[np.str_], labels: LabelDefinitions) -> NDArray[np.bool_]:
    """Products that the definitions do not leave out."""
    definition = labels.recommendation
    department, category, product_type = levels.T
    allowed = ~np.isin(department, definition.excluded_departments)
    allowed &= ~np.isin(category, definition.excluded_categories)
    if definition.require_product_type:
        allowed &= product_type != ""
    return allowed
