"""Tiles: a customer's day as a few whole numbers, the one source from which every feature is computed.

A tile is one row per (customer_id, day, known_day) with an int64 for each measure: whole numbers, because
float sums differ in the last bit between engines and integer sums never do. A line that becomes known late
has its own tile, so that a tile is either visible at an as-of or not. Beside the tiles stand the purchases:
one row per (customer_id, product_id, day, known_day).

Adding a measure is one line in `MEASURES`; it changes the tiles' hash, so older builds are rebuilt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

from features.expressions import parse

# What a measure's condition may read of a line. Texts are trimmed and in upper case.
LINE_NUMBERS: Final = ("amount_cents", "discount_cents", "quantity")
LINE_TEXTS: Final = ("department", "category", "brand")
PRODUCTS: Final = ("products",)


@dataclass(frozen=True)
class Measure:
    """A whole number kept for each tile.

    Attributes:
        name: column of the tiles.
        meaning: what it counts, with its unit.
        column: what is summed over the lines: `line` (1 each), `amount_cents`, `discount_cents`,
            `quantity_milli` (thousandths of a unit), or `basket` (1 each, at its first known line).
        where: which lines count (an expression over a line); empty: all.
        needs: optional tables it reads. Where one is absent the measure is 0 and features of it are unknown.
    """

    name: str
    meaning: str
    column: str
    where: str = ""
    needs: tuple[str, ...] = ()

    def sql(self) -> str:
        """The aggregate over lines of one basket."""
        if self.column == "basket":
            return "1"
        total = "COUNT(*)" if self.column == "line" else f"SUM({self.column})"
        if self.where:
            total += f" FILTER (WHERE {_condition(self.where)})"
        return f"COALESCE({total}, 0)"


@cache
def _condition(where: str) -> str:
    return parse(where, LINE_NUMBERS, kind="boolean", texts=LINE_TEXTS).sql()


def _kind(name: str, meaning: str, *departments: str) -> tuple[Measure, Measure]:
    """Lines and money of a group of departments."""
    where = f"department IN ({', '.join(repr(d) for d in departments)})"
    return (
        Measure(f"{name}_lines", f"lines of {meaning}", "line", where, PRODUCTS),
        Measure(f"{name}_cents", f"money spent on {meaning}, cents", "amount_cents", where, PRODUCTS),
    )


MEASURES: Final[tuple[Measure, ...]] = (
    Measure("baskets", "baskets; lines without a basket count as one basket a day", "basket"),
    Measure("lines", "lines", "line"),
    Measure("amount_cents", "money spent, refunds taken off, cents", "amount_cents"),
    Measure("discount_cents", "money taken off by discounts, cents", "discount_cents"),
    Measure("discounted_lines", "lines with a discount", "line", "discount_cents > 0"),
    Measure(
        "returned_lines", "lines that give money or goods back", "line", "amount_cents < 0 OR quantity < 0"
    ),
    Measure("quantity_milli", "units bought, thousandths; an unknown quantity is 1", "quantity_milli"),
    Measure("private_lines", "lines of private labels", "line", "brand = 'PRIVATE'", PRODUCTS),
    Measure(
        "private_cents", "money spent on private labels, cents", "amount_cents", "brand = 'PRIVATE'", PRODUCTS
    ),
    *_kind("fuel", "fuel", "FUEL"),
    *_kind("grocery", "grocery", "GROCERY", "FROZEN GROCERY"),
    *_kind("produce", "fruit and vegetables", "PRODUCE"),
    *_kind("meat", "meat and fish", "MEAT", "MEAT-PCKGD", "SEAFOOD", "SEAFOOD-PCKGD"),
    *_kind(
        "deli",
        "delicatessen, bakery and ready meals",
        "DELI",
        "PASTRY",
        "SALAD BAR",
        "CHEF SHOPPE",
        "RESTAURANT",
    ),
    *_kind("household", "drugstore and household goods", "DRUG GM", "COSMETICS", "NUTRITION"),
)
MEASURE_NAMES: Final = tuple(measure.name for measure in MEASURES)


@cache
def measures_hash() -> str:
    """Fingerprint of what tiles hold; a change means that tiles have to be computed again."""
    return hashlib.sha256((repr(MEASURES) + tiles_sql(PRODUCTS) + purchases_sql()).encode()).hexdigest()


def tiles_sql(tables: Collection[str]) -> str:
    """SQL for the tiles over the views `transactions` and, if among `tables`, `products`.

    Columns: customer_id, day, known_day, then the measures; sorted by the first three. A basket whose lines
    become known on different days is counted once, in the tile where it is first known.
    """
    present = [m for m in MEASURES if set(m.needs) <= set(tables)]
    absent = [m for m in MEASURES if m not in present]
    with_products = "products" in tables
    texts = ", ".join(f"upper(trim({column})) AS {column}" for column in LINE_TEXTS)
    product = (
        f"LEFT JOIN (SELECT product_id, {texts} FROM products) USING (product_id)" if with_products else ""
    )
    summed = ",\n       ".join(f"{m.sql()} AS {m.name}" for m in present)
    totals = ",\n       ".join(
        f"CAST(SUM({m.name}{' * is_new' if m.column == 'basket' else ''}) AS BIGINT) AS {m.name}"
        if m in present
        else f"CAST(0 AS BIGINT) AS {m.name}"
        for m in [*present, *absent]
    )
    ordered = ", ".join(MEASURE_NAMES)
    return f"""
