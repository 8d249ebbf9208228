"""Tiles: a customer's day as a few whole numbers, the one source from which every feature is computed.

A tile is one row per (customer_id, day, known_day) with an int64 for each measure (`measures.py`). A row that
becomes known late has its own tile, so that a tile is either visible at an as-of or not. Beside the tiles of
visits stand those of touches (contacts, responses, service events), and two relations by key: one row per
(customer_id, product_id or store_id, day, known_day).

Where references have been joined into persons (`people`), a row counts for the person it belonged to at the
time: it has an `until_day`, and is visible at T iff day < T, known_day < T and T <= until_day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import cache
from typing import Final

from features.facts import FACTS, PEOPLE
from features.measures import MEASURES, PRODUCT_TEXTS, TEXTS, TOUCHES, Measure

FOREVER: Final = 2**31 - 1
UNTIL_DAY: Final = "until_day"
# May stand among the facts where every line is known on its own day and no references have been joined: a
# customer then has one tile a day, and quicker SQL gives the same numbers. Who says nothing of it is safe.
PROMPT: Final = "prompt"
# The relation of declarations that each view, and file of a build, holds.
RELATION_VIEWS: Final = {
    "visits": "tiles",
    "touches": "touches",
    "products": "purchases",
    "stores": "store_baskets",
}
KEYS: Final = {"purchases": "product_id", "store_baskets": "store_id"}


@cache
def measures_hash() -> str:
    """Fingerprint of what tiles hold; a change means that tiles have to be computed again."""
    texts = [repr(MEASURES), repr(TOUCHES)]
    for facts in (FACTS, (*FACTS, PEOPLE)):
        texts += [relation_sql(name, facts) for name in RELATION_VIEWS.values()]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def row_key(facts: Collection[str]) -> tuple[str, ...]:
    """The columns that say when a row of any relation counts."""
    return ("day", "known_day", UNTIL_DAY) if PEOPLE in facts else ("day", "known_day")


def owned_sql(table: str, columns: Sequence[str], facts: Collection[str]) -> str:
    """A table's rows, each with the customer it counts for and from when until when."""
    cells = ", ".join(columns)
    if PEOPLE not in facts:
        return f"SELECT customer_id, day, known_day, {cells} FROM {table}"
    known = "GREATEST(known_day, COALESCE(from_day, known_day))"
    until = f"COALESCE(to_day, {FOREVER})"
    return (
        f"SELECT COALESCE(people.customer_id, {table}.customer_id) AS customer_id, day, "
        f"{known} AS known_day, {until} AS {UNTIL_DAY}, {cells} FROM {table} LEFT JOIN people "
        f"ON people.reference = {table}.customer_id WHERE {known} < {until}"
    )


def relation_sql(view: str, facts: Collection[str]) -> str:
    """SQL for one of `RELATION_VIEWS`, sorted, over the tables and `people` as far as among `facts`."""
    key = KEYS.get(view)
    order = ", ".join(("customer_id", *((key,) if key else ()), *row_key(facts)))
    return f"{unsorted_sql(view, facts)} ORDER BY {order}"


def unsorted_sql(view: str, facts: Collection[str]) -> str:
    """The rows of `relation_sql` in no order: sorting them takes as long as adding them up."""
    if view == "tiles":
        return _tiles(facts)
    return _touches(facts) if view == "touches" else _keyed(KEYS[view], facts)


def _tiles(facts: Collection[str]) -> str:
    """The tiles of visits over `transactions` and, as far as among `facts`, `products`.

    Columns: customer_id, day, known_day (and until_day), then the measures. A basket whose lines become known
    on different days is counted once, in the tile where it is first known.
    """
    keys = ", ".join(("customer_id", *row_key(facts)))
    present = [m for m in MEASURES if set(m.needs) <= set(facts)]
    with_products = "products" in facts
    read = ("basket_id", "product_id", "amount_cents", "discount_cents", "quantity", "hour", "channel")
    attributes = ", ".join(f"upper(trim({column}, ' ')) AS {column}" for column in PRODUCT_TEXTS)
    texts = ", ".join(
        column if with_products else f"CAST(NULL AS VARCHAR) AS {column}" for column in PRODUCT_TEXTS
    )
    kinds = _kinds(present) if with_products else {}
    flags = "".join(f", {test} AS {flag}" for test, flag in kinds.items())
    read_product = f"SELECT product_id, {attributes} FROM products"
    product = f"LEFT JOIN (SELECT *{flags} FROM ({read_product}) AS named) AS p USING (product_id)"
    texts += "".join(f", {flag}" for flag in kinds.values())
    tests = {m: kinds.get(m.condition.sql(), "") if m.condition else "" for m in present}
    summed = ", ".join(f"{m.sql(test)} AS {m.name}" for m, test in tests.items())
    return f"""
WITH lines_read AS (
  SELECT {keys}, basket_id, amount_cents, COALESCE(discount_cents, 0) AS discount_cents,
         COALESCE(quantity, 1) AS quantity, {_milli("COALESCE(quantity, 1)")} AS quantity_milli, hour,
         upper(trim(channel, ' ')) AS channel, {texts}
  FROM ({owned_sql("transactions", read, facts)}) AS owned {product if with_products else ""}
), baskets_read AS (
  SELECT {keys}, basket_id, {summed} FROM lines_read GROUP BY {keys}, basket_id
), baskets_once AS (
  SELECT *, {_is_new((), facts)} AS is_new FROM baskets_read
), totals AS (
  SELECT {keys}, {_totals(MEASURES, present)} FROM baskets_once GROUP BY {keys}
)
SELECT * FROM totals"""


