"""The forms in which a feature is declared. A declaration is data; they stand in `catalogue.yaml`.

The unit of computation is a visit row: the tiles of one customer and one day that are visible at the as-of
T, added up. A row counts at T iff its day and its known day are before T. A customer is present at T iff
there is such a row. The columns of a visit row are the tiles' measures and `ROW_COLUMNS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from features.tiles import MEASURE_NAMES

Operation = Literal["count", "sum", "min", "max", "last"]
OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)

# Columns of a visit row beside the measures, and what they mean; at the first visit both gaps are NULL.
ROW_COLUMNS: Final[dict[str, str]] = {
    "age": "days from the visit to T; 1 is the day before T",
    "gap": "days since the previous visit",
    "gap_squared": "square of `gap`",
    "rank": "1 for the last visit before T, 2 for the one before it, and so on",
    "recency": "days from the customer's last visit to T",
    "weekday": "0 Monday to 6 Sunday",
    "opens_week": "1 if it is the first visit within its 7-day block counted back from T, else 0",
}
COLUMNS: Final = (*MEASURE_NAMES, *ROW_COLUMNS)

FAMILIES: Final[dict[str, str]] = {
    "recency": "How long ago",
    "frequency": "How often",
    "money": "How much",
    "discount": "Discounts and price sensitivity",
    "rhythm": "Gaps between visits and their spread, weekdays",
    "fuel": "Fuel",
    "categories": "What is bought",
}


@dataclass(frozen=True)
class Feature:
    """An aggregate over a customer's visit rows before T.

    Attributes:
        name: unique name.
        family: one of `FAMILIES`.
        unit: of the value.
        meaning: in English.
        meaning_zh: in Chinese.
        op: `count` (rows), `sum`, `min`, `max`, or `last` (value at the latest row where it is known).
            Without rows, `count` and `sum` are 0, the others unknown.
        column: column of a visit row; empty for `count`.
        where: which rows count, an expression over `COLUMNS`; empty: all.
        days: the window [T - days, T); None: all history.
        needs: optional tables; where one is absent the feature is unknown.
        part: computed for other features only, not in the catalogue's values.
    """

    name: str
    family: str
    unit: str
    meaning: str
    meaning_zh: str
    op: Operation
    column: str = ""
    where: str = ""
    days: int | None = None
    needs: tuple[str, ...] = ()
    part: bool = False


@dataclass(frozen=True)
class Derived:
    """A formula over features declared before it; unknown if a table that one of them needs is absent."""

    name: str
    family: str
    unit: str
    meaning: str
    meaning_zh: str
    formula: str
    part: bool = False


Declaration = Feature | Derived
