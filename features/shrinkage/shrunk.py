"""Figures drawn towards a declared parent: of customers to their segment, of stores to their area, then all.

What is shrunk and towards what is data: `SEGMENTS` and `FIGURES`. The estimator is `shrinkage.Credibility`.
Its parameters come from everybody known at an as-of, from rows before it; they are a few numbers, kept with
the models, so that an answer reads nothing but the customer's own features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.expressions.expression import Expression, parse
from features.shrinkage.estimators import ALL, Credibility, Floats, Units, fit_credibility

if TYPE_CHECKING:
    from features.canonical import Canonical

Columns = Mapping[str, NDArray[Any]]
Priors = Mapping[str, Credibility]

# The longer window is what is seen of a customer; the shorter one parts it into two times seen.
WINDOWS: Final = (28, 91)


@dataclass(frozen=True)
class Segment:
    """A parent of customers.

    Attributes:
        id: stable name.
        meaning: who is in it.
        rule: when a customer is in it, provided that no earlier rule holds.
    """

    id: str
    meaning: str
    rule: str


# By the first visit alone: a segment that the figures themselves decide would make its members alike.
SEGMENTS: Final = (
    Segment("first_28", "first came in the last 28 days", "tenure_days <= 28"),
    Segment("first_91", "first came 29 to 91 days ago", "tenure_days <= 91"),
    Segment("first_364", "first came 92 to 364 days ago", "tenure_days <= 364"),
    Segment("first_older", "first came before that", "tenure_days > 364"),
)


@dataclass(frozen=True)
class Figure:
    """A ratio of two sums that is shrunk.

    Attributes:
        name: unique name.
        unit: of the ratio.
        meaning: in English.
        meaning_zh: in Chinese.
        num: numerator of a customer over a window of {w} days, an expression over features.
        den: denominator; what is seen of the customer.
        store: numerator and denominator of one customer of a store over 91 days, SQL over `visits`, `spend`,
            `discount` and `fuel_visits`.
        poisson: of a customer, chance alone varies the numerator as it does a count's; else how much it
            varies is measured between the windows.
    """

    name: str
    unit: str
    meaning: str
    meaning_zh: str
    num: str
    den: str
    store: tuple[str, str]
    poisson: bool = False


# The first visit opens the exposure and does not count in it: it is why the customer is known at all.
FIGURES: Final = (
    Figure(
        "visits_per_week",
        "visits a week",
        "Visits a week, of a store by each of its customers",
        "每周到访次数",
        "visits_{w} - CASE WHEN tenure_days <= {w} THEN 1 ELSE 0 END",
        "least(tenure_days - 1, {w}) / 7",
        ("visits", "13.0"),
        poisson=True,
    ),
    Figure(
        "spend_per_visit",
        "cents",
        "Money spent a visit",
        "每次到访消费金额",
        "spend_{w}",
        "visits_{w}",
        ("spend", "visits"),
    ),
    Figure(
        "discount_share",
        "share",
        "Discounts in the price before discounts",
        "折扣占折前金额之比",
        "discount_{w}",
        "spend_{w} + discount_{w}",
        ("discount", "spend + discount"),
    ),
    Figure(
        "fuel_visit_share",
        "share",
        "Visits with fuel in all visits",
        "加油到访占比",
        "fuel_visits_{w}",
        "visits_{w}",
        ("fuel_visits", "visits"),
    ),
)


@dataclass(frozen=True)
class Shrunk:
    """One figure of one customer or store.

    Attributes:
        name: of the figure.
        value: the estimate: own_weight x own + (1 - own_weight) x parent_value; NaN when nobody's is known.
        own: from own history alone, NaN without one.
        own_weight: from 0 (nothing own) to 1.
        parent: "segment ...", "area ..." or "all".
        parent_value: what it is drawn to, itself drawn to that of all.
        parent_own_weight: share of the parent's own mean in `parent_value`; the rest is that of all.
        unit: of the values.
        meaning: in English.
        meaning_zh: in Chinese.
    """

    name: str
    value: float
    own: float
    own_weight: float
    parent: str
    parent_value: float
    parent_own_weight: float
    unit: str
    meaning: str
    meaning_zh: str


def inputs() -> tuple[str, ...]:
    """The features that segments and figures read."""
    sides = {
        side.format(w=days) for figure in FIGURES for side in (figure.num, figure.den) for days in WINDOWS
    }
    read = [_parsed(side) for side in sides] + [_parsed(each.rule, "boolean") for each in SEGMENTS]
    return tuple(sorted(frozenset[str]().union(*(expression.names for expression in read))))


def segment(columns: Columns, segments: Sequence[Segment] = SEGMENTS) -> NDArray[Any]:
    """Segment of each of n customers, object[n]; None for one without a history."""
    found = np.full(len(columns["tenure_days"]), None, dtype=object)
    for candidate in reversed(segments):
        found[_parsed(candidate.rule, "boolean").evaluate(columns)] = candidate.id
    return found


def customer_priors(columns: Columns) -> dict[str, Credibility]:
    """How every figure of customers is shrunk, from the features of everybody known at an as-of."""
    groups = segment(columns)
    fitted = {}
    for figure in FIGURES:
        num, den = ([_evaluate(side, days, columns) for days in WINDOWS] for side in (figure.num, figure.den))
        if figure.poisson:
            units = Units.counts(num[-1], den[-1])
        else:
            units = Units.of(*(np.column_stack([short, long - short]) for short, long in (num, den)))
        fitted[figure.name] = fit_credibility(units, groups)
    return fitted


def customer(priors: Priors, columns: Columns, row: int = 0) -> tuple[Shrunk, ...]:
    """The figures of one customer, from the customer's features."""
    one = {name: column[row : row + 1] for name, column in columns.items()}
    group = segment(one)[0]
    return tuple(
        _shrunk(
            figure,
            priors[figure.name],
            float(_evaluate(figure.num, WINDOWS[-1], one)[0]),
            float(_evaluate(figure.den, WINDOWS[-1], one)[0]),
            ("segment", group),
        )
        for figure in FIGURES
        if figure.name in priors
    )


