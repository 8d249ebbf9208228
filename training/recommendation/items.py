"""The catalogue of items as of a day: who they are, how they sell, and where they stand in the assortment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation.decay import Decay
from training.recommendation.grouping import changes, counted, distinct, places
from training.recommendation.histories import Histories
from training.recommendation.ledger import LEVELS, Ledger

HALF_LIVES = (7, 28, 120)
RANKED_BY = 1
CUSTOMERS_OF_DAYS = 91


@dataclass(frozen=True)
class Items:
    """n items in ascending order of their id.

    Attributes:
        product_id: ids.
        level: codes of department, category and product type (n x 3), each counted from 0.
        popularity: baskets with the item, decayed with a half-life of 7, 28 and 120 days (n x 3).
        price_cents: mean paid for the item in a basket.
        repeat: share of the item's buyers who bought it in two baskets or more.
        age: days since it was first sold.
        prior: share of the customers active in the last 91 days who bought it in the last `horizon` days:
            the probability for a customer of whom nothing is known.
    """

    product_id: NDArray[np.str_]
    level: NDArray[np.int32]
    popularity: NDArray[np.float64]
    price_cents: NDArray[np.float64]
    repeat: NDArray[np.float64]
    age: NDArray[np.float64]
    prior: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.product_id)

    @cached_property
    def popular(self) -> NDArray[np.int64]:
        """Items from the best selling down, ties by id."""
        return np.argsort(-self.popularity[:, RANKED_BY], kind="stable")

    def codes(self, products: NDArray[Any]) -> NDArray[np.int64]:
        """The place of each product id among the items, -1 for what is no item."""
        return places(self.product_id, products)

    def recode(self, histories: Histories) -> Histories:
        """The histories with products counted as items are here; a product that is no item has code -1."""
        products, product = histories.products, histories.product
        if len(products) > len(product):
            codes = self.codes(products[product])
        else:
            codes = self.codes(products)[product]
        return replace(histories, products=self.product_id, product=codes.astype(np.int32))

    @cached_property
    def share_of_type(self) -> NDArray[np.float64]:
        """The item's share of what its product type sells."""
        sold = self.popularity[:, RANKED_BY]
        types = self.level[:, -1]
        share: NDArray[np.float64] = sold / np.maximum(1e-9, np.bincount(types, weights=sold)[types])
        return share

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many departments, categories and product types there are."""
        return tuple(int(self.level[:, place].max(initial=-1)) + 1 for place in range(len(LEVELS)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For the model's artifact."""
        return {f"item_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Items:
        """From the model's artifact."""
        return cls(**{name: arrays[f"item_{name}"] for name in cls.__dataclass_fields__})

    @classmethod
    def at(cls, ledger: Ledger, as_of: int) -> Items:
        """The catalogue as of a day, from what was known before it."""
        codes = ledger.items(as_of)
        place = np.full(len(ledger.products), -1)
        place[codes] = np.arange(len(codes))
        lines = np.flatnonzero(ledger.before(as_of) & (place[ledger.product] >= 0))
        item = place[ledger.product[lines]]
        age = as_of - ledger.day[lines]
        size = len(codes)

        def total(weights: NDArray[Any]) -> NDArray[np.float64]:
            return counted(item, weights, size)

        first = np.full(size, as_of, dtype=np.int64)
        np.minimum.at(first, item, ledger.day[lines])
        active = distinct(ledger.customer[lines[age <= CUSTOMERS_OF_DAYS]])
        recent = age <= ledger.labels.recommendation.horizon_days
        return cls(
            product_id=ledger.products[codes],
            level=np.stack([_codes(ledger.levels[codes, place]) for place in range(len(LEVELS))], axis=1),
            popularity=np.stack([total(Decay(days)(age)) for days in HALF_LIVES], axis=1),
            price_cents=total(ledger.amount_cents[lines]) / np.maximum(1, total(np.ones(len(item)))),
            repeat=_repeat(item, ledger.customer[lines], ledger.basket[lines], size),
            age=(as_of - first).astype(np.float64),
            prior=_buyers(item[recent], ledger.customer[lines[recent]], size) / max(1, len(active)),
        )


def _codes(texts: NDArray[np.str_]) -> NDArray[np.int32]:
    return np.unique(texts, return_inverse=True)[1].astype(np.int32)


def _buyers(item: NDArray[Any], customer: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Distinct customers per item."""
    pairs = distinct(item.astype(np.int64) * (1 + customer.max(initial=0)) + customer)
    return counted(pairs // (1 + customer.max(initial=0)), np.ones(len(pairs)), size)


def _repeat(
    item: NDArray[Any], customer: NDArray[Any], basket: NDArray[Any], size: int
) -> NDArray[np.float64]:
    """Share of an item's buyers with two baskets or more of it."""
    order = np.lexsort((basket, customer, item))
    item, customer, basket = item[order], customer[order], basket[order]
    times = changes(item, customer, basket)
    buyer = changes(item, customer)
    baskets = counted(np.cumsum(buyer) - 1, times, int(buyer.sum()))
    repeated = counted(item[buyer], baskets > 1, size)
    return repeated / np.maximum(1.0, counted(item[buyer], np.ones(len(baskets)), size))
