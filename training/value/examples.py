"""Rows of the task `value`: what came in the windows that models learn from, and that reports are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.clock import to_day
from features.columns import CUSTOMER_ID
from features.evaluators.offline import FeatureMatrix
from training import examples
from training.examples import CustomerExamples
from training.value.expectation import Expectation, Known

if TYPE_CHECKING:
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

_AFTER = (
    "SELECT customer_id, count(DISTINCT day) AS visits, CAST(sum(amount_cents) AS DOUBLE) AS cents "
    "FROM transactions WHERE day >= ? AND day < ? GROUP BY customer_id"
)


@dataclass(frozen=True)
class ValueExamples(CustomerExamples):
    """Rows with what came in the windows that models learn from, and in those that reports are about.

    Attributes:
        known: everybody by day, at least at the cutoffs and at the ends of their learning windows.
        learn_days: length of the windows to learn from.
        learnt: float64[n, 2], visits and cents in them; NaN where they have not ended.
        days: float64[n], length of the window that a report of the row is about: the horizon, or the shorter
            one where the horizon has not ended, or would end beyond the period that choices may look at.
        reported: float64[n, 2], visits and cents in `days`.
    """

    known: Mapping[int, Known] = field(default_factory=dict)
    learn_days: int = 0
    learnt: Floats = field(default_factory=lambda: np.empty((0, 2)))
    days: Floats = field(default_factory=lambda: np.empty(0))
    reported: Floats = field(default_factory=lambda: np.empty((0, 2)))

    per_row: ClassVar[tuple[str, ...]] = (*CustomerExamples.per_row, "learnt", "days", "reported")

    def expected(self, compute: Callable[[Expectation, FeatureMatrix, NDArray[np.intp]], Floats]) -> Floats:
        """`compute(expectation, matrix, rows)` of each cutoff's rows, by the expectation as of it."""
        result = None
        for day in self.cutoffs:
            rows = np.flatnonzero(self.matrix.as_of == day)
            values = compute(self.known[day].expectation, self.matrix.take(rows), rows)
            result = np.full((len(self), *values.shape[1:]), np.nan) if result is None else result
            result[rows] = values
        assert result is not None, "examples have a cutoff"
        return result

    def inputs(self, features: tuple[str, ...]) -> NDArray[np.float32]:
        """What boosters read of the rows, made once."""

        def make() -> NDArray[np.float32]:
            more = self.expected(lambda model, matrix, _: model.inputs(matrix, self.learn_days))
            return examples.inputs(self.matrix, features, more)

        return self.once(("inputs", features), make)


def after(snapshots: Snapshots, matrix: FeatureMatrix, days: int) -> Floats:
    """Visits and cents in [as-of, as-of + days), n x 2; NaN where that has not ended.

    Who has become another customer since counts with that customer's purchases.
    """
    import pandas as pd

    joined = snapshots.canonical.joined(snapshots.until)
    names = pd.Series([joined.get(name, name) for name in matrix.customer_id], dtype=object)
    found = np.full((len(matrix), 2), np.nan)
    with snapshots.connect() as connection:
        for cutoff in np.unique(matrix.as_of).tolist():
            if cutoff + days > snapshots.until:
                continue
            rows = np.flatnonzero(matrix.as_of == cutoff)
            came = connection.execute(_AFTER, [cutoff, cutoff + days]).df().set_index(CUSTOMER_ID)
            found[rows] = came.reindex(names[rows]).fillna(0.0).to_numpy(dtype=np.float64)
    return found


def whole_horizon(snapshots: Snapshots, as_of: NDArray[np.int32], days: int) -> NDArray[np.bool_]:
    """Rows whose horizon has ended, and within the period of choices when they belong to it."""
    ended = as_of + days <= snapshots.until
    if snapshots.canonical.source.choices_until is None:
        return ended
    border = to_day(snapshots.canonical.source.choices_until)
    return ended & ((as_of >= border) | (as_of + days <= border))


def paid(cents: Floats) -> Floats:
    """Money that came in: what was given back beyond it counts as 0."""
    return np.maximum(cents, 0.0)
