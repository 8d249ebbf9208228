"""Rows of one customer as arrays: tiles by day, baskets by product and by store.

They are tuples, because a request makes them anew and a tuple is made fastest. A row counts at T iff its day
and its known day are before T and, where it has an until day, T is not after that.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]
Whole = NDArray[Any]  # int64, or int32 where that holds the sum of all rows' absolute values
INT32_MAX: Final = 2**31 - 1
INT32_MIN: Final = -(2**31)


class Rows(NamedTuple):
    """Tiles of one customer: days with whole numbers.

    Attributes:
        day: int32[n], ascending (ties by known day).
        known_day: int32[n]; the same object as `day` if no row is late, and then no day stands twice.
        values: int64[m, n], one row per measure; int32 where that holds the sum of any measure's absolute
            values.
        until_day: int32[n], last as-of at which the row counts; None if all count for ever.
    """

    day: Days
    known_day: Days
    values: Whole
    until_day: Days | None = None

    @classmethod
    def of(cls, day: Any, known_day: Any, values: Any, until_day: Any = None) -> Rows:
        """From columns in any whole-number types; `values` are [m, n]."""
        day, known_day, until_day = _days(day, known_day, until_day)
        if known_day is day and not (day[1:] > day[:-1]).all():
            known_day = day.copy()
        return cls(day, known_day, _narrowed(np.asarray(values)), until_day)

    def visible(self, as_of: int) -> tuple[Days, Whole]:
        """What counts at `as_of`, one row per day: the days [v], ascending, and the values [m, v]."""
        day, values = self.day, self.values
        if self.until_day is None and self.known_day is day:
            if not len(day) or day[-1] < as_of:
                return day, values
            rows = int(day.searchsorted(as_of))
            return day[:rows], values[:, :rows]
        seen = _seen(self, as_of)
        day, values = day[seen], values[:, seen]
        starts = _starts(day)
        return (day, values) if len(starts) == len(day) else (day[starts], np.add.reduceat(values, starts, 1))


class Keyed(NamedTuple):
    """Baskets of one customer by product or by store.

    Attributes:
        key: int32[k], distinct codes, ascending.
        bound: int[k + 1], where the rows of each key begin, and n.
        day: int32[n], rows by key, then day, then known day.
        known_day: int32[n]; the same object as `day` if no row is late.
        baskets: int[n], baskets of that day with the key; int32 or int64 as in `Rows`.
        last: the last of all days and known days; what is asked after it finds every row known.
        until_day: int32[n], last as-of at which the row counts; None if all count for ever.
    """

    key: NDArray[np.int32]
    bound: NDArray[Any]
    day: Days
    known_day: Days
    baskets: Whole
    last: int
    until_day: Days | None = None

    @classmethod
    def of(cls, keys: Any, day: Any, known_day: Any, baskets: Any, until_day: Any = None) -> Keyed:
        """From columns of n rows in any whole-number types; the rows are sorted by key, then day."""
        keys = np.asarray(keys, dtype=np.int32)
        start = _starts(keys)
        bound = np.append(start, len(keys))
        day, known_day, until_day = _days(day, known_day, until_day)
        last = _last(day, known_day)
        return cls(keys[start], bound, day, known_day, _narrowed(np.asarray(baskets)), last, until_day)

    @property
    def keys(self) -> NDArray[np.int32]:
        """The code of each row, int32[n]."""
        sizes: NDArray[np.int64] = self.bound[1:].astype(np.int64) - self.bound[:-1]
        return np.repeat(self.key, sizes)

    def visible(self, as_of: int) -> Keyed:
        """The rows that count at `as_of`, and their keys."""
        if self.last < as_of and self.until_day is None:
            return self
        seen = _seen(self, as_of)
        known_day = self.known_day[seen]
        return Keyed.of(self.keys[seen], self.day[seen], known_day, self.baskets[seen])


class Baskets(NamedTuple):
    """Baskets by product and by store in one, arranged for what is asked most: all that is known by now.

    Attributes:
        key: int32[k], codes of the products, ascending, then of the stores.
        products: how many of the keys are products.
        summary: int[3, k], of each key the baskets and the last and first day; int32 or int64 as in `Rows`.
        day: int32[n], ascending (ties by key, then known day).
        known_day: int32[n]; the same object as `day` if no row is late.
        place: uint[n], position of each row's key.
        baskets: int[n], baskets of that day with the key.
        last: the last of all days and known days; what is asked after it finds every row known.
        until_day: int32[n], last as-of at which the row counts; None if all count for ever.
    """

    key: NDArray[np.int32]
    products: int
    summary: Whole
    day: Days
    known_day: Days
    place: NDArray[Any]
    baskets: NDArray[Any]
    last: int
    until_day: Days | None = None

    @classmethod
    def of(cls, products: Keyed, stores: Keyed) -> Baskets:
        """The rows of both, in one form whatever they were made of."""
        parts = (products, stores)
        day = np.concatenate([part.day for part in parts])
        order = np.argsort(day, kind="stable")
        places = [np.repeat(np.arange(len(part.key)), np.diff(part.bound)) for part in parts]
        place = np.concatenate([places[0], places[1] + len(products.key)])[order]
        baskets = _narrowed(np.concatenate([part.baskets for part in parts])[order])
        known_day = np.concatenate([part.known_day for part in parts])[order]
        until_day = np.concatenate([_ends(part) for part in parts])[order]
        key = np.concatenate([part.key for part in parts])
        return cls._summed(key, len(products.key), _days(day[order], known_day, until_day), place, baskets)

    @classmethod
    def _summed(
        cls,
        key: NDArray[np.int32],
        products: int,
        when: tuple[Days, Days, Days | None],
        place: NDArray[Any],
        baskets: NDArray[Any],
    ) -> Baskets:
        day, known_day, until_day = when
        summary = np.zeros((3, len(key)), dtype=baskets.dtype)
        np.add.at(summary[0], place, baskets)
        # Of several values for one place the last one stays.
        summary[1, place] = day
        summary[2, place[::-1]] = day[::-1]
        last = _last(day, known_day)
        return cls(key, products, summary, day, known_day, place, baskets, last, until_day)

    @property
    def by_product(self) -> Keyed:
        """The rows of the products."""
        return self._part(0, self.products)

    @property
    def by_store(self) -> Keyed:
        """The rows of the stores."""
        return self._part(self.products, len(self.key))

    def visible(self, as_of: int) -> Baskets:
        """What counts at `as_of`, and its keys."""
        if self.last < as_of and self.until_day is None:
            return self
        seen = _seen(self, as_of)
        kept, place = np.unique(self.place[seen], return_inverse=True)
        day = self.day[seen]
        baskets = self.baskets[seen].astype(self.summary.dtype)
        products = int(np.searchsorted(kept, self.products))
        return self._summed(self.key[kept], products, (day, self.known_day[seen], None), place, baskets)

    def _part(self, first: int, end: int) -> Keyed:
        rows = np.flatnonzero((self.place >= first) & (self.place < end))
        rows = rows[np.argsort(self.place[rows], kind="stable")]
        return Keyed.of(
            self.key[self.place[rows]],
            self.day[rows],
            self.known_day[rows],
            self.baskets[rows],
            None if self.until_day is None else self.until_day[rows],
        )


def _days(day: Any, known_day: Any, until_day: Any) -> tuple[Days, Days, Days | None]:
    """The three as int32; known days are the days themselves if equal, until days None if all for ever."""
    days, known = np.asarray(day, dtype=np.int32), np.asarray(known_day, dtype=np.int32)
    until = None if until_day is None else np.asarray(until_day, dtype=np.int32)
    if until is not None and bool((until == INT32_MAX).all()):
        until = None
    return days, days if np.array_equal(days, known) else known, until


def _narrowed(values: NDArray[Any]) -> Whole:
    """As int32 if that holds the sum of absolute values along the last axis, else int64."""
    # In float64: absolute values of int64 and their sums cannot overflow there, and half the range is left.
    largest = float(np.abs(values.astype(np.float64)).sum(axis=-1).max(initial=0.0))
    return np.ascontiguousarray(values, dtype=np.int32 if largest < INT32_MAX // 2 else np.int64)


def _last(day: Days, known_day: Days) -> int:
    """The last of all days, the smallest there is without any."""
    return int(max(day.max(initial=INT32_MIN), known_day.max(initial=INT32_MIN)))


def _ends(rows: Keyed) -> Days:
    """The last as-of of each row, the largest of all if it counts for ever."""
    forever = np.full(len(rows.day), INT32_MAX, dtype=np.int32)
    return forever if rows.until_day is None else rows.until_day


def _seen(rows: Rows | Keyed | Baskets, as_of: int) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = (rows.day < as_of) & (rows.known_day < as_of)
    return seen if rows.until_day is None else seen & (rows.until_day >= as_of)


def _starts(values: NDArray[Any]) -> NDArray[np.intp]:
    """Where each run of equal values starts."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new.nonzero()[0]


NO_DAYS: Final = np.empty(0, dtype=np.int32)
NO_BASKETS: Final = Keyed(NO_DAYS, np.zeros(1, dtype=np.int64), NO_DAYS, NO_DAYS, NO_DAYS, INT32_MIN)
NOTHING_BOUGHT: Final = Baskets.of(NO_BASKETS, NO_BASKETS)
