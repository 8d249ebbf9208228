from __future__ import annotations

import numpy as np

from features.customer_store.history import History
from features.customer_store.rows import Keyed, Rows

VISITS = Rows.of([1, 2], [1, 9], [[5, 6], [7, 8]])
PRODUCTS = Keyed.of([7, 7, 8], [1, 2, 5], [1, 9, 5], [1, 2, 3])
STORES = Keyed.of([0], [1], [1], [4])


def test_visits_and_purchases_known_before_the_as_of():
    history = History("a", VISITS, products=PRODUCTS, stores=STORES)
    day, measures = history.visible(6)
    assert (day.tolist(), measures.tolist()) == ([1], [[5, 7]])
    assert [part.tolist() for part in history.purchases(6)] == [[7, 8], [1, 5], [1, 3]]
    assert history.day.tolist() == [1, 2]
    assert history.known_day.tolist() == [1, 9]


def test_purchases_are_columns_of_one_row_each():
    history = History("a", products=PRODUCTS, stores=STORES)
    assert history.purchase_product.tolist() == [7, 7, 8]
    assert history.purchase_day.tolist() == [1, 2, 5]
    assert history.purchase_known_day.tolist() == [1, 9, 5]
    assert history.purchase_baskets.tolist() == [1, 2, 3]


def test_parts_are_replaced():
    history = History("a", VISITS, products=PRODUCTS, stores=STORES, absent=frozenset({"channel"}))
    other = history._replace(stores=Keyed.of([3], [2], [2], [1]))
    assert other.stores.key.tolist() == [3]
    assert other.products.keys.tolist() == [7, 7, 8]
    assert history.stores.key.tolist() == [0]
    moved = other._replace(customer_id="b", visits=VISITS)
    assert (moved.customer_id, moved.absent, moved.baskets) == ("b", {"channel"}, other.baskets)


def test_nothing_is_known_of_a_new_customer():
    new = History("a")
    assert new.visible(10)[1].shape[0] == 0
    assert [len(part) for part in new.purchases(10)] == [0, 0, 0]
    assert np.array_equal(new.purchase_product, [])
