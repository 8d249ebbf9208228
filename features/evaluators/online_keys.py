"""Features over a customer's rows without a day: products, stores, members of the household.

Products and stores have the same columns, so one pass over the rows of both answers for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.customer_store.history import History, Member
from features.customer_store.rows import Baskets
from features.declarations import Feature
from features.evaluators.sql import condition
from features.expressions import conditions
from features.expressions.conditions import Column, Conditions

# Days of the windows of baskets, and the columns of products and stores in the order of the matrix.
_RECENT: Final = np.array([28, 91], dtype=np.int32)
KEY_COLUMNS: Final = ("baskets_28", "baskets_91", "baskets_all", "age", "first_age")
MEMBER_COLUMNS: Final = ("age", "visits_91", "spend_91", "itself")
# Ages of members who have not been seen; known ages are at least 1.
UNKNOWN: Final = frozenset({"age"})
NAN: Final = float("nan")


class KeyPlan:
    """The features of relations of the same columns, arranged for one pass over the rows of all of them.

    Attributes:
        names: the features, in the order of the values.
        height: rows of the matrix; the first ones are the columns.
        empty: the values where no relation has rows.
    """

    def __init__(
        self,
        relations: Sequence[Sequence[Feature]],
        columns: Sequence[str],
        unknown: frozenset[str] = frozenset(),
    ) -> None:
        """Arrange aggregates.

        Args:
            relations: the features over each relation.
            columns: the columns of their rows.
            unknown: those that may be unknown.
        """
        features = [f for over in relations for f in over]
        self.names = tuple(f.name for f in features)
        self.empty = [0.0 if f.op in {"count", "sum"} else NAN for f in features]
        tests = list({c.text: c for f in features if (c := condition(f)) is not None}.values())
        trees = [conditions.tree(test, unknown) for test in tests]
        read = set[Column]().union(*(conditions.columns(found) for found in trees if found is not None))
        shifted = sorted(column for column in read if column[1])
        rows = {column: row for row, column in enumerate([*((name, 0) for name in columns), *shifted])}
        self.height = len(rows)
        self._shifted = [(rows[column], rows[column[0], 0], column[1]) for column in shifted]
        self._conditions = Conditions.of(tests, rows, unknown)
        # What is found: the rows of each condition, all rows, then what each pick chooses.
        tested = self._conditions.size
        self._picks: list[tuple[str, int, int | None, bool]] = []
        self._places: list[tuple[int, int]] = []
        for relation, over in enumerate(relations):
            for f in over:
                test = None if (c := condition(f)) is None else self._conditions.place[c.text]
                if f.op == "count":
                    place = tested if test is None else test
                else:
                    pick = (f.op, rows[f.column, 0], test, f.column in unknown)
                    if pick not in self._picks:
                        self._picks.append(pick)
                    place = tested + 1 + self._picks.index(pick)
                self._places.append((relation, place))
        self._relations = len(relations)
        places = [place * len(relations) + relation for relation, place in self._places]
        # Of one place, itemgetter would not give a tuple.
        self._chosen = itemgetter(*places) if len(places) > 1 else lambda found: [found[i] for i in places]

    def values(self, matrix: NDArray[Any], begins: Mapping[int, int]) -> Sequence[float]:
        """The features' values, in the order of `names`.

        Args:
            matrix: int[height, n], of which the rows of the columns are filled; n above 0.
            begins: where the rows of each relation begin, in order; without those that have none.
        """
        for row, base, shift in self._shifted:
            np.add(matrix[base], shift, matrix[row])
        width = matrix.shape[1]
        starts = list(begins.values())
        tests = np.empty((self._conditions.size, width), dtype=bool)
        found: list[float] = []
        if len(tests):
            self._conditions.evaluate(matrix, self._conditions.onto(tests))
            found = np.add.reduceat(tests, starts, 1, np.float64).ravel().tolist()
        ends = [*starts[1:], width]
        found += [float(end - start) for start, end in zip(starts, ends, strict=True)]
        for operation, row, test, doubtful in self._picks:
            if test is None and not doubtful:
                found += _OPERATIONS[operation].reduceat(matrix[row], starts).astype(np.float64).tolist()
                continue
            for start, end in zip(starts, ends, strict=True):
                cells = matrix[row, start:end]
                if test is not None:
                    cells = cells[tests[test, start:end]]
                if doubtful:
                    cells = cells[cells != 0]
                nothing = 0.0 if operation == "sum" else NAN
                found.append(float(_OPERATIONS[operation].reduce(cells)) if len(cells) else nothing)
        if len(starts) == self._relations:
            chosen: Sequence[float] = self._chosen(found)
            return chosen
        order = {relation: position for position, relation in enumerate(begins)}
        return [
            found[place * len(order) + order[relation]] if relation in order else empty
            for empty, (relation, place) in zip(self.empty, self._places, strict=True)
        ]


_OPERATIONS: Final[Mapping[str, np.ufunc]] = {"sum": np.add, "min": np.minimum, "max": np.maximum}


def basket_values(plan: KeyPlan, baskets: Baskets, as_of: int) -> Sequence[float]:
    """Values of the features over a customer's products (relation 0) and stores (1)."""
    seen = baskets.visible(as_of)
    products, summary = seen.products, seen.summary
    width = len(seen.key)
    if not width:
        return plan.empty
    matrix = np.empty((plan.height, width), dtype=summary.dtype)
    for row, start in enumerate(seen.day.searchsorted(as_of - _RECENT).tolist()):
        if summary.dtype == np.int32:
            # In float64, which holds sums of that size exactly.
            matrix[row] = np.bincount(seen.place[start:], seen.baskets[start:], width)
        else:
            matrix[row] = 0
            np.add.at(matrix[row], seen.place[start:], seen.baskets[start:])
    matrix[2] = summary[0]
    np.subtract(as_of, summary[1:], matrix[3:5])
    if 0 < products < width:
        return plan.values(matrix, {0: 0, 1: products})
    return plan.values(matrix, {0 if products else 1: 0})


def household_values(plan: KeyPlan, history: History, spend: int, as_of: int) -> Sequence[float]:
    """Values of the features over the members of a customer's household; `spend` is the row of money."""
    members = [m for m in history.members if m.from_day < as_of <= m.to_day]
    if not members:
        return plan.empty
    cells = [_member(member, history.customer_id, spend, as_of) for member in members]
    matrix = np.empty((plan.height, len(cells)), dtype=np.int64)
    matrix[: len(MEMBER_COLUMNS)] = np.array(cells).T
    return plan.values(matrix, {0: 0})


def _member(member: Member, customer_id: str, spend: int, as_of: int) -> list[int]:
    """`MEMBER_COLUMNS` of one member."""
    day, values = member.visits.visible(as_of)
    recent = int(day.searchsorted(as_of - 91))
    return [
        as_of - int(day[-1]) if len(day) else 0,
        len(day) - recent,
        int(values[spend, recent:].sum(dtype=np.int64)),
        int(member.customer_id == customer_id),
    ]
