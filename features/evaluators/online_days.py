"""Features over a customer's rows that have a day (visits, touches), in as few numpy calls as possible.

Every column that is read stands in one matrix of whole numbers, the conditions below the columns, and one
running sum along the rows answers every count and sum: a window is the total at its end less the total at its
beginning. Sums stay whole until the end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.declarations import Feature
from features.evaluators.sql import condition
from features.expressions import conditions
from features.expressions.conditions import Column, Conditions
from features.expressions.expression import Expression

NAN: Final = float("nan")
UNKNOWN_AT_FIRST: Final = frozenset({"gap", "gap_squared"})
_ALWAYS: Final = 2**30  # days: longer than any history
# Squares of gaps within so many days, and their sums, fit in an int32.
_SPAN: Final = 40_000
# Customers of so many rows share their arrays.
_KEPT: Final = 200
# By day since 1970, any number of whole weeks: Monday is 0, and 1970-01-01 was a Thursday.
_WEEKDAYS: Final = ((np.arange(7 * 5000) + 3) % 7).astype(np.int32)
_IN_BLOCK: Final = (np.arange(7 * 5000) % 7).astype(np.int32)


class DayPlan:
    """The features of one relation, arranged for one pass.

    Attributes:
        names: the features, in the order of the values.
        empty: their values without rows.
    """

    def __init__(self, features: Sequence[Feature], measures: Sequence[str]) -> None:
        """Arrange aggregates over the relation.

        Args:
            features: the features.
            measures: the relation's measures, in the order of the rows of values.
        """
        totals = [f for f in features if f.op in {"count", "sum"}]
        ages = [f for f in features if _is_last_age(f)]
        picks = [f for f in features if f not in totals and f not in ages]
        self.names = tuple(f.name for f in (*totals, *ages, *picks))
        self.empty = [0.0] * len(totals) + [NAN] * (len(ages) + len(picks))
        tests = list({c.text: c for f in features if (c := condition(f)) is not None}.values())
        self.rows, self.summed = _matrix_rows(features, tests, measures)
        self.conditions = Conditions.of(tests, self.rows, UNKNOWN_AT_FIRST)
        columns = list(self.rows.items())
        plain = [
            (row, measures.index(name)) for (name, shift), row in columns if name in measures and not shift
        ]
        self.first_measure = plain[0][0] if plain else 0
        self.measures = np.array([measure for _, measure in plain], dtype=np.intp)
        self.made = [(row, name) for (name, shift), row in columns if name not in measures and not shift]
        self.shifted = [(row, self.rows[name, 0], shift) for (name, shift), row in columns if shift]
        self.products: dict[tuple[int, int], int] = {}  # column and condition: row of one times the other
        series = [self._series(f) for f in totals]
        self.height = len(columns) + self.conditions.size + len(self.products) + 1
        # A window of no days begins where every window ends.
        lengths = [_ALWAYS, *sorted({f.days for f in features if f.days}, reverse=True), 0]
        self._windows = np.array(lengths, dtype=np.int32)
        begins = np.array([lengths.index(f.days or _ALWAYS) for f in totals], dtype=np.intp)
        rows = np.array(series, dtype=np.intp) % self.height - self.summed
        self._cells = rows * len(lengths) + np.stack([np.full_like(begins, len(lengths) - 1), begins])
        self._spaces: dict[tuple[int, str], list[_Space]] = {}
        self._ages = np.array([self.conditions.place[f.where] for f in ages], dtype=np.intp)
        self._listed: list[int] = []
        self._picks = [self._pick(f, lengths.index(f.days or _ALWAYS)) for f in picks]

    def values(self, day: NDArray[np.int32], values: NDArray[Any], as_of: int) -> list[float]:
        """The features' values, in the order of `names`.

        Args:
            day: int32[n], the days of the rows before `as_of`, ascending and distinct; at least one.
            values: int[m, n], the measures.
            as_of: day T.
        """
        if day[-1] - day[0] >= _SPAN:
            values = values.astype(np.int64)
        space = self._space(len(day), values.dtype)
        values.take(self.measures, 0, space.measures, "clip")
        for make, row in space.made:
            make(row, day, as_of)
        for base, shift, row in space.shifted:
            np.add(base, shift, row)
        if self.conditions.size:
            self.conditions.evaluate(space.columns, space.bound)
            space.tests[:] = space.true
        for column, test, row in space.products:
            np.multiply(column, test, row)
        np.add.accumulate(space.summed, 1, None, space.totals)
        corners = day.searchsorted(as_of - self._windows)
        ends = space.running.take(corners, 1).take(self._cells)
        found: list[float] = (ends[0] - ends[1]).astype(np.float64).tolist()
        if len(self._ages):
            last = len(day) - space.true_or_first.take(self._ages, 0)[:, ::-1].argmax(1)
            found += [float(as_of - day.item(row - 1)) if row else NAN for row in last.tolist()]
        if self._picks:
            found += self._picked(space.matrix, day, corners.tolist(), as_of)
        self._put_back(space)
        return found

    def _space(self, size: int, kind: np.dtype[Any]) -> _Space:
        """Arrays for a number of rows: used before, or new."""
        free = self._spaces.setdefault((size, kind.char), [])
        try:
            return free.pop()  # one step: no other thread gets the same
        except IndexError:
            return _Space(self, size, kind)

    def _put_back(self, space: _Space) -> None:
        size = space.matrix.shape[1]
        if size <= _KEPT:
            self._spaces[size, space.matrix.dtype.char].append(space)

    def _picked(
        self, matrix: NDArray[Any], day: NDArray[np.int32], begins: list[int], as_of: int
    ) -> list[float]:
        """The smallest, largest or latest values of columns, NaN without any.

        Plain lists: for as few rows as a customer has they are faster than arrays.
        """
        lists = [matrix[row].tolist() for row in self._listed]
        found = []
        for choose, position, test, window, least in self._picks:
            if position < 0:  # the age of the first or the last row
                found.append(float(as_of - day.item(choose)))
                continue
            start = begins[window]
            cells = lists[position][max(least, start) :]
            if test is not None:
                cells = list(compress(cells, matrix[test, -len(cells) :].tolist()))
            found.append(float(choose(cells)) if cells else NAN)
        return found

    def _tested(self, feature: Feature) -> int | None:
        """The row of a feature's condition in the matrix."""
        test = condition(feature)
        return None if test is None else len(self.rows) + self.conditions.place[test.text]

    def _series(self, feature: Feature) -> int:
        """The row of which a count or sum is a total; -1 for the last one."""
        test = self._tested(feature)
        if feature.op == "count":
            return -1 if test is None else test
        column = self.rows[feature.column, 0]
        if test is None:
            return column
        first = len(self.rows) + self.conditions.size
        return self.products.setdefault((column, test), first + len(self.products))

    def _pick(self, feature: Feature, window: int) -> tuple[Any, int, int | None, int, int]:
        """Choice, list, row of the condition, window, and the first place that can be known."""
        if _is_end(feature):
            return (0 if feature.op == "max" else -1), -1, None, window, 0
        row = self.rows[feature.column, 0]
        if row not in self._listed:
            self._listed.append(row)
        least = 1 if feature.column in UNKNOWN_AT_FIRST else 0
        return _CHOICES[feature.op], self._listed.index(row), self._tested(feature), window, least