def stores(canonical: Canonical, as_of: int) -> dict[str, tuple[Shrunk, ...]]:
    """The figures of every store with a visit in the 91 days before an as-of, by store.

    A store's customers are the times it was seen: with few of them it is drawn to its area's stores.
    """
    sums = ", ".join(
        f"sum(({num}) * 1.0) FILTER ({den} > 0) AS num_{i}, "
        f"sum(({den}) * 1.0) FILTER ({den} > 0) AS den_{i}, "
        f"sum(({num}) * ({num}) * 1.0 / ({den})) FILTER ({den} > 0) AS squares_{i}, "
        f"(count(*) FILTER ({den} > 0)) * 1.0 AS times_{i}"
        for i, (num, den) in enumerate(figure.store for figure in FIGURES)
    )
    fuel = "count(DISTINCT day) FILTER (upper(trim(department)) = 'FUEL')"
    products = "LEFT JOIN (SELECT product_id, department FROM products) USING (product_id)"
    has_products, has_stores = canonical.has("products"), canonical.has("stores")
    query = f"""
WITH seen AS (
  SELECT store_id, customer_id, count(DISTINCT day) AS visits, sum(amount_cents) AS spend,
         sum(coalesce(discount_cents, 0)) AS discount, {fuel if has_products else "NULL"} AS fuel_visits
  FROM transactions {products if has_products else ""}
  WHERE store_id IS NOT NULL AND day >= {int(as_of) - WINDOWS[-1]} GROUP BY store_id, customer_id
), totals AS (SELECT store_id, {sums} FROM seen GROUP BY store_id)
SELECT totals.*, {"area" if has_stores else "NULL AS area"}
FROM totals {"LEFT JOIN stores USING (store_id)" if has_stores else ""} ORDER BY store_id"""
    with closing(canonical.connect(until=as_of)) as connection:
        found: dict[str, Any] = connection.execute(query).fetchnumpy()
    names = found["store_id"]
    areas: NDArray[Any] = np.array([area or None for area in found["area"]], dtype=object)
    answers: dict[str, list[Shrunk]] = {str(name): [] for name in names}
    for i, figure in enumerate(FIGURES):
        cells = (
            np.ma.filled(np.ma.asarray(found[f"{part}_{i}"], dtype=np.float64), np.nan)
            for part in ("num", "den", "squares", "times")
        )
        units = Units(*cells)
        fitted = fit_credibility(units, areas)
        for row, name in enumerate(names):
            sides = float(units.num[row]), float(units.den[row])
            answers[str(name)].append(_shrunk(figure, fitted, *sides, ("area", areas[row])))
    return {name: tuple(figures) for name, figures in answers.items()}


def _evaluate(side: str, days: int, columns: Columns) -> Floats:
    return _parsed(side.format(w=days)).evaluate(columns)


@cache
def _parsed(text: str, kind: Literal["boolean", "number"] = "number") -> Expression:
    return parse(text, NAMES, kind=kind)


def _shrunk(
    figure: Figure, fitted: Credibility, num: float, den: float, parent: tuple[str, str | None]
) -> Shrunk:
    known = den > 0 and not math.isnan(num)
    own = num / den if known else math.nan
    weight = fitted.own_weight(den) if known else 0.0
    kind, group = parent
    drawn = fitted.groups.get(group or "")
    value, share = drawn or (fitted.mean, 1.0)
    return Shrunk(
        name=figure.name,
        value=weight * own + (1.0 - weight) * value if known else value,
        own=own,
        own_weight=weight,
        parent=f"{kind} {group}" if drawn else ALL,
        parent_value=value,
        parent_own_weight=share,
        unit=figure.unit,
        meaning=figure.meaning,
        meaning_zh=figure.meaning_zh,
    )
