"""Rows of customers at cutoffs with what came after: shared by every task about a customer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from features.shrinkage import shrunk
from training import cold_start
from training.baselines import bg_nbd
from training.datasets import Snapshots

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class CustomerExamples:
    """Eligible customers at one or more cutoffs, n rows.

    Attributes:
        per_row: names of the fields, `matrix` apart, that hold one value a row; a subclass adds its own.
        matrix: n rows of features.
        outcome: n values, what came after the as-of, in the task's unit; NaN where nothing is known.
        rhythm: per cutoff, the BG/NBD parameters fitted on everybody known at it.
        horizons: days after the cutoff that the task asks about, ascending; the longest is the label window.
        everybody: per cutoff, all customers known at it, eligible or not, and when they came next; empty for
            tasks without scores for those whom they are not about.
    """

    matrix: FeatureMatrix
    outcome: Floats
    rhythm: Mapping[int, bg_nbd.BgNbd]
    horizons: tuple[int, ...]
    everybody: Mapping[int, cold_start.Everybody] = field(default_factory=dict)
    _once: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    per_row: ClassVar[tuple[str, ...]] = ("outcome",)

    @property
    def horizon_days(self) -> int:
        """Length of the label window."""
        return self.horizons[-1]

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The cutoffs asked for, ascending; one without an eligible customer included."""
        return tuple(sorted(self.rhythm))

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: NDArray[Any], **other: Any) -> Self:
        """The rows of a mask or of positions, all cutoffs kept; `other` fields are set as given."""
        kept = {name: getattr(self, name)[rows] for name in self.per_row}
        return dataclasses.replace(self, matrix=self.matrix.take(rows), **kept, **other)

    def at(self, cutoffs: Sequence[int]) -> Self:
        """The rows of these cutoffs only."""
        return self.take(
            np.isin(self.matrix.as_of, list(cutoffs)),
            rhythm={cutoff: self.rhythm[cutoff] for cutoff in cutoffs},
            everybody={cutoff: self.everybody[cutoff] for cutoff in cutoffs if cutoff in self.everybody},
        )

    @property
    def age_days(self) -> NDArray[np.int32]:
        """Days from each row's cutoff to the latest one, n values."""
        return self.cutoffs[-1] - self.matrix.as_of

    @cached_property
    def halves(self) -> tuple[Self, Self]:
        """The rows whose windows ended by the latest cutoff, and the rows at that cutoff."""
        last = self.cutoffs[-1]
        ended = [cutoff for cutoff in self.cutoffs if cutoff + self.horizon_days <= last]
        return self.at(ended), self.at([last])

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """Something made of these rows, once per key for all fits on them."""
        if key not in self._once:
            self._once[key] = make()
        found: T = self._once[key]
        return found

    def forget(self) -> None:
        """Let go of what `once` keeps."""
        self._once.clear()

    @cached_property
    def cold_start(self) -> dict[str, NDArray[Any]]:
        """Arrays for scores of customers with little history; once for all fits on these rows."""
        return cold_start.fit([*self.everybody.values()], self.horizon_days)

    @property
    def figures(self) -> dict[str, Any]:
        """How figures are shrunk, by everybody at the latest cutoff, as plain JSON."""
        latest = self.everybody.get(self.cutoffs[-1])
        return {name: fitted.plain() for name, fitted in latest.figures.items()} if latest else {}

    def by_cutoff(self, compute: Callable[[bg_nbd.BgNbd, FeatureMatrix], Floats]) -> Floats:
        """Something of each row (n, or n x k values) by the rhythm fitted at the row's own cutoff."""
        parts = [
            (rows, compute(model, self.matrix.take(rows)))
            for rows, model in (
                (np.flatnonzero(self.matrix.as_of == day), self.rhythm[day]) for day in self.cutoffs
            )
        ]
        result = np.full((len(self), *parts[0][1].shape[1:]), np.nan)
        for rows, values in parts:
            result[rows] = values
        return result

    def to_pandas(self) -> pd.DataFrame:
        """One row per customer and cutoff: `customer_id`, `as_of` (day), features, `outcome`."""
        return self.matrix.to_pandas().assign(outcome=self.outcome)

    def keys(self) -> pd.DataFrame:
        """`customer_id` and `as_of` (day) of each row, the head of a report frame."""
        import pandas as pd

        return pd.DataFrame({CUSTOMER_ID: self.matrix.customer_id, AS_OF: self.matrix.as_of})


