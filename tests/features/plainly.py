"""Features of one customer in plain Python, row by row, straight from the declarations: slow and obvious."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from features.catalogue import formula
from features.customer_store.history import History
from features.customer_store.rows import INT32_MAX, Keyed, Rows
from features.declarations import COLUMNS_OF, Declaration, Feature
from features.expressions.expression import parse
from features.measures import MEASURE_NAMES, TOUCH_NAMES

Row = dict[str, float]


def features(declarations: Iterable[Declaration], history: History, as_of: int) -> dict[str, float] | None:
    """Values by name, NaN where unknown; None if no visit counts."""
    visits = _visits(history.visits, as_of)
    if not visits:
        return None
    rows = {
        "visits": visits,
        "touches": _days(history.touches, TOUCH_NAMES, as_of),
        "products": _keys(history.products, as_of),
        "stores": _keys(history.stores, as_of),
        "household": _household(history, as_of),
    }
    values: dict[str, float] = {}
    for declaration in declarations:
        if isinstance(declaration, Feature):
            values[declaration.name] = _aggregate(declaration, rows[declaration.of])
        else:
            values[declaration.name] = formula(declaration).one(values)
    return values


def _aggregate(feature: Feature, rows: Sequence[Row]) -> float:
    if feature.where:
        test = parse(feature.where, COLUMNS_OF[feature.of], kind="boolean")
        rows = [row for row in rows if test.one(row)]
    if feature.days is not None:
        rows = [row for row in rows if row["age"] <= feature.days]
    if feature.op == "count":
        return float(len(rows))
    known = [row[feature.column] for row in rows if not math.isnan(row[feature.column])]
    if feature.op == "sum":
        return float(sum(map(int, known)))
    if not known:
        return math.nan
    return {"min": min, "max": max, "last": lambda values: values[-1]}[feature.op](known)


def _seen(rows: Rows | Keyed, as_of: int) -> list[int]:
    ends = [INT32_MAX] * len(rows.day) if rows.until_day is None else rows.until_day.tolist()
    known = zip(rows.day.tolist(), rows.known_day.tolist(), ends, strict=True)
    return [i for i, (day, known_day, end) in enumerate(known) if day < as_of and known_day < as_of <= end]


def _days(rows: Rows, names: Sequence[str], as_of: int) -> list[Row]:
    by_day: dict[int, list[int]] = {}
    for i in _seen(rows, as_of):
        by_day.setdefault(int(rows.day[i]), []).append(i)
    return [
        {
            "age": float(as_of - day),
            **{name: float(sum(int(rows.values[m, i]) for i in of_day)) for m, name in enumerate(names)},
        }
        for day, of_day in sorted(by_day.items())
    ]


def _visits(rows: Rows, as_of: int) -> list[Row]:
    days = _days(rows, MEASURE_NAMES, as_of)
    for i, row in enumerate(days):
        gap = days[i - 1]["age"] - row["age"] if i else math.nan
        row |= {
            "gap": gap,
            "gap_squared": gap * gap,
            "rank": float(len(days) - i),
            "recency": days[-1]["age"],
            "weekday": (as_of - row["age"] + 3) % 7,
            "opens_week": float(not i or (days[i - 1]["age"] - 1) // 7 > (row["age"] - 1) // 7),
        }
    return days


def _keys(rows: Keyed, as_of: int) -> list[Row]:
    by_key: dict[int, list[tuple[int, int]]] = {}
    keys = rows.keys
    for i in _seen(rows, as_of):
        by_key.setdefault(int(keys[i]), []).append((as_of - int(rows.day[i]), int(rows.baskets[i])))
    return [
        {
            "age": float(min(age for age, _ in of_key)),
            "first_age": float(max(age for age, _ in of_key)),
            "baskets_28": float(sum(n for age, n in of_key if age <= 28)),
            "baskets_91": float(sum(n for age, n in of_key if age <= 91)),
            "baskets_all": float(sum(n for _, n in of_key)),
        }
        for of_key in by_key.values()
    ]


def _household(history: History, as_of: int) -> list[Row]:
    rows: list[Any] = []
    for member in history.members:
        if member.from_day < as_of <= member.to_day:
            days = _days(member.visits, MEASURE_NAMES, as_of)
            recent = [row for row in days if row["age"] <= 91]
            rows.append(
                {
                    "age": days[-1]["age"] if days else math.nan,
                    "visits_91": float(len(recent)),
                    "spend_91": sum(row["amount_cents"] for row in recent),
                    "itself": float(member.customer_id == history.customer_id),
                }
            )
    return rows
