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
from training.datasets import Snapshots
from training.task import Budget, E, Task


@dataclass(frozen=True)
class Plan:
    """Which cutoffs a run uses for what, all as days.

    Attributes:
        as_of: nothing at or after it is read.
        choices_until: choices read label windows that ended by this day.
        earliest: first day with enough history before it to be a cutoff.
        horizon_days: length of the windows that reports are about.
        learning_days: length of the label windows that fits learn from.
        folds: validation cutoffs, ascending; empty when history is too short.
        reports: report cutoffs, ascending.
        final: training cutoffs of the final model.
        overlaps: report windows that overlap windows of the choices: the report is then too kind.
    """

    as_of: int
    choices_until: int
    earliest: int
    horizon_days: int
    learning_days: int
    folds: tuple[int, ...]
    reports: tuple[int, ...]
    final: tuple[int, ...]
    overlaps: bool


def lay_out(
    task: Task[Any],
    snapshots: Snapshots,
    budget: Budget,
    *,
    choices_until: int | None = None,
    reports: Sequence[int] | None = None,
) -> Plan:
    """Lay out the cutoffs of a run.

    Args:
        task: what is trained.
        snapshots: the tables as of the run.
        budget: how many cutoffs of each use.
        choices_until: a day before which choices end, earlier than the source's.
        reports: report cutoffs; None: those of the task.

    Raises:
        UserError: history is too short to fit a model and to report on it.
    """
    labels = snapshots.labels
    horizon, history = task.horizon_days(labels), task.history_days(labels)
    earliest, until = snapshots.first_day + history, snapshots.until
    declared = snapshots.canonical.source.choices_until
    limits = [until, *([] if declared is None else [to_day(declared)])]
    ends = min(limits if choices_until is None else [*limits, choices_until])
    final = task.training_cutoffs(snapshots, earliest, until, budget)
    reported = (
        task.report_cutoffs(snapshots, earliest, until, budget) if reports is None else tuple(sorted(reports))
    )
    if not final or not reported:
        raise UserError(
            f"{task.name} as of {to_date(until)} needs {history} days of history and two windows of "
            f"{horizon} days after it, one to learn from and one to report on; the data begin on "
            f"{to_date(snapshots.first_day)}, {until - snapshots.first_day} days before. Use a later "
            "--as-of, or shorter windows in the source's label definitions.",
            ExitCode.BAD_DATA,
        )
    # Days of a grid that stays: runs a week apart then share validation cutoffs, by which they are compared.
    even = ends - ends % budget.step_days if ends == until else ends
    folds = task.validation_cutoffs(snapshots, earliest, even, budget)
    folds = folds or task.validation_cutoffs(snapshots, earliest, ends, budget)
    # What choices read ends with the window of the last fold, which a task may end before the period does.
    read = min(ends, max(folds) + task.learning_days(labels)) if folds else ends
    overlaps = bool(folds) and min(reported) < read
    return Plan(until, ends, earliest, horizon, task.learning_days(labels), folds, reported, final, overlaps)


class Rows(Generic[E]):
    """The examples of a run, computed once for all the cutoffs that some fit or fold needs."""

    def __init__(self, task: Task[E], snapshots: Snapshots, layout: Plan, budget: Budget) -> None:
        self._task, self._snapshots, self._plan, self._budget = task, snapshots, layout, budget
        self._all: E | None = None

    def grid(self, until: int) -> tuple[int, ...]:
        """Training cutoffs of a fit as of `until`."""
        return self._task.training_cutoffs(self._snapshots, self._plan.earliest, until, self._budget)

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

    def pool(self, folds: Sequence[int], until: int) -> E:
        """Rows of the last validation cutoff's fit and of all validation cutoffs together."""
        return self._known(sorted({*self.grid(folds[-1]), *folds}), until)

    def before(self, until: int) -> Snapshots:
        """The tables as known before `until`."""
        return self._snapshots.cut(until)

    def _known(self, cutoffs: Sequence[int], until: int) -> E:
        assert self._all is not None, "prepare comes first"
        if self._task.late(self._snapshots) and until < self._snapshots.until:
            return self._task.examples(self._snapshots.cut(until), cutoffs)
        return self._all.at(cutoffs)