def collect(
    snapshots: Snapshots,
    cutoffs: Sequence[int],
    *,
    horizons: tuple[int, ...],
    eligible: Callable[[FeatureMatrix], NDArray[np.bool_]],
    outcome: Callable[[FeatureMatrix], Floats],
    everybody: bool = False,
) -> CustomerExamples:
    """The rows of the eligible customers at each cutoff.

    Args:
        snapshots: the tables.
        cutoffs: days.
        horizons: days after the cutoff that the task asks about, ascending.
        eligible: features -> who counts, bool[n].
        outcome: features of those who count -> what came after, float64[n].
        everybody: also collect what scores of all others need.
    """
    known = snapshots.features(cutoffs)
    kept = known.take(eligible(known))
    rhythm = {
        cutoff: snapshots.shared("bg_nbd", cutoff, lambda at: bg_nbd.fit(bg_nbd.summary(at)))
        for cutoff in cutoffs
    }
    others = {cutoff: _everybody(snapshots, known, cutoff) for cutoff in cutoffs} if everybody else {}
    return CustomerExamples(kept, outcome(kept), rhythm, horizons, others)


def _everybody(snapshots: Snapshots, known: FeatureMatrix, cutoff: int) -> cold_start.Everybody:
    rows = np.flatnonzero(known.as_of == cutoff)
    return cold_start.Everybody(
        snapshots.shared("cold_start", cutoff, cold_start.Evidence.of),
        snapshots.visits.next_days(known.customer_id[rows], known.as_of[rows]),
        snapshots.shared("figures", cutoff, lambda at: shrunk.customer_priors(at.columns())),
    )


def enough_visits(matrix: FeatureMatrix, *, window_days: int, minimum_visits: int) -> NDArray[np.bool_]:
    """Who has at least `minimum_visits` visit days in [as-of - window, as-of).

    Raises:
        UserError: no feature counts visits over that window.
    """
    name = f"visits_{window_days}"
    if name not in matrix.names:
        counted = [known for known in NAMES if known.startswith("visits_")]
        raise UserError(
            f"window_days = {window_days} in the label definitions needs a feature {name!r}. Use the window "
            f"of one of {', '.join(counted)}, or declare {name} in the feature catalogue."
        )
    return matrix.column(name) >= minimum_visits


def inputs(matrix: FeatureMatrix, names: Sequence[str], rhythm: Floats | None) -> NDArray[np.float32]:
    """What a booster reads: the features in order, then P(alive) and P(visit) when the model uses a rhythm.

    The one conversion to float32, for training, batch and service alike.

    Args:
        matrix: n rows.
        names: features, k of them.
        rhythm: n x 2 (see `rhythm_inputs`), or None.

    Returns:
        n x k or n x (k + 2) values, NaN where unknown.
    """
    values = matrix.select(list(names))
    return np.ascontiguousarray(values if rhythm is None else np.hstack([values, rhythm]), dtype=np.float32)


def rhythm_inputs(matrix: FeatureMatrix, model: bg_nbd.BgNbd, horizon_days: int) -> Floats:
    """P(alive) and P(visit within the horizon) by BG/NBD, n x 2."""
    return np.column_stack(model.alive_and_visit(bg_nbd.summary(matrix), horizon_days))


RHYTHM_MEANINGS = {
    "bg_nbd_alive": "Chance that the customer has not left for good, by BG/NBD",
    "bg_nbd_visit": "Chance of a visit within the horizon, by BG/NBD",
}
RHYTHM_NAMES = tuple(RHYTHM_MEANINGS)


def training_inputs(rows: CustomerExamples, names: Sequence[str], *, rhythm: bool) -> NDArray[np.float32]:
    """`inputs` of rows at several cutoffs, each with the rhythm fitted at its own cutoff, if at all."""
    columns = None
    if rhythm:
        columns = rows.by_cutoff(lambda model, matrix: rhythm_inputs(matrix, model, rows.horizon_days))
    return inputs(rows.matrix, names, columns)