def _touches(facts: Collection[str]) -> str:
    """The tiles of touches over `exposures`, `responses` and `service_events`, if among `facts`.

    Columns as those of `_tiles`, with the measures of touches.
    """
    keys = ", ".join(("customer_id", *row_key(facts)))
    present = [m for m in TOUCHES if set(m.needs) <= set(facts)]
    parts = []
    for table in dict.fromkeys(m.table for m in present):
        texts = [f"upper(trim({column}, ' ')) AS {column}" for column in TEXTS[table]]
        numbers = {
            "exposures": ["cost_cents"],
            "responses": ["amount_cents"],
            "service_events": ["score", f"{_milli('COALESCE(score, 0)')} AS score_milli"],
        }[table]
        rows = f"SELECT {keys}, {', '.join([*texts, *numbers])} FROM ({_touch_rows(table, facts)}) AS owned"
        cells = ", ".join(
            f"CAST({m.sql() if m.table == table else 0} AS BIGINT) AS {m.name}" for m in present
        )
        parts.append(f"SELECT {keys}, {cells} FROM ({rows}) AS {table}_read GROUP BY {keys}")
    if not parts:
        nothing = ", ".join(f"CAST(NULL AS INTEGER) AS {key}" for key in row_key(facts))
        cells = ", ".join(f"CAST(0 AS BIGINT) AS {m.name}" for m in TOUCHES)
        return f"SELECT CAST(NULL AS VARCHAR) AS customer_id, {nothing}, {cells} WHERE 1 = 0"
    return (
        f"SELECT {keys}, {_totals(TOUCHES, present)} FROM ({' UNION ALL '.join(parts)}) AS touched "
        f"GROUP BY {keys}"
    )


def _touch_rows(table: str, facts: Collection[str]) -> str:
    numbers = {"exposures": "cost_cents", "responses": "amount_cents", "service_events": "score"}
    return owned_sql(table, (*TEXTS[table], numbers[table]), facts)


def _keyed(key: str, facts: Collection[str]) -> str:
    """The baskets of each customer by product or by store over `transactions`.

    Lines of a product count with a quantity above 0. Columns: customer_id, the key, day, known_day (and
    until_day), baskets (distinct, each counted where it is first known), amount_cents.
    """
    keys = ", ".join(("customer_id", key, *row_key(facts)))
    bought = f"{key} IS NOT NULL" + (" AND COALESCE(quantity, 1) > 0" if key == "product_id" else "")
    read = (key, "basket_id", "amount_cents", "quantity")
    return f"""
WITH bought AS (
  SELECT {keys}, basket_id, SUM(amount_cents) AS amount_cents
  FROM ({owned_sql("transactions", read, facts)}) AS owned WHERE {bought} GROUP BY {keys}, basket_id
), counted AS (
  SELECT *, {_is_new((key,), facts)} AS is_new FROM bought
)
SELECT {keys}, CAST(SUM(is_new) AS BIGINT) AS baskets, CAST(SUM(amount_cents) AS BIGINT) AS amount_cents
FROM counted GROUP BY {keys}"""


def _is_new(keys: Sequence[str], facts: Collection[str]) -> str:
    """1 where a basket is first known, else 0."""
    if PROMPT in facts:
        return "1"
    same = ", ".join(("customer_id", *keys, "day", *row_key(facts)[2:], "basket_id"))
    return f"CASE WHEN known_day = MIN(known_day) OVER (PARTITION BY {same}) THEN 1 ELSE 0 END"


def _kinds(measures: Sequence[Measure]) -> dict[str, str]:
    """The conditions that are told of a product once, not of each of its lines, and their names.

    A line of an unlisted product has none of these kinds.
    """
    unlisted = dict.fromkeys(PRODUCT_TEXTS)
    conditions = [m.condition for m in measures if m.condition and m.condition.names <= set(unlisted)]
    tests = dict.fromkeys(c.sql() for c in conditions if c.one(unlisted) is not True)
    return {test: f"kind_{number}" for number, test in enumerate(tests)}


def _totals(measures: Sequence[Measure], present: Sequence[Measure]) -> str:
    cells = []
    for measure in measures:
        value = measure.name + (" * is_new" if measure.column == "basket" else "")
        cells.append(f"CAST({f'SUM({value})' if measure in present else 0} AS BIGINT) AS {measure.name}")
    return ",\n       ".join(cells)


def _milli(number: str) -> str:
    """Thousandths, written so that every engine rounds alike, and held within 64 bits."""
    return f"CAST(FLOOR(LEAST(GREATEST({number}, -1e12), 1e12) * 1e3 + 0.5) AS BIGINT)"
