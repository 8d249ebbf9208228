from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from training.datasets import Snapshots
from training.recommendation.histories import Histories, coded
from training.recommendation.ledger import Ledger


@dataclass(frozen=True)
class Stored:
    customer_id: str
    products: Any
    stores: Any


@dataclass(frozen=True)
class Baskets:
    keys: Any
    day: Any
    known_day: Any
    baskets: Any

    @classmethod
    def of(cls, one: Histories) -> Baskets:
        return cls(one.product, one.day, one.known_day, one.baskets)


def same(one: Histories, other: Histories) -> bool:
    mine, theirs = one.products[one.product], other.products[other.product]
    rest = [name.name for name in fields(Histories) if name.name not in ("products", "product", "stores")]
    nested = one.stores is None or (other.stores is not None and same(one.stores, other.stores))
    return (
        bool((mine == theirs).all())
        and nested
        and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in rest)
    )


def test_the_ledger_and_the_purchases_of_the_store_give_the_same_histories(
    ledger: Ledger, histories: Histories
) -> None:
    assert same(ledger.histories(), histories)


def test_histories_of_the_store_equal_those_of_the_tables(town: Snapshots) -> None:
    histories = Histories.read(town.connect())
    names = ["c03", "nobody", "c00"]
    stored: list[Stored | None] = []
    for name in names:
        one = histories.select([name])
        assert one.stores is not None
        bought = Stored(name, Baskets.of(one), Baskets.of(one.stores))
        stored.append(bought if len(one.day) else None)
    assert histories.stores is not None
    joined = Histories.of(stored, histories.products, names, histories.stores.products)
    assert stored[1] is None
    assert same(joined, histories.select(names))
    assert joined.stores is not None
    assert joined.stores.products.tolist() == ["a north", "b south", "c new"]
    assert np.diff(joined.stores.start).tolist()[1] == 0
    assert same(Ledger.read(town).histories(), histories)
    assert Histories.of(stored, histories.products, names).stores is None


def test_slices_hold_the_customers_asked_for(histories: Histories) -> None:
    part = histories.slice(2, 4)
    assert part.customer_id.tolist() == ["c02", "c03"]
    assert same(part, histories.select(["c02", "c03"]))
    assert same(part, histories.take(np.array([2, 3])))
    assert len(histories.slice(4, 4).day) == 0


def test_texts_become_codes_in_the_order_of_the_texts() -> None:
    codes, values = coded(np.array(["b", "a", "b"], dtype=object))
    assert values.tolist() == ["a", "b"]
    assert codes.tolist() == [1, 0, 1]
