"""Features of one customer now, in numpy: the same declarations and the same numbers as `sql.py`.

The declarations are compiled once into a plan. A request adds up the visit rows cumulatively, so that every
window is one subtraction; sums stay int64 until the end, and formulas run on plain floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.catalogue import DECLARATIONS, NAMES
from features.declarations import Derived, Feature
from features.expressions import Expression
from features.history import History
from features.sql import condition, formula, needs
from features.tiles import MEASURE_NAMES

_EVERYTHING: Final = -(2**40)  # earlier than any day: the start of the window "all history"
_POSITION: Final = {name: i for i, name in enumerate(MEASURE_NAMES)}


@dataclass(frozen=True)
class _Total:
    """A series to add up: 1 or a column, at the rows of a condition."""

    column: str
    where: int | None


@dataclass(frozen=True)
class _Plan:
    """The declarations, arranged for one pass.

    Attributes:
        conditions: distinct conditions on visit rows.
        read: visit-row columns that the conditions read.
        totals: distinct series to add up.
        windows: lengths of the distinct windows of sums, days.
        cells: for each sum, its series and its window (positions), int[s] each.
        sums: names of the sums, in the order of `cells`.
        picks: features that choose one row's value.
        formulas: derived features, in order.
    """

    conditions: tuple[Expression, ...]
    read: tuple[str, ...]
    totals: tuple[_Total, ...]
    windows: NDArray[np.int64]
    cells: tuple[NDArray[np.intp], NDArray[np.intp]]
    sums: tuple[str, ...]
    picks: tuple[tuple[Feature, int | None], ...]
    formulas: tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...]


@cache
def _plan(absent: frozenset[str]) -> _Plan:
    available = [d for d in DECLARATIONS if not needs(d.name) & absent]
    conditions: dict[str, int] = {}
    compiled: list[Expression] = []
    totals: dict[_Total, int] = {}
    windows: dict[int, int] = {}
    series, spans, sums, picks = [], [], [], []
    for feature in (d for d in available if isinstance(d, Feature)):
        where = condition(feature)
        if where is not None and where.text not in conditions:
            conditions[where.text] = len(compiled)
            compiled.append(where)
        position = None if where is None else conditions[where.text]
        if feature.op not in {"count", "sum"}:
            picks.append((feature, position))
            continue
        total = _Total("" if feature.op == "count" else feature.column, position)
        length = -_EVERYTHING if feature.days is None else feature.days
        series.append(totals.setdefault(total, len(totals)))
        spans.append(windows.setdefault(length, len(windows)))
        sums.append(feature.name)
    return _Plan(
        conditions=tuple(compiled),
        read=tuple(sorted(frozenset[str]().union(*(c.names for c in compiled)))),
        totals=tuple(totals),
        windows=np.array(list(windows), dtype=np.int64),
        cells=(np.array(series, dtype=np.intp), np.array(spans, dtype=np.intp)),
        sums=tuple(sums),
        picks=tuple(picks),
        formulas=tuple((d.name, formula(d).one) for d in available if isinstance(d, Derived)),
    )


def evaluate(history: History, as_of: int) -> NDArray[np.float64]:
    """The catalogue's features of one customer.

    Args:
        history: the customer's tiles.
        as_of: day T; only what was known before T counts.

    Returns:
        float64[f] in the order of `catalogue.NAMES`, NaN where unknown; all NaN if the customer has no visit
        known before T. Equal to the customer's row of `offline.compute`, bit for bit.
    """
    day, measures = history.visible(as_of)
    if not len(day):
        return np.full(len(NAMES), np.nan)
    plan = _plan(history.absent)
    rows = _Rows(day, measures, as_of)
    read = {name: rows.number(name) for name in plan.read}
    masks = [c.evaluate(read) for c in plan.conditions]
    values = _sums(plan, rows, masks)
    for feature, where in plan.picks:
        values[feature.name] = _pick(feature, rows, None if where is None else masks[where])
    for name, one in plan.formulas:
        values[name] = one(values)
    nan = np.nan
    return np.array([values.get(name, nan) for name in NAMES], dtype=np.float64)


class _Rows:
    """The visit rows before T and their columns, each computed when first read."""

    def __init__(self, day: NDArray[np.int64], measures: NDArray[np.int64], as_of: int) -> None:
        self.day, self.measures, self.as_of = day, measures, as_of
        self.age = as_of - day
        self._columns: dict[str, NDArray[np.int64]] = {"age": self.age}

    def whole(self, name: str) -> NDArray[np.int64]:
        """A column as int64[n]; 0 where it is unknown (`gap` and its square at the first visit)."""
        if name in _POSITION:
            return self.measures[:, _POSITION[name]]
        if name not in self._columns:
            self._columns[name] = self._made(name)
        return self._columns[name]

    def number(self, name: str) -> NDArray[np.float64]:
        """A column as float64[n], NaN where it is unknown."""
        number = self.whole(name).astype(np.float64)
        if name in {"gap", "gap_squared"}:
            number[0] = np.nan
        return number

    def _made(self, name: str) -> NDArray[np.int64]:
        size = len(self.day)
        if name == "gap":
            gap = np.zeros(size, dtype=np.int64)
            np.subtract(self.day[1:], self.day[:-1], out=gap[1:])
            return gap
        if name == "gap_squared":
            return np.square(self.whole("gap"))
        if name == "rank":
            return np.arange(size, 0, -1, dtype=np.int64)
        if name == "recency":
            return np.full(size, self.age[-1])
        if name == "weekday":
            return (self.day + 3) % 7
        assert name == "opens_week", name
        block = (self.age - 1) // 7
        opens = np.ones(size, dtype=np.int64)
        np.greater(block[:-1], block[1:], out=opens[1:], casting="unsafe")
        return opens


def _sums(plan: _Plan, rows: _Rows, masks: list[NDArray[Any]]) -> dict[str, float]:
    """Counts and sums over every window: running totals, then one subtraction per window."""
    size = len(rows.day)
    running = np.zeros((size + 1, len(plan.totals)), dtype=np.int64)
    for position, total in enumerate(plan.totals):
        if not total.column:
            running[1:, position] = 1 if total.where is None else masks[total.where]
        elif total.where is None:
            running[1:, position] = rows.whole(total.column)
        else:
            np.multiply(rows.whole(total.column), masks[total.where], out=running[1:, position])
    np.cumsum(running, axis=0, out=running)
    starts = np.searchsorted(rows.day, rows.as_of - plan.windows)
    series, spans = plan.cells
    values = running[size, series] - running[starts[spans], series]
    return dict(zip(plan.sums, values.astype(np.float64).tolist(), strict=True))


def _pick(feature: Feature, rows: _Rows, mask: NDArray[Any] | None) -> float:
    """The smallest, largest or latest value of a column; NaN if no row counts."""
    column = rows.whole(feature.column)
    start = 0
    if feature.column in {"gap", "gap_squared"}:
        start = 1
    if feature.days is not None:
        start = max(start, int(np.searchsorted(rows.day, rows.as_of - feature.days)))
    column = column[start:]
    if mask is not None:
        column = column[mask[start:]]
    if not len(column):
        return float("nan")
    if feature.op == "last":
        return float(column[-1])
    return float(column.min() if feature.op == "min" else column.max())
