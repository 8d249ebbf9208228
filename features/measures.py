"""Measures: the whole numbers that a tile keeps of a customer's day, each declared in one line.

Whole numbers, because float sums differ in the last bit between engines and integer sums never do. A change
here changes the tiles' hash, so that older builds are made again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from features.expressions.expression import Expression, parse

# What a measure's condition may read of a row of each table. Texts are trimmed and in upper case; `hour` is
# the local hour, 0 to 23.
NUMBERS: Final[dict[str, tuple[str, ...]]] = {
    "transactions": ("amount_cents", "discount_cents", "quantity", "hour"),
    "exposures": ("cost_cents",),
    "responses": ("amount_cents",),
    "service_events": ("score",),
}
TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "transactions": ("channel", "department", "category", "brand"),
    "exposures": ("channel",),
    "responses": ("kind",),
    "service_events": ("kind", "reason", "status"),
}
# Those of a line that come from its product.
PRODUCT_TEXTS: Final = ("department", "category", "brand")

PRODUCTS: Final = ("products",)
CHANNEL: Final = ("channel",)


@dataclass(frozen=True)
class Measure:
    """A whole number kept for each tile.

    Attributes:
        name: column of the tiles.
        meaning: what it counts, with its unit.
        column: what is summed over the rows: `row` (1 each), `basket` (1 each, at its first known line), or
            a whole-number column: `amount_cents`, `discount_cents`, `cost_cents`, `quantity_milli` and
            `score_milli` (thousandths).
        where: which rows count (an expression over a row); empty: all.
        needs: facts that it reads (`features.facts`). Where one is absent it is 0 and features of it unknown.
        table: of which table's rows.
    """

    name: str
    meaning: str
    column: str
    where: str = ""
    needs: tuple[str, ...] = ()
    table: str = "transactions"

    @cached_property
    def condition(self) -> Expression | None:
        """Which rows count; None for all."""
        if not self.where:
            return None
        return parse(self.where, NUMBERS[self.table], kind="boolean", texts=TEXTS[self.table])

    def sql(self, test: str = "") -> str:
        """The aggregate over rows; for baskets over lines of one basket. `test` stands for the condition."""
        if self.column == "basket":
            return "1"
        value = "1" if self.column == "row" else self.column
        test = test or (self.condition.sql() if self.condition else "")
        counted = f"CASE WHEN {test} THEN {value} ELSE 0 END" if test else value
        return f"COALESCE(SUM({counted}), 0)"


def _goods(
    name: str, meaning: str, *, departments: Collection[str] = (), categories: Collection[str] = ()
) -> tuple[Measure, Measure]:
    """Lines and money of a group of departments and categories."""
    tests = [
        f"{column} IN ({', '.join(repr(value) for value in values)})"
        for column, values in (("department", departments), ("category", categories))
        if values
    ]
    where = " OR ".join(tests)
    return (
        Measure(f"{name}_lines", f"lines of {meaning}", "row", where, PRODUCTS),
        Measure(f"{name}_cents", f"money spent on {meaning}, cents", "amount_cents", where, PRODUCTS),
    )


MEASURES: Final[tuple[Measure, ...]] = (
    Measure("baskets", "baskets; lines without a basket count as one basket a day", "basket"),
    Measure("lines", "lines", "row"),
    Measure("amount_cents", "money spent, refunds taken off, cents", "amount_cents"),
    Measure("discount_cents", "money taken off by discounts, cents", "discount_cents"),
    Measure("discounted_lines", "lines with a discount", "row", "discount_cents > 0"),
    Measure(
        "deep_lines",
        "lines with three tenths or more taken off the price",
        "row",
        "discount_cents > 0 AND discount_cents * 10 >= (amount_cents + discount_cents) * 3",
    ),
    Measure(
        "returned_lines", "lines that give money or goods back", "row", "amount_cents < 0 OR quantity < 0"
    ),
    Measure("returned_cents", "money given back, negative, cents", "amount_cents", "amount_cents < 0"),
    Measure("quantity_milli", "units bought, thousandths; an unknown quantity is 1", "quantity_milli"),
    Measure("morning_lines", "lines bought from 5 to 11 o'clock", "row", "hour BETWEEN 5 AND 10"),
    Measure("midday_lines", "lines bought from 11 to 14 o'clock", "row", "hour BETWEEN 11 AND 13"),
    Measure("evening_lines", "lines bought from 18 to 23 o'clock", "row", "hour BETWEEN 18 AND 22"),
    Measure("night_lines", "lines bought from 23 to 5 o'clock", "row", "hour >= 23 OR hour < 5"),
    Measure("forecourt_lines", "lines bought at the pump", "row", "channel = 'FORECOURT'", CHANNEL),
    Measure(
        "online_lines",
        "lines bought by app or online",
        "row",
        "channel IN ('APP', 'ONLINE', 'WEB', 'WECHAT', 'DELIVERY')",
        CHANNEL,
    ),
    Measure("private_lines", "lines of private labels", "row", "brand = 'PRIVATE'", PRODUCTS),
    Measure(
        "private_cents", "money spent on private labels, cents", "amount_cents", "brand = 'PRIVATE'", PRODUCTS
    ),
    *_goods("fuel", "fuel", departments=["FUEL"]),
    Measure(
        "fuel_milli", "units of fuel bought, thousandths", "quantity_milli", "department = 'FUEL'", PRODUCTS
    ),
    *_goods("grocery", "grocery", departments=["GROCERY", "FROZEN GROCERY"]),
    *_goods("produce", "fruit and vegetables", departments=["PRODUCE"]),
    *_goods("meat", "meat and fish", departments=["MEAT", "MEAT-PCKGD", "SEAFOOD", "SEAFOOD-PCKGD"]),
    *_goods(
        "deli",
        "delicatessen, bakery and ready meals",
        departments=["DELI", "PASTRY", "SALAD BAR", "CHEF SHOPPE", "RESTAURANT"],
    ),
    *_goods("home_care", "drugstore and household goods", departments=["DRUG GM", "COSMETICS", "NUTRITION"]),
    *_goods(
        "drinks",
        "soft drinks, water and juices",
        categories=[
            "SOFT DRINKS",
            "WATER - CARBONATED/FLVRD DRINK",
            "WATER",
            "CANNED JUICES",
            "REFRGRATD JUICES/DRNKS",
            "ISOTONIC DRINKS",
            "COFFEE",
            "DRINKS",
        ],
    ),
    *_goods(
        "snacks",
        "snacks and sweets",
        categories=[
            "BAG SNACKS",
            "CANDY - CHECKLANE",
            "CANDY - PACKAGED",
            "COOKIES/CONES",
            "BAKED SWEET GOODS",
            "WAREHOUSE SNACKS",
            "SNACKS",
        ],
    ),
    *_goods(
        "dairy",
        "milk, cheese and eggs",
        categories=["FLUID MILK PRODUCTS", "CHEESE", "YOGURT", "EGGS", "MILK BY-PRODUCTS", "DAIRY"],
    ),
    *_goods(
        "alcohol",
        "beer, wine and spirits",
        departments=["SPIRITS"],
        categories=["BEERS/ALES", "DOMESTIC WINE", "IMPORTED WINE", "LIQUOR"],
    ),
    *_goods("car", "car care", departments=["AUTOMOTIVE", "CAR CARE"], categories=["AUTOMOTIVE PRODUCTS"]),
)
MEASURE_NAMES: Final = tuple(measure.name for measure in MEASURES)


def _touch(name: str, meaning: str, table: str, where: str = "", column: str = "row") -> Measure:
    return Measure(name, meaning, column, where, (table,), table)


# What happened between the customer and the company beside purchases.
TOUCHES: Final[tuple[Measure, ...]] = (
    _touch("contacts", "contacts made", "exposures"),
    _touch("contact_cents", "cost of contacts, cents", "exposures", column="cost_cents"),
    _touch("responses", "answers to contacts and campaigns", "responses"),
    _touch("redemptions", "coupons and offers redeemed", "responses", "kind = 'REDEMPTION'"),
    _touch("refusals", "refusals", "responses", "kind = 'REFUSAL'"),
    _touch("clicks", "clicks", "responses", "kind = 'CLICK'"),
    _touch("complaints", "complaints", "service_events", "kind = 'COMPLAINT'"),
    _touch("ratings", "ratings with a score", "service_events", "kind = 'RATING' AND score IS NOT NULL"),
    _touch(
        "rating_milli", "sum of the ratings, thousandths", "service_events", "kind = 'RATING'", "score_milli"
    ),
    _touch("care_visits", "visits by staff", "service_events", "kind = 'VISIT'"),
    _touch("surveys", "surveys answered", "service_events", "kind = 'SURVEY'"),
    _touch("referrals", "others brought as customers", "service_events", "kind = 'REFERRAL'"),
)
TOUCH_NAMES: Final = tuple(measure.name for measure in TOUCHES)