_CHOICES: Final[Mapping[str, Callable[[list[int]], int]]] = {
    "min": min,
    "max": max,
    "last": operator.itemgetter(-1),
}


def _is_last_age(feature: Feature) -> bool:
    return feature.op == "min" and feature.column == "age" and bool(feature.where) and feature.days is None


def _is_end(feature: Feature) -> bool:
    """Whether it is the age of the first or the last row."""
    whole = not feature.where and feature.days is None
    return feature.column == "age" and feature.op in {"min", "max"} and whole


def _matrix_rows(
    features: Sequence[Feature], tests: Sequence[Expression], measures: Sequence[str]
) -> tuple[dict[Column, int], int]:
    """The columns that are read, each with its row in the matrix, and the first row that is summed."""
    read = {f.column for f in features if f.column and not _is_last_age(f) and not _is_end(f)}
    summed = {f.column for f in features if f.op == "sum" and not f.where}
    shifted: set[Column] = set()
    for test in tests:
        found = conditions.tree(test, UNKNOWN_AT_FIRST)
        read |= test.names
        shifted |= set() if found is None else {c for c in conditions.columns(found) if c[1]}
    # Measures stand side by side, between what is not summed and what is.
    blocks = [
        sorted(shifted),
        sorted((name, 0) for name in read - summed - set(measures)),
        sorted((name, 0) for name in read & set(measures) - summed),
        sorted((name, 0) for name in summed & set(measures)),
        sorted((name, 0) for name in summed - set(measures)),
    ]
    columns = [column for block in blocks for column in block]
    return {column: row for row, column in enumerate(columns)}, sum(map(len, blocks[:3]))


