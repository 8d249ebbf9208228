from __future__ import annotations

import numpy as np
import pytest

from training.recommendation.histories import Histories
from training.recommendation.items import Items
from training.recommendation.ledger import Ledger


def test_popularity_price_and_share_of_buyers(ledger: Ledger) -> None:
    as_of = int(ledger.day.max()) + 1
    items = Items.at(ledger, as_of)
    assert len(items) == 28
    assert items.product_id.tolist() == sorted(items.product_id.tolist())
    at = items.product_id.tolist().index("red03")
    lines = ledger.product == ledger.products.tolist().index("red03")
    age = as_of - ledger.day[lines]
    assert items.popularity[at] == pytest.approx([(0.5 ** (age / days)).sum() for days in (7, 28, 120)])
    assert items.price_cents[at] == pytest.approx(600.0)
    assert items.age[at] == age.max()
    recent = set(ledger.customer[lines][age <= 28].tolist())
    assert items.prior[at] == pytest.approx(len(recent) / 60)
    _, times = np.unique(ledger.customer[lines], return_counts=True)
    assert items.repeat[at] == pytest.approx((times > 1).mean())


def test_levels_are_counted_and_shares_of_a_type_sum_to_one(ledger: Ledger) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    assert items.sizes == (1, 2, 4)
    assert np.bincount(items.level[:, 2], weights=items.share_of_type) == pytest.approx(np.ones(4))


def test_products_that_are_no_items_are_recoded_to_nothing(ledger: Ledger, histories: Histories) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    coded = items.recode(histories)
    fuel = histories.products[histories.product] == "fuel"
    assert fuel.any()
    assert ((coded.product < 0) == fuel).all()
    one = items.recode(histories.slice(5, 6))
    assert np.array_equal(one.product, coded.slice(5, 6).product)


def test_the_artifact_gives_the_same_catalogue(ledger: Ledger) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    again = Items.of(items.arrays())
    assert all(
        np.array_equal(getattr(items, name), getattr(again, name)) for name in Items.__dataclass_fields__
    )
