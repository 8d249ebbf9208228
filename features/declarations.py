"""The forms in which a feature is declared. A declaration is data; they stand in `catalogue.yaml`.

A feature aggregates the rows of one relation that are visible at the as-of T, or is a formula over others. A
row counts at T iff its day and its known day are before T (and, where references were joined into persons, it
still belongs to the customer). A customer is present at T iff there is such a row of `visits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from features.measures import MEASURES, TOUCHES

Operation = Literal["count", "sum", "min", "max", "last"]
OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)
Relation = Literal["visits", "touches", "products", "stores", "household"]
RELATIONS: Final[dict[str, str]] = {
    "visits": "one row per day with a purchase",
    "touches": "one row per day with a contact, an answer or a service event",
    "products": "one row per product bought before T",
    "stores": "one row per store bought at before T",
    "household": "one row per member of the customer's household, the customer too; none without a household",
}

# Columns of a row beside the measures, and what they mean.
_AGE: Final = "days from the row's day to T; 1 is the day before T"
# At the first visit both gaps are NULL.
ROW_COLUMNS: Final[dict[str, str]] = {
    "age": _AGE,
    "gap": "days since the previous visit",
    "gap_squared": "square of `gap`",
    "rank": "1 for the last visit before T, 2 for the one before it, and so on",
    "recency": "days from the customer's last visit to T",
    "weekday": "0 Monday to 6 Sunday",
    "opens_week": "1 if it is the first visit within its 7-day block counted back from T, else 0",
}
KEY_COLUMNS: Final[dict[str, str]] = {
    "age": "days from the last basket to T",
    "first_age": "days from the first basket to T",
    "baskets_28": "baskets in the last 28 days",
    "baskets_91": "baskets in the last 91 days",
    "baskets_all": "baskets before T",
}
MEMBER_COLUMNS: Final[dict[str, str]] = {
    "age": "days from the member's last visit to T; unknown without one",
    "visits_91": "days with a visit in the last 91 days",
    "spend_91": "money spent in the last 91 days, cents",
    "itself": "1 for the customer, 0 for the others",
}
COLUMNS_OF: Final[dict[str, dict[str, str]]] = {
    "visits": {**{m.name: m.meaning for m in MEASURES}, **ROW_COLUMNS},
    "touches": {**{m.name: m.meaning for m in TOUCHES}, "age": _AGE},
    "products": KEY_COLUMNS,
    "stores": KEY_COLUMNS,
    "household": MEMBER_COLUMNS,
}
# The relations whose rows have a day of their own: windows and `last` need one.
DATED: Final = ("visits", "touches")

FAMILIES: Final[dict[str, str]] = {
    "recency": "How long ago",
    "frequency": "How often",
    "money": "How much",
    "discount": "Discounts and price sensitivity",
    "rhythm": "Gaps between visits and their spread",
    "hours": "Weekdays and hours",
    "fuel": "Fuel",
    "categories": "What is bought",
    "breadth": "Breadth and novelty",
    "stores": "Stores and channels",
    "campaigns": "Campaigns and redemptions",
    "service": "Service events",
    "household": "The household",
}


@dataclass(frozen=True)
class Feature:
    """An aggregate over a customer's rows of a relation before T.

    Attributes:
        name: unique name.
        family: one of `FAMILIES`.
        unit: of the value.
        meaning: in English.
        meaning_zh: in Chinese.
        op: `count` (rows), `sum`, `min`, `max`, or `last` (value at the latest row where it is known).
            Without rows, `count` and `sum` are 0, the others unknown.
        column: column of a row; empty for `count`.
        where: which rows count, an expression over the relation's columns; empty: all.
        days: the window [T - days, T); None: all history.
        needs: facts (`features.facts`); where one is absent the feature is unknown.
        part: computed for other features only, not in the catalogue's values.
        of: one of `RELATIONS`.
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
    of: Relation = "visits"


@dataclass(frozen=True)
class Derived:
    """A formula over features declared before it; unknown if a fact that one of them needs is absent."""

    name: str
    family: str
    unit: str
    meaning: str
    meaning_zh: str
    formula: str
    part: bool = False


Declaration = Feature | Derived
