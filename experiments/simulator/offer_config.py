"""The part of a world's configuration that is about what is sold: products, prices, baskets, stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.simulator import limits
from features.errors import UserError


@dataclass(frozen=True)
class Item:
    """A product that has a name of its own, like a grade of fuel.

    Attributes:
        name: shown to people.
        price: of one unit.
        share: of customers whose favourite it is, as a weight.
    """

    name: str
    price: float
    share: float = 1.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.above(f"item {self.name!r}: price", self.price, most=limits.MOST_MONEY)
        limits.number(f"item {self.name!r}: share", self.share, least=0, most=limits.MOST)


@dataclass(frozen=True)
class Category:
    """A category of products.

    Attributes:
        name: what it is called.
        department: widest group that it belongs to.
        weight: mean share among the lines beside the anchor; 0: only as an anchor or on bills.
        items: its products by name; or
        products: how many it has, popular in the manner of Zipf, their prices lognormal.
        price: median price of a unit, when products are counted.
        price_spread: standard deviation of the logarithm of the prices.
        unit: unit of quantity: piece, litre, GB.
        quantity: mean quantity of a line.
        quantity_spread: standard deviation of its logarithm where it is measured; 0: it is counted in pieces.
        loyalty: chance that a customer takes the own favourite.
        margin: share of the price that is not the product's cost.
        volatility: standard deviation of the logarithm of the price changes that all its products share.
        change_days: days between such changes.
        place: where it is bought: forecourt, shop, app.
    """

    name: str
    department: str
    weight: float = 0.0
    items: tuple[Item, ...] = ()
    products: int = 0
    price: float = 1.0
    price_spread: float = 0.4
    unit: str = "piece"
    quantity: float = 1.0
    quantity_spread: float = 0.0
    loyalty: float = 0.5
    margin: float = 0.2
    volatility: float = 0.0
    change_days: int = 14
    place: str = "shop"

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        where = f"category {self.name!r}"
        if bool(self.items) == bool(self.products):
            raise UserError(f"{where} has to have either items or a number of products. Give one of them.")
        limits.whole(f"{where}: products", self.products)
        if self.items:
            limits.distinct(f"item of {where}", [item.name for item in self.items])
            limits.weights(f"{where}: shares of its items", [item.share for item in self.items])
        limits.above(f"{where}: price", self.price, most=limits.MOST_MONEY)
        limits.above(f"{where}: quantity", self.quantity, most=limits.MOST)
        dearest = max((item.price for item in self.items), default=self.price)
        limits.number(f"{where}: price times quantity", dearest * self.quantity, most=limits.MOST_OF_LINE)
        if not self.quantity_spread and self.quantity < 1:
            raise UserError(
                f"{where}: quantity is {self.quantity!r}; it has to be 1 or more, as it is counted in pieces."
            )
        limits.number(f"{where}: weight", self.weight, least=0, most=limits.MOST)
        limits.number(f"{where}: volatility", self.volatility, least=0, most=limits.MOST_VOLATILITY)
        for name in ("price_spread", "quantity_spread"):
            limits.number(f"{where}: {name}", getattr(self, name), least=0, most=limits.MOST_SPREAD)
        limits.share(f"{where}: loyalty", self.loyalty)
        limits.share(f"{where}: margin", self.margin)
        limits.whole(f"{where}: change_days", self.change_days, least=1)

    @property
    def size(self) -> int:
        """How many products it has."""
        return len(self.items) or self.products


@dataclass(frozen=True)
class Promotion:
    """A discount on a category that comes again and again.

    Attributes:
        name: what it is called.
        category: what is cheaper.
        every_days: from one beginning to the next.
        length: days that it lasts.
        discount: share of the price that is taken off.
        lift: elasticity of the category's weight in the discount, times the customer's price sensitivity.
    """

    name: str
    category: str
    every_days: int
    length: int
    discount: float
    lift: float = 3.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        where = f"promotion {self.name!r}"
        limits.whole(f"{where}: length", self.length, least=1)
        limits.whole(f"{where}: every_days", self.every_days, least=self.length)
        limits.share(f"{where}: discount", self.discount)
        limits.number(f"{where}: lift", self.lift, least=0, most=2 * limits.MOST_ELASTICITY)


@dataclass(frozen=True)
class Basket:
    """How a visit's basket is put together.

    Attributes:
        concentration: of the Dirichlet distribution of taste: smaller, and each buys fewer categories.
        online: mean share of visits that are booked through `online_place`.
        online_place: place of those; empty: there is none.
        payments: means of payment -> share.
        payment_loyalty: chance that a customer pays as usual.
    """

    payments: Mapping[str, float]
    concentration: float = 3.0
    online: float = 0.0
    online_place: str = ""
    payment_loyalty: float = 0.8

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.above("basket: concentration", self.concentration, most=limits.MOST)
        limits.share("basket: online", self.online)
        limits.share("basket: payment_loyalty", self.payment_loyalty)
        limits.weights("basket: payments", list(self.payments.values()))
        limits.few("payments of basket", self.payments)
        if self.online and not self.online_place:
            raise UserError("basket: online is above 0 without an online_place. Name the place.")


@dataclass(frozen=True)
class Bills:
    """Lines that come every month without a visit: the plan's fee, the usage.

    Attributes:
        categories: each bill has one line of each.
        place: where bills are booked.
    """

    categories: tuple[str, ...]
    place: str = "bill"


@dataclass(frozen=True)
class Network:
    """Where customers buy.

    Attributes:
        stores: how many there are.
        districts: areas that they lie in.
        home: chance that a visit goes to the customer's own store.
        nearby: chance that it goes to the second one; the rest goes anywhere.
        unequal: exponent of the Zipf law of the stores' sizes.
    """

    stores: int = 60
    districts: int = 6
    home: float = 0.75
    nearby: float = 0.15
    unequal: float = 0.6

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.whole("network: stores", self.stores, least=1)
        limits.whole("network: districts", self.districts, least=1)
        if self.districts > self.stores:
            raise UserError(
                f"network: {self.districts} districts for {self.stores} stores. Have fewer districts."
            )
        for name in ("home", "nearby"):
            limits.share(f"network: {name}", getattr(self, name))
        limits.share("network: home + nearby", self.home + self.nearby)
        limits.number("network: unequal", self.unequal, least=0, most=limits.MOST_ELASTICITY)
