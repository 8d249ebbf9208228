"""One customer's day in plain Python: the same rows that the SQL of `tiles.py` gives, for a posted event.

A day is computed again from all its lines, never added to: so applying an event twice is applying it once,
and a basket whose lines come one by one is still counted once, where it was first known. The measures'
declarations are the only place that says what is counted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import session
from features.customer_store.history import History
from features.customer_store.rows import Days, Keyed, Rows
from features.measures import MEASURES, NUMBERS, PRODUCT_TEXTS, TEXTS, TOUCHES, Measure
from features.tiles import FOREVER

Values = Mapping[str, Any]
Code = Callable[[str], int]
# When a row counts: from the day after it is known, until the day its reference goes to another person.
Span = tuple[int, int]
_LARGEST: Final = 1e12


@dataclass(frozen=True)
class Row:
    """A row of a table of events that counts for the customer.

    Attributes:
        table: its table.
        span: known day and until day.
        values: its stored columns; for a line also `hour` and the product's `PRODUCT_TEXTS`, trimmed and in
            upper case.
    """

    table: str
    span: Span
    values: Values


@dataclass(frozen=True)
class Day:
    """What the store keeps of one customer's day; every list ascending.

    Attributes:
        visits: span and measures, in the order of `MEASURES`.
        touches: span and measures, in the order of `TOUCHES`.
        purchases: product, span and baskets.
        stores: store, span and baskets.
    """

    visits: list[tuple[Span, list[int]]]
    touches: list[tuple[Span, list[int]]]
    purchases: list[tuple[str, Span, int]]
    stores: list[tuple[str, Span, int]]


def compute(rows: Sequence[Row], facts: Collection[str]) -> Day:
    """The rows of a customer's day from all that happened on it.

    Args:
        rows: of that one local day.
        facts: what the source gives; a measure that needs others is 0.
    """
    lines = [row for row in rows if row.table == "transactions"]
    others = [row for row in rows if row.table != "transactions" and row.table in facts]
    return Day(
        _tiles(lines, MEASURES, facts),
        _tiles(others, TOUCHES, facts),
        _keyed(lines, "product_id", lambda values: _quantity(values) > 0),
        _keyed(lines, "store_id", lambda _values: True),
    )


def _quantity(values: Values) -> float:
    """A quantity that is not stated is one piece."""
    quantity = values.get("quantity")
    return 1.0 if quantity is None else float(quantity)


def _tiles(
    rows: Iterable[Row], measures: Sequence[Measure], facts: Collection[str]
) -> list[tuple[Span, list[int]]]:
    present = [(place, m) for place, m in enumerate(measures) if set(m.needs) <= set(facts)]
    totals: dict[Span, list[int]] = defaultdict(lambda: [0] * len(measures))
    baskets: dict[tuple[int, Any], int] = {}
    for row in rows:
        (known, until), numbers = row.span, _numbers(row)
        total = totals[row.span]
        texts = {name: upper(row.values.get(name)) for name in TEXTS[row.table] if name not in PRODUCT_TEXTS}
        read = {
            **{name: _float(numbers.get(name)) for name in NUMBERS[row.table]},
            **{name: row.values.get(name) for name in PRODUCT_TEXTS},
            **texts,
        }
        basket = (until, row.values.get("basket_id"))
        baskets[basket] = min(known, baskets.get(basket, known))
        for place, measure in present:
            # Baskets are counted below, once their first known line is found.
            if measure.table != row.table or measure.column == "basket":
                continue
            if measure.condition is None or measure.condition.one(read):
                total[place] += int(numbers.get(measure.column) or 0)
    for place, measure in present:
        if measure.column == "basket":
            for (until, _), known in baskets.items():
                totals[known, until][place] += 1
    return sorted(totals.items())


def _numbers(row: Row) -> dict[str, int | float | None]:
    """The numbers of a row that measures sum or compare, as the tiles' SQL reads them."""
    values = row.values
    if row.table != "transactions":
        return {**values, "row": 1, "score_milli": _milli(values.get("score"))}
    quantity = _quantity(values)
    return {
        "row": 1,
        "amount_cents": values["amount_cents"],
        "discount_cents": values.get("discount_cents") or 0,
        "quantity": quantity,
        "quantity_milli": _milli(quantity),
        "hour": values["hour"],
    }


