"""What customers buy: the baskets of visits, and the bills that come without one.

Most visits are for one category, the anchor; the other lines follow the customer's own taste (Dirichlet) and
the day's festivals and promotions. Within a category customers mostly take their own favourite, else what is
popular.

Contacts multiply the expected money of what is chosen, within what is on sale: by more lines beside the
anchor, larger or smaller quantities and, of what is counted, the cheapest product of its category. Fees, the
counted lines of bills, are what was agreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.calendar import BILL_HOURS, Season, between
from experiments.simulator.codes import NONE
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Lines
from experiments.simulator.population import LAST_BILL_DAY, Population
from experiments.simulator.prices import Assortment, PriceDay
from experiments.simulator.rows import Codes, Flags, Floats, Ints
from experiments.simulator.visits import MOST_VISITS
from features.clock import to_date

MOST_EXTRAS: Final = 40
"""No basket has more lines beside its anchor."""
_LINES: Final = MOST_EXTRAS + 1
"""The numbers of a line are addressed by visit x `_LINES` + line; bills come after the last visit."""
_DIGITS: Final = 2
"""Measured quantities have so many decimals."""
_LEAST_SAVED: Final = 1e-9


@dataclass(frozen=True)
class _Draft:
    """Lines before products and money are known; all arrays are of one length.

    Attributes:
        row: position of the customer within the population, ascending.
        k: address of the line among those of its customer and day.
        category: what is bought.
        at: UTC microseconds.
        basket: number of the basket.
        store: position of the store, or `NONE`.
        place: position in `config.places`.
        payment: position in `config.payments`.
        spend: factor of contacts on the money of the line.
    """

    row: Ints
    k: Ints
    category: Ints
    at: Ints
    basket: Ints
    store: NDArray[np.int32]
    place: Codes
    payment: Codes
    spend: Floats


class Purchases:
    """The purchases of the persons of a world, day by day."""

    def __init__(
        self, config: WorldConfig, seed: int, population: Population, products: Assortment, season: Season
    ) -> None:
        """Nobody has bought anything yet."""
        self._config, self._seed, self._population = config, seed, population
        self._products, self._season = products, season
        self._baskets: Ints = np.zeros(len(population), dtype=np.int64)
        self._anchor_share = population.of_segment("anchor_share")
        self._billed = population.of_segment("billed") > 0
        self._quantity = np.array([category.quantity for category in config.categories])
        self._spread = np.array([category.quantity_spread for category in config.categories])
        self._loyalty = np.array([category.loyalty for category in config.categories])
        places = [config.places.index(category.place) for category in config.categories]
        self._place: Codes = np.array(places, dtype=np.int8)

    def today(self, day: int, visits: Ints, spend: Floats, prices: PriceDay) -> Lines:
        """The baskets of a day's visits, by customer and time.

        Args:
            day: local day.
            visits: how often each comes, int64[n].
            spend: factor of contacts on what a visit brings, float64[n]. Above 1 the lines beside the anchor
                are more by it, and the anchor's quantity; below 1 all lines are smaller or cheaper by it, for
                without its only line there were no visit.
            prices: of the day.
        """
        row, nth, at = self._arrivals(day, visits)
        anchored = self._draw("anchor", row, day, nth) < self._anchor_share[row]
        usual, more = self._population.extras[row], np.maximum(spend[row], 1)
        u = self._draw("extra lines", row, day, nth)
        extras = draws.poisson(u, usual * more, MOST_EXTRAS)
        # Whoever would buy nothing else without any contact has come for the anchor.
        anchored |= u < np.exp(-usual)
        size = anchored + extras
        visit = np.repeat(np.arange(len(row)), size)
        number = _within(size)
        k = (nth * _LINES)[visit] + number
        category = self._population.anchor[row][visit]
        rest = np.flatnonzero((number > 0) | ~anchored[visit])
        category[rest] = self._tastes(day, row[visit[rest]], k[rest], prices)
        factor = spend[row][visit]
        factor[rest] = np.minimum(factor[rest], 1)
        online = self._draw("online visit", row, day, nth) < self._population.online[row]
        place = self._place[category]
        if self._config.basket.online_place:
            place[online[visit]] = self._config.places.index(self._config.basket.online_place)
        store = np.where(online, np.int32(NONE), self._stores(day, row, nth))
        draft = _Draft(
            row=row[visit],
            k=k,
            category=category,
            at=at[visit],
            basket=self._count(row)[visit],
            store=store[visit],
            place=place,
            payment=self._payments(day, row, nth)[visit],
            spend=factor,
        )
        return self._lines(day, draft, prices)

    def bills(self, day: int, active: Flags, spend: Floats, prices: PriceDay) -> Lines:
        """The bills of those whose day of the month it is and who joined before it.

        Args:
            day: local day.
            active: who is a customer today, bool[n].
            spend: factor of contacts on measured lines, float64[n].
            prices: of the day.
        """
        bills, due = self._config.bills, to_date(day).day
        if bills is None or due > LAST_BILL_DAY:
            return Lines.none()
        # Bills come at night: one on the day of joining would come before the customer.
        known = self._population.joined < day
        row = np.flatnonzero(active & known & self._billed & (self._population.bill_day == due))
        categories = np.array([self._config.category(name) for name in bills.categories])
        bill = np.repeat(np.arange(len(row)), len(categories))
        hours = between(BILL_HOURS, self._draw("bill hour", row, day))
        draft = _Draft(
            row=row[bill],
            k=MOST_VISITS * _LINES + np.tile(np.arange(len(categories)), len(row)),
            category=np.tile(categories, len(row)),
            at=self._season.at(day, hours)[bill],
            basket=self._count(row)[bill],
            store=np.full(len(bill), NONE, dtype=np.int32),
            place=np.full(len(bill), self._config.places.index(bills.place), dtype=np.int8),
            payment=self._population.payment[row][bill],
            spend=np.where(self._spread[categories] > 0, spend[row][:, np.newaxis], 1.0).ravel(),
        )
        return self._lines(day, draft, prices)

    def _arrivals(self, day: int, visits: Ints) -> tuple[Ints, Ints, Ints]:
        """Customer, address and instant of each visit, by customer and time."""
        come = np.flatnonzero(visits)
        row, nth = np.repeat(come, visits[come]), _within(visits[come])
        at = self._season.instants(day, self._population.segment[row], self._draw("hour", row, day, nth))
        order = np.lexsort((at, row))
        return row[order], nth[order], at[order]

    def _tastes(self, day: int, row: Ints, k: Ints, prices: PriceDay) -> Ints:
        """The category of each line beside the anchor."""
        weights = self._population.taste[row] * self._season.taste(day)
        for category in np.flatnonzero(prices.discount):
            gain = prices.lift[category] * prices.discount[category] * self._population.sensitivity[row]
            weights[:, category] *= np.exp(gain)
        return draws.choice(self._draw("category", row, day, k), weights)

    def _lines(self, day: int, draft: _Draft, prices: PriceDay) -> Lines:
        """Lines with their products, quantities and money."""
        row, category = draft.row, draft.category
        product = self._products.pick(category, self._draw("product", row, day, draft.k))
        loyal = np.flatnonzero(self._draw("loyal", row, day, draft.k) < self._loyalty[category])
        product[loyal] = self._population.favourite(row[loyal], category[loyal], self._products)
        self._make_cheaper(day, draft, product)
        quantity = self._quantities(day, draft)
        price = np.rint(self._products.price_cents[product] * prices.factor[category])
        gross = np.rint(price * quantity).astype(np.int64)
        discount = np.rint(gross * prices.discount[category]).astype(np.int64)
        return Lines(
            person=self._population.person[row],
            at=draft.at,
            basket=draft.basket,
            product=product,
            quantity=quantity,
            amount_cents=gross - discount,
            discount_cents=discount,
            store=draft.store,
            place=draft.place,
            payment=draft.payment,
        )

    def _make_cheaper(self, day: int, draft: _Draft, product: NDArray[np.int32]) -> None:
        """Where less than one piece is wanted: the cheapest product, as often as that saves enough.

        Whoever hardly ever takes another one cannot spend less on the category.
        """
        pieces = self._quantity[draft.category] * draft.spend
        some = np.flatnonzero((self._spread[draft.category] == 0) & (pieces < 1))
        row, category, price = draft.row[some], draft.category[some], self._products.price_cents
        own = price[self._population.favourite(row, category, self._products)]
        loyalty, cheapest = self._loyalty[category], self._products.cheapest[category]
        usual = loyalty * own + (1 - loyalty) * self._products.usual_cents[category]
        saved = np.maximum(usual - price[cheapest], _LEAST_SAVED)
        less = self._draw("cheaper", row, day, draft.k[some]) < (1 - pieces[some]) * usual / saved
        product[some[less]] = cheapest[less]

    def _quantities(self, day: int, draft: _Draft) -> Floats:
        """Measured ones are lognormal around the customer's own; counted ones are 1 and Poisson more."""
        row, category = draft.row, draft.category
        u = self._draw("quantity", row, day, draft.k)
        mean, spread = self._quantity[category] * draft.spend, self._spread[category]
        quantity = np.empty(len(row))
        measured, counted = np.flatnonzero(spread), np.flatnonzero(spread == 0)
        own = mean[measured] * self._population.spend[row[measured]]
        own *= draws.lognormal(u[measured], spread[measured])
        quantity[measured] = np.maximum(np.round(own, _DIGITS), 10.0**-_DIGITS)
        quantity[counted] = 1 + draws.poisson(u[counted], np.maximum(mean[counted] - 1, 0))
        return quantity

    def _stores(self, day: int, row: Ints, nth: Ints) -> NDArray[np.int32]:
        """The store of each visit: mostly one's own."""
        network, population = self._config.network, self._population
        u = self._draw("store", row, day, nth)
        anywhere = np.floor(self._draw("any store", row, day, nth) * network.stores).astype(np.int32)
        away = np.where(u < network.home + network.nearby, population.nearby[row], anywhere)
        return np.where(u < network.home, population.home[row], away)

    def _payments(self, day: int, row: Ints, nth: Ints) -> Codes:
        """The means of payment of each visit: mostly the usual one."""
        basket = self._config.basket
        other = draws.choice(self._draw("other payment", row, day, nth), list(basket.payments.values()))
        usual = self._draw("usual payment", row, day, nth) < basket.payment_loyalty
        return np.where(usual, self._population.payment[row], other).astype(np.int8)

    def _count(self, row: Ints) -> Ints:
        """Numbers of new baskets; `row` is ascending, and one that repeats has several."""
        numbers = self._baskets[row] + np.arange(len(row)) - np.searchsorted(row, row)
        np.add.at(self._baskets, row, 1)
        return np.asarray(numbers)

    def _draw(self, stream: str, row: Ints, day: int, k: Ints | int = 0) -> Floats:
        return draws.uniform(self._seed, stream, self._population.person[row], day, k)


def _within(sizes: Ints) -> Ints:
    """0, 1, ... within each of some groups that follow each other."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
