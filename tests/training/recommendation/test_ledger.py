from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.labels import LabelDefinitions, RecommendationLabel
from training.datasets import Snapshots
from training.recommendation.ledger import Ledger

from .conftest import no_stores

T = 100


def tiny(*, minimum_item: int = 2, minimum_customer: int = 2) -> Ledger:
    """Two customers, products p, q (allowed) and x (not); q is sold once before T."""
    rows = [
        # customer, product, basket, day, known_day
        (0, 0, 0, 90, 90),
        (0, 2, 0, 90, 90),
        (0, 0, 1, 95, 95),
        (0, 1, 2, 101, 101),
        (0, 0, 2, 101, 101),
        (0, 0, 3, 110, 110),
        (0, 3, 3, 110, 110),
        (1, 0, 4, 92, 92),
        (1, 3, 4, 92, 92),
        (1, 3, 5, 93, 93),
        (1, 1, 6, 99, 104),
        (1, 0, 7, 127, 127),
        (1, 0, 8, 128, 128),
    ]
    customer, product, basket, day, known = (np.array(column) for column in zip(*rows, strict=True))
    label = RecommendationLabel(
        horizon_days=28, minimum_item_baskets=minimum_item, minimum_customer_baskets=minimum_customer
    )
    return Ledger(
        replace(LabelDefinitions(), recommendation=label),
        np.array(["a", "b"]),
        np.array(["p", "q", "x", "z"]),
        np.full((4, 3), ""),
        np.full((4, 2), ""),
        np.array([True, True, False, True]),
        customer.astype(np.int32),
        product.astype(np.int32),
        basket,
        day.astype(np.int32),
        known.astype(np.int32),
        np.full(len(rows), 100),
        np.zeros(len(rows), dtype=np.bool_),
        *no_stores(len(rows)),
    )


def test_items_are_allowed_products_in_enough_known_baskets() -> None:
    assert tiny().items(T).tolist() == [0, 3]
    assert tiny(minimum_item=3).items(T).tolist() == [0]
    assert tiny(minimum_item=1).items(T).tolist() == [0, 3]
    # q of day 99 became known on day 104.
    assert 1 in tiny(minimum_item=1).items(105)


def test_a_basket_that_lasts_past_midnight_is_one_basket() -> None:
    ledger = tiny()
    assert 0 in replace(ledger, labels=tiny(minimum_item=3).labels).items(T)
    night = ledger.basket.copy()
    night[ledger.day == 95] = night[0]
    order = np.lexsort((ledger.day, ledger.product, night))
    names = ("customer", "product", "day", "known_day", "amount_cents")
    sorted_columns = {name: getattr(ledger, name)[order] for name in names}
    joined = replace(ledger, labels=tiny(minimum_item=3).labels, basket=night[order], **sorted_columns)
    assert 0 not in joined.items(T)


def test_customers_need_baskets_of_items() -> None:
    assert tiny().customers_at(T).tolist() == [0, 1]
    assert tiny(minimum_customer=3).customers_at(T).tolist() == []


def test_targets_are_the_first_basket_and_the_window() -> None:
    customer, product, first = tiny().bought(T)
    # Customer a: p in the first basket of the window, p again and z in the second; b: p on the last day.
    assert list(zip(customer.tolist(), product.tolist(), first.tolist(), strict=True)) == [
        (0, 0, True),
        (0, 3, False),
        (1, 0, True),
    ]


def test_a_cut_ledger_knows_nothing_later() -> None:
    cut = tiny().cut(T)
    assert cut.day.max() < T
    assert cut.known_day.max() < T
    assert cut.items(T).tolist() == tiny().items(T).tolist()


def test_excluded_departments_are_no_items(shop: Snapshots, bare_shop: Snapshots) -> None:
    for snapshots, expected in ((shop, False), (bare_shop, True)):
        ledger = Ledger.read(snapshots)
        assert ("fuel" in ledger.products[ledger.items(snapshots.until)]) is expected


def test_a_required_product_type_that_nobody_has_leaves_no_item(bare_shop: Snapshots) -> None:
    source = bare_shop.canonical.source
    labels = replace(source.labels, recommendation=RecommendationLabel(require_product_type=True))
    canonical = replace(bare_shop.canonical, source=replace(source, labels=labels))
    ledger = Ledger.read(Snapshots(canonical, bare_shop.until))
    assert len(ledger.items(bare_shop.until)) == 0
    assert len(ledger.customers_at(bare_shop.until)) == 0


@pytest.mark.parametrize("as_of", [0, 10**5])
def test_no_history_and_no_window_are_empty(as_of: int) -> None:
    assert all(len(part) == 0 for part in tiny().bought(as_of))