WITH lines_read AS (
  SELECT customer_id, day, known_day, basket_id, amount_cents, COALESCE(discount_cents, 0) AS discount_cents,
         COALESCE(quantity, 1) AS quantity,
         CAST(least(greatest(COALESCE(quantity, 1), -1e12), 1e12) * 1e3 AS BIGINT) AS quantity_milli,
         {", ".join(LINE_TEXTS) if with_products else ", ".join(f"NULL AS {c}" for c in LINE_TEXTS)}
  FROM transactions {product}
), baskets_read AS (
  SELECT customer_id, day, known_day, basket_id,
       {summed}
  FROM lines_read GROUP BY customer_id, day, known_day, basket_id
), baskets_once AS (
  SELECT *, CAST(known_day = MIN(known_day) OVER one_basket AS BIGINT) AS is_new
  FROM baskets_read WINDOW one_basket AS (PARTITION BY customer_id, day, basket_id)
), totals AS (
  SELECT customer_id, day, known_day,
       {totals}
  FROM baskets_once GROUP BY customer_id, day, known_day
)
SELECT customer_id, day, known_day, {ordered} FROM totals ORDER BY customer_id, day, known_day"""


def purchases_sql() -> str:
    """SQL for the purchases over the view `transactions`: lines with a product and a quantity above 0.

    Columns: customer_id, product_id, day, known_day, baskets (distinct, each counted where it is first
    known), amount_cents; sorted by the first four.
    """
    return """
WITH bought AS (
  SELECT customer_id, product_id, day, known_day, basket_id, SUM(amount_cents) AS amount_cents
  FROM transactions WHERE product_id IS NOT NULL AND COALESCE(quantity, 1) > 0
  GROUP BY customer_id, product_id, day, known_day, basket_id
), firsts AS (
  SELECT customer_id, product_id, day, basket_id, MIN(known_day) AS known_day
  FROM bought GROUP BY customer_id, product_id, day, basket_id
), counted AS (
  SELECT customer_id, product_id, day, known_day, COUNT(*) AS baskets
  FROM firsts GROUP BY customer_id, product_id, day, known_day
), paid AS (
  SELECT customer_id, product_id, day, known_day, CAST(SUM(amount_cents) AS BIGINT) AS amount_cents
  FROM bought GROUP BY customer_id, product_id, day, known_day
)
SELECT customer_id, product_id, day, known_day, COALESCE(baskets, 0) AS baskets, amount_cents
FROM paid LEFT JOIN counted USING (customer_id, product_id, day, known_day)
ORDER BY customer_id, product_id, day, known_day"""