def _milli(number: float | None) -> int | None:
    return None if number is None else math.floor(min(max(number, -_LARGEST), _LARGEST) * 1e3 + 0.5)


def _float(number: float | None) -> float:
    return math.nan if number is None else float(number)


def _keyed(lines: Iterable[Row], key: str, counts: Callable[[Values], bool]) -> list[tuple[str, Span, int]]:
    spans: set[tuple[str, Span]] = set()
    firsts: dict[tuple[str, int, Any], int] = {}
    for line in lines:
        name = line.values.get(key)
        if name is None or not counts(line.values):
            continue
        known, until = line.span
        spans.add((name, line.span))
        basket = (name, until, line.values.get("basket_id"))
        firsts[basket] = min(known, firsts.get(basket, known))
    baskets: dict[tuple[str, Span], int] = dict.fromkeys(spans, 0)
    for (name, until, _), known in firsts.items():
        baskets[name, (known, until)] += 1
    return [(name, span, count) for (name, span), count in sorted(baskets.items())]


def upper(text: str | None) -> str | None:
    """A text as the tiles' SQL has it, `upper(trim(..., ' '))`."""
    if text is None or text.isascii():
        return None if text is None else text.strip(" ").upper()
    return _upper_sql(text)


@lru_cache(maxsize=10_000)
def _upper_sql(text: str) -> str:
    """By the database itself: its upper case of letters beyond ASCII is not Python's."""
    with session.connect() as opened:
        return str(opened.execute("SELECT upper(trim(?, ' '))", [text]).fetchall()[0][0])


def replaced(history: History, day: int, computed: Day, product: Code, store: Code) -> History:
    """A history with the rows of one day replaced.

    Args:
        history: the customer's.
        day: the local day.
        computed: all that is kept of it.
        product: code of a product.
        store: code of a store.
    """
    return history._replace(
        visits=_with_tiles(history.visits, day, computed.visits),
        touches=_with_tiles(history.touches, day, computed.touches),
        products=_with_keys(history.products, day, computed.purchases, product),
        stores=_with_keys(history.stores, day, computed.stores, store),
    )


def _with_tiles(rows: Rows, day: int, tiles: Sequence[tuple[Span, list[int]]]) -> Rows:
    kept = rows.day != day
    if kept.all() and not tiles:
        return rows
    spans = [span for span, _ in tiles]
    values = np.array([measures for _, measures in tiles], dtype=np.int64).reshape(
        len(tiles), len(rows.values)
    )
    days, known, until = _with_spans(rows, kept, day, spans)
    order = np.lexsort((until, known, days))
    joined = np.concatenate([rows.values[:, kept].astype(np.int64), values.T], axis=1)
    return Rows.of(days[order], known[order], joined[:, order], until[order])


def _with_keys(keyed: Keyed, day: int, rows: Sequence[tuple[str, Span, int]], code: Code) -> Keyed:
    kept = keyed.day != day
    if kept.all() and not rows:
        return keyed
    codes = np.array([code(name) for name, _, _ in rows], dtype=np.int32)
    baskets = np.array([count for _, _, count in rows], dtype=np.int64)
    days, known, until = _with_spans(keyed, kept, day, [span for _, span, _ in rows])
    keys = np.concatenate([keyed.keys[kept], codes])
    order = np.lexsort((until, known, days, keys))
    counts = np.concatenate([keyed.baskets[kept].astype(np.int64), baskets])
    return Keyed.of(keys[order], days[order], known[order], counts[order], until[order])


def _with_spans(
    rows: Rows | Keyed, kept: NDArray[np.bool_], day: int, spans: Sequence[Span]
) -> tuple[Days, Days, Days]:
    """Days, known days and until days of the rows kept, then of the new ones."""
    until = np.full(len(rows.day), FOREVER, dtype=np.int32) if rows.until_day is None else rows.until_day
    new = np.array(spans, dtype=np.int32).reshape(len(spans), 2)
    return (
        np.concatenate([rows.day[kept], np.full(len(spans), day, dtype=np.int32)]),
        np.concatenate([rows.known_day[kept], new[:, 0]]),
        np.concatenate([until[kept], new[:, 1]]),
    )
