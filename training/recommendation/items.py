"""The catalogue of items as of a day: who they are, how they sell, and where they stand in the assortment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation.decay import Decay
from training.recommendation.grouping import changes, counted, distinct, places
from training.recommendation.histories import Histories
from training.recommendation.ledger import LEVELS, MAKER, Ledger

HALF_LIVES = (7, 28, 120)
TRIED = (7, 28)
PROMOTED = (7, 120)
# What an item belongs to: the assortment's levels, brand, maker, and the maker's products of its type.
GROUPS = (*LEVELS, *MAKER, "line")
TYPE, LINE = GROUPS.index("product_type"), GROUPS.index("line")
RANKED_BY = 1
CUSTOMERS_OF_DAYS = 91
LEAST = 1e-9


@dataclass(frozen=True)
class Items:
    """n items in ascending order of their id.

    Attributes:
        product_id: ids.
        level: codes of what it belongs to (n x GROUPS), each counted from 0.
        popularity: baskets with the item, decayed with a half-life of 7, 28 and 120 days (n x 3).
        price_cents: mean paid for the item in a basket.
        repeat: share of the item's buyers who bought it in two baskets or more.
        age: days since it was first sold.
        tried: customers by their first basket with it, decayed with half-lives of 7 and 28 days (n x 2).
        gap: mean days between a customer's purchases of it; see `owned`.
        promoted: share of its baskets at a discount, decayed with a half-life of 7 and 120 days (n x 2).
        prior: share of the customers active in the last 91 days who bought it in the last `horizon` days:
            the probability for a customer of whom nothing is known.
    """

    product_id: NDArray[np.str_]
    level: NDArray[np.int32]
    popularity: NDArray[np.float64]
    price_cents: NDArray[np.float64]
    repeat: NDArray[np.float64]
    age: NDArray[np.float64]
    tried: NDArray[np.float64]
    promoted: NDArray[np.float64]
    gap: NDArray[np.float64]
    prior: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.product_id)

    @cached_property
    def popular(self) -> NDArray[np.int64]:
        """Items from the best selling down, ties by id."""
        return np.argsort(-self.popularity[:, RANKED_BY], kind="stable")

    @cached_property
    def most_tried(self) -> NDArray[np.int64]:
        """Items from the one that most customers lately bought for the first time down."""
        return np.argsort(-self.tried[:, 0], kind="stable")

    @cached_property
    def most_promoted(self) -> NDArray[np.int64]:
        """Items that sell at a discount more of late than they used to, from the most such baskets down."""
        baskets = (self.promoted[:, 0] - self.promoted[:, 1]) * self.popularity[:, 0]
        order = np.argsort(-baskets, kind="stable")
        return order[baskets[order] > 0]

    def codes(self, products: NDArray[Any]) -> NDArray[np.int64]:
        """The place of each product id among the items, -1 for what is no item."""
        return places(self.product_id, products)

    def among(self, products: Collection[str]) -> NDArray[np.int64]:
        """The distinct items among a few product ids, ascending."""
        found = {self.place[product] for product in products if product in self.place}
        return np.array(sorted(found), dtype=np.int64)

    @cached_property
    def place(self) -> dict[str, int]:
        """The code of each product id."""
        return {product: code for code, product in enumerate(self.product_id.tolist())}

    def coded(self, products: NDArray[Any]) -> NDArray[np.int64]:
        """The item of each product; found once for each of the lists of products that were asked for last."""
        for known, before, codes in _CODED:
            if known is self.product_id and before is products:
                return codes
        found = self.codes(products)
        _CODED[:] = [*_CODED[-3:], (self.product_id, products, found)]
        return found

    def recode(self, histories: Histories) -> Histories:
        """The histories with products counted as items are here; a product that is no item has code -1."""
        products, product = histories.products, histories.product
        if products is self.product_id:
            return histories
        codes = self.coded(products)[product]
        return replace(histories, products=self.product_id, product=codes.astype(np.int32))

    @cached_property
    def share_of_type(self) -> NDArray[np.float64]:
        """The item's share of what its product type sells."""
        return self._share(TYPE)

    @cached_property
    def share_of_line(self) -> NDArray[np.float64]:
        """The item's share of what its line sells."""
        return self._share(LINE)

    def _share(self, level: int) -> NDArray[np.float64]:
        sold, member = self.popularity[:, RANKED_BY], self.level[:, level]
        share: NDArray[np.float64] = sold / np.maximum(1e-9, np.bincount(member, weights=sold)[member])
        return share

    @cached_property
    def trend_of_type(self) -> NDArray[np.float64]:
        """Baskets with the item's product type of late over those of a longer time."""
        types = self.level[:, TYPE]
        late, long = (np.bincount(types, weights=self.popularity[:, number]) for number in (0, 2))
        trend: NDArray[np.float64] = (late / np.maximum(1e-9, long))[types]
        return trend

    @cached_property
    def dearness(self) -> NDArray[np.float64]:
        """The item's price over the mean of what its product type sells."""
        sold, types = self.popularity[:, -1] + 1e-9, self.level[:, TYPE]
        mean = np.bincount(types, weights=sold * self.price_cents) / np.bincount(types, weights=sold)
        dearness: NDArray[np.float64] = self.price_cents / np.maximum(1.0, mean[types])
        return dearness

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many departments, categories, ... there are."""
        return tuple(int(self.level[:, place].max(initial=-1)) + 1 for place in range(len(GROUPS)))

    @cached_property
    def member(self) -> NDArray[np.int64]:
        """Codes of what it belongs to (n x GROUPS), counted on from one kind of group to the next."""
        member: NDArray[np.int64] = self.level + np.cumsum([0, *self.sizes[:-1]])
        return member

    @cached_property
    def facts(self) -> NDArray[np.float32]:
        """What the ranker reads of each item alone, in the order of its inputs (n x 14)."""
        late, month, long = self.popularity.T
        trends = late / np.maximum(LEAST, long), late / np.maximum(LEAST, month)
        paid = self.price_cents, self.dearness, self.repeat, self.age, self.trend_of_type
        columns = [self.popularity, self.tried, self.promoted, *trends, *paid]
        return np.column_stack(columns).astype(np.float32)

    def part(self, values: NDArray[np.float64], group: int) -> NDArray[np.float64]:
        """The columns (`member` counts them) of one kind of group."""
        first = sum(self.sizes[:group])
        return values[:, first : first + self.sizes[group]]

    def types_among(self, member: NDArray[Any]) -> NDArray[np.int64]:
        """The product types among members of any kind of group (`member` counts them)."""
        first = sum(self.sizes[:TYPE])
        found: NDArray[np.int64] = member[(member >= first) & (member < first + self.sizes[TYPE])] - first
        return found

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

        def promoted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            return total(weights * ledger.discounted[lines]) / np.maximum(1e-9, total(weights))

        first = np.full(size, as_of, dtype=np.int64)
        np.minimum.at(first, item, ledger.day[lines])
        active = distinct(ledger.customer[lines[age <= CUSTOMERS_OF_DAYS]])
        recent = age <= ledger.labels.recommendation.horizon_days
        return cls(
            product_id=ledger.products[codes],
            level=_groups(ledger.levels[codes], ledger.maker[codes]),
            popularity=np.stack([total(Decay(days)(age)) for days in HALF_LIVES], axis=1),
            price_cents=total(ledger.amount_cents[lines]) / np.maximum(1, total(np.ones(len(item)))),
            repeat=_repeat(item, ledger.customer[lines], ledger.basket[lines], size),
            age=(as_of - first).astype(np.float64),
            tried=_tried(item, ledger.customer[lines], age, size),
            promoted=np.stack([promoted(Decay(days)(age)) for days in PROMOTED], axis=1),
            gap=_gap(item, ledger.customer[lines], age, as_of - first, size),
            prior=_buyers(item[recent], ledger.customer[lines[recent]], size) / max(1, len(active)),
        )


_CODED: list[tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]] = []


def _groups(levels: NDArray[np.str_], maker: NDArray[np.str_]) -> NDArray[np.int32]:
    """Codes of the groups of each item (n x GROUPS)."""

    def codes(texts: NDArray[Any]) -> NDArray[np.int32]:
        return np.unique(texts, return_inverse=True)[1].astype(np.int32)

    columns = [codes(texts) for texts in (*levels.T, *maker.T)]
    line = columns[LEVELS.index("product_type")].astype(np.int64) * (1 + len(maker)) + columns[-1]
    return np.stack([*columns, codes(line)], axis=1)


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


def _tried(item: NDArray[Any], customer: NDArray[Any], age: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Customers by item, each with the weight of the first time."""
    order = np.lexsort((-age, customer, item))
    fresh = order[changes(item[order], customer[order])]
    return np.stack([counted(item[fresh], Decay(days)(age[fresh]), size) for days in TRIED], axis=1)


def _gap(
    item: NDArray[Any], customer: NDArray[Any], age: NDArray[Any], lifetime: NDArray[Any], size: int
) -> NDArray[np.float64]:
    """Mean days between purchases by one customer, as if each item had been bought again once, at its age."""
    order = np.lexsort((-age, customer, item))
    item, customer, age = item[order], customer[order], age[order]
    later = np.flatnonzero(~changes(item, customer) & changes(item, customer, age))
    spans = counted(item[later], age[later - 1] - age[later], size)
    times = counted(item[later], np.ones(len(later)), size)
    gap: NDArray[np.float64] = (spans + lifetime) / (times + 1)
    return gap
