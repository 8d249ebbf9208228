"""Which cutoffs a run uses for what, and the rows each fit may read.

A fit as of X, a validation fold's included, uses label windows that ended by X. Its grid of cutoffs starts at
X - horizon, so that a report as of C is exactly what training as of C would have given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

from features.clock import to_date, to_day
from features.errors import ExitCode, UserError
from training import datasets
from training.datasets import Snapshots
from training.task import Budget, E, Task


@dataclass(frozen=True)
class Plan:
    """Which cutoffs a run uses for what, all as days.

    Attributes:
        as_of: nothing at or after it is read.
        choices_until: choices read label windows that ended by this day.
        earliest: first day with enough history before it to be a cutoff.
        horizon_days: length of label windows.
        folds: validation cutoffs, ascending; empty when history is too short.
        reports: report cutoffs, ascending.
        final: training cutoffs of the final model.
        overlaps: report windows that overlap windows of the choices: the report is then too kind.
    """

    as_of: int
    choices_until: int
    earliest: int
    horizon_days: int
    folds: tuple[int, ...]
    reports: tuple[int, ...]
    final: tuple[int, ...]
    overlaps: bool


def lay_out(task: Task[Any], snapshots: Snapshots, budget: Budget) -> Plan:
    """Lay out the cutoffs of a run.

    Raises:
        UserError: history is too short to fit a model and to report on it.
    """
    labels = snapshots.labels
    horizon, history = task.horizon_days(labels), task.history_days(labels)
    earliest, until = snapshots.first_day + history, snapshots.until
    limit = snapshots.canonical.source.choices_until
    choices_until = until if limit is None else min(until, to_day(limit))
    final = datasets.cutoffs(earliest, horizon, until, step_days=budget.step_days, count=budget.cutoffs)
    reports = datasets.report_cutoffs(earliest, horizon, until, count=budget.reports)
    if not final or not reports:
        raise UserError(
            f"{task.name} as of {to_date(until)} needs {history} days of history and two windows of "
            f"{horizon} days after it, one to learn from and one to report on; the data begin on "
            f"{to_date(snapshots.first_day)}, {until - snapshots.first_day} days before. Use a later "
            "--as-of, or shorter windows in the source's label definitions.",
            ExitCode.BAD_DATA,
        )
    # A fold needs at least one training window that ended by its own cutoff.
    folds = datasets.cutoffs(
        earliest + horizon, horizon, choices_until, step_days=budget.step_days, count=budget.folds
    )
    overlaps = bool(folds) and min(reports) < choices_until
    return Plan(until, choices_until, earliest, horizon, folds, reports, final, overlaps)


class Rows(Generic[E]):
    """The examples of a run, computed once for all the cutoffs that some fit or fold needs."""

    def __init__(self, task: Task[E], snapshots: Snapshots, layout: Plan, budget: Budget) -> None:
        self._task, self._snapshots, self._plan, self._budget = task, snapshots, layout, budget
        self._all: E | None = None

    def grid(self, until: int) -> tuple[int, ...]:
        """Training cutoffs of a fit as of `until`."""
        return datasets.cutoffs(
            self._plan.earliest,
            self._plan.horizon_days,
            until,
            step_days=self._budget.step_days,
            count=self._budget.cutoffs,
        )

    def cutoffs(self, *, choices: bool) -> tuple[int, ...]:
        """Every cutoff the run needs."""
        layout = self._plan
        looked_at = {*layout.reports, *(layout.folds if choices else ())}
        fits = [layout.as_of, *looked_at]
        return tuple(sorted(looked_at.union(*(self.grid(until) for until in fits))))

    def prepare(self, *, choices: bool) -> None:
        """Compute the rows of all cutoffs in one go."""
        self._all = self._task.examples(self._snapshots, self.cutoffs(choices=choices))

    def train(self, until: int) -> E:
        """Rows to fit on as of `until`; labels as they were known then, where rows can come late."""
        return self._known(self.grid(until), until)

    def at(self, cutoff: int, until: int) -> E:
        """Rows of one cutoff, labels as known before `until`."""
        return self._known((cutoff,), until)

    def before(self, until: int) -> Snapshots:
        """The tables as known before `until`."""
        return self._snapshots.cut(until)

    def _known(self, cutoffs: Sequence[int], until: int) -> E:
        assert self._all is not None, "prepare comes first"
        if self._snapshots.late and until < self._snapshots.until:
            return self._task.examples(self._snapshots.cut(until), cutoffs)
        return self._all.at(cutoffs)