class _Space:
    """The matrix for a number of rows and its parts; kept, because to make them takes as long as to use them.

    What does not depend on the rows is written once: zeros, ones, ranks.
    """

    def __init__(self, plan: DayPlan, size: int, kind: np.dtype[Any]) -> None:
        columns, tested = len(plan.rows), plan.conditions.size
        self.matrix = np.zeros((plan.height, size), dtype=kind)
        self.matrix[-1] = 1
        self.columns = self.matrix[:columns]
        self.measures = self.matrix[plan.first_measure : plan.first_measure + len(plan.measures)]
        self.tests = self.matrix[columns : columns + tested]
        self.made: list[tuple[Callable[..., None], NDArray[Any]]] = []
        for row, name in plan.made:
            if name == "rank":
                self.matrix[row] = np.arange(size, 0, -1)
            else:
                self.made.append((_MAKERS[name], self.matrix[row]))
        self.shifted = [(self.matrix[base], shift, self.matrix[row]) for row, base, shift in plan.shifted]
        self.products = [
            (self.matrix[c], self.matrix[t], self.matrix[row]) for (c, t), row in plan.products.items()
        ]
        self.summed = self.matrix[plan.summed :]
        # Before the first row stands a column: of zeros, where running sums begin, and for the last row that
        # fulfils a condition, one that always does.
        self.running = np.zeros((len(self.summed), size + 1), dtype=kind)
        self.totals = self.running[:, 1:]
        self.true_or_first = np.ones((tested, size + 1), dtype=bool)
        self.true = self.true_or_first[:, 1:]
        self.bound = plan.conditions.onto(self.true)


def _gap(out: NDArray[Any], day: NDArray[np.int32], _as_of: int) -> None:
    np.subtract(day[1:], day[:-1], out[1:])


def _gap_squared(out: NDArray[Any], day: NDArray[np.int32], _as_of: int) -> None:
    gap = day[1:] - day[:-1]
    np.multiply(gap, gap, out[1:], dtype=out.dtype)


def _age(out: NDArray[Any], day: NDArray[np.int32], as_of: int) -> None:
    np.subtract(as_of, day, out)


def _recency(out: NDArray[Any], day: NDArray[np.int32], as_of: int) -> None:
    out.fill(as_of - day.item(-1))


def _weekday(out: NDArray[Any], day: NDArray[np.int32], _as_of: int) -> None:
    out[:] = _WEEKDAYS.take(day, mode="wrap")


def _opens_week(out: NDArray[Any], day: NDArray[np.int32], as_of: int) -> None:
    age = as_of - 1 - day
    block = age - _IN_BLOCK.take(age, mode="wrap")
    out[0] = 1
    np.greater(block[:-1], block[1:], out[1:])


# Columns that are not measures; 0 where unknown (both gaps at the first row). Ranks: see `_Space`.
_MAKERS: Final[Mapping[str, Callable[..., None]]] = {
    "gap": _gap,
    "gap_squared": _gap_squared,
    "age": _age,
    "recency": _recency,
    "weekday": _weekday,
    "opens_week": _opens_week,
}
