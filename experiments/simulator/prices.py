"""What is on sale and at what price: the assortment, prices that move for everybody, promotions.

Nothing is kept from day to day: the price of a day is a sum of the changes before it, each drawn by its
number, so that any day can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.config import WorldConfig
from experiments.simulator.draws import EVERYBODY
from experiments.simulator.offer_config import Category
from experiments.simulator.rows import Floats, Ints

KEPT: Final = 0.9
"""Share of a price's distance from the usual that is still there after the next change."""
_REMEMBERED: Final = 60
USUAL_DAYS: Final = 91
"""Customers compare a price with its mean over so many days."""


@dataclass(frozen=True)
class Assortment:
    """All products, numbered through, category by category.

    Attributes:
        category: position of each product's category, int16[p].
        first: first product of each category, int64[c].
        price_cents: list price of a unit, int64[p].
        cost_cents: cost of a unit to the seller, int64[p].
        popularity: share among the products of its category, float64[p].
    """

    category: NDArray[np.int16]
    first: Ints
    price_cents: Ints
    cost_cents: Ints
    popularity: Floats

    def pick(self, category: Ints, u: Floats) -> NDArray[np.int32]:
        """A product of each category, by popularity."""
        found = np.searchsorted(self._ends, category + u, side="left")
        last = np.append(self.first[1:], len(self.category))[category] - 1
        return np.asarray(np.minimum(found, last), dtype=np.int32)

    @cached_property
    def usual_cents(self) -> Floats:
        """Mean price of a product of each category as `pick` takes them, float64[c]."""
        return np.asarray(np.add.reduceat(self.popularity * self.price_cents, self.first))

    @cached_property
    def cheapest(self) -> NDArray[np.int32]:
        """The cheapest product of each category, int32[c]."""
        by_price = np.lexsort((self.price_cents, self.category))
        return np.asarray(by_price[self.first], dtype=np.int32)

    @cached_property
    def _ends(self) -> Floats:
        """Number of the category plus the cumulative popularity within it: one rising scale for all."""
        total = np.cumsum(self.popularity)
        before = np.concatenate([[0.0], total])[self.first]
        return np.asarray(self.category + np.minimum(total - before[self.category], 1.0), dtype=np.float64)


def assortment(config: WorldConfig, seed: int) -> Assortment:
    """The products of a world. Their numbers within a category say nothing of price or popularity."""
    category = np.repeat(np.arange(len(config.categories)), [entry.size for entry in config.categories])
    first = np.searchsorted(category, np.arange(len(config.categories)))
    price, popularity = np.empty(len(category)), np.empty(len(category))
    for position, entry in enumerate(config.categories):
        part = slice(int(first[position]), int(first[position]) + entry.size)
        price[part], popularity[part] = _products(entry, seed, np.arange(part.start, part.stop))
    margin = np.array([entry.margin for entry in config.categories])[category]
    cents = np.maximum(1, np.rint(100 * price)).astype(np.int64)
    cost = np.rint(cents * (1 - margin)).astype(np.int64)
    return Assortment(category.astype(np.int16), first, cents, cost, popularity)


def _products(entry: Category, seed: int, numbers: Ints) -> tuple[Floats, Floats]:
    """Prices in currency units and popularity of one category's products."""
    if entry.items:
        weights = np.array([item.share for item in entry.items])
        return np.array([item.price for item in entry.items]), weights / weights.sum()
    spread = entry.price_spread * draws.normal(draws.uniform(seed, "list price", EVERYBODY, k=numbers))
    # Shelf prices have one decimal.
    price = np.maximum(0.1, np.round(entry.price * np.exp(spread), 1))
    rank = 1.0 + draws.permute(seed, f"rank/{entry.name}", np.arange(entry.size), entry.size)
    return price, (1 / rank) / (1 / rank).sum()


@dataclass(frozen=True)
class PriceDay:
    """Prices of a day, one entry for each category.

    Attributes:
        factor: on the list price.
        relative: logarithm of the price over its mean of the last `USUAL_DAYS` days.
        discount: share that promotions take off.
        lift: elasticity of the category's weight in that discount, times a customer's sensitivity.
    """

    factor: Floats
    relative: Floats
    discount: Floats
    lift: Floats


class Prices:
    """The path of prices of a world."""

    def __init__(self, config: WorldConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._level = lru_cache(maxsize=None)(self._path)

    def of(self, day: int) -> PriceDay:
        """The prices of a day."""
        categories = self._config.categories
        now, usual = np.zeros(len(categories)), np.zeros(len(categories))
        for position, entry in enumerate(categories):
            if entry.volatility:
                step = day // entry.change_days
                before = max(1, round(USUAL_DAYS / entry.change_days))
                now[position] = self._level(position, step)
                usual[position] = np.mean([self._level(position, step - n) for n in range(before)])
        discount, lift = np.zeros(len(categories)), np.zeros(len(categories))
        for number, promotion in enumerate(self._config.promotions):
            shift = draws.uniform(self._seed, "promotion", EVERYBODY, k=number) * promotion.every_days
            position = self._config.category(promotion.category)
            runs = (day + int(shift)) % promotion.every_days < promotion.length
            if runs and promotion.discount >= discount[position]:
                discount[position], lift[position] = promotion.discount, promotion.lift
        return PriceDay(np.exp(now), now - usual, discount, lift)

    def _path(self, position: int, step: int) -> float:
        """Logarithm of a category's price factor after change number `step`: mean-reverting, AR(1)."""
        steps = step - np.arange(_REMEMBERED)
        changes = draws.normal(draws.uniform(self._seed, f"price/{position}", EVERYBODY, steps))
        volatility = self._config.categories[position].volatility
        return float(volatility * (changes * KEPT ** np.arange(_REMEMBERED)).sum())
