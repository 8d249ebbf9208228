"""Challenger and champion on the same rows, by the task's primary metric.

The rows are those of the challenger's validation cutoffs: promotion is a choice, and choices read no window
of the reserved period. The champion's predictions are those of its own run, which were made by refits as of
each cutoff; at a cutoff that run lacks but that is no earlier than its as-of, the champion itself predicts,
for it has seen nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from features.clock import to_date
from features.columns import AS_OF
from features.errors import UserError
from features.workspace import Workspace
from training import tasks
from training.datasets import open_snapshots
from training.measuring.evaluation import Difference, evaluate
from training.measuring.gate import Gate, promises
from training.measuring.metrics import MODEL, Metric
from training.registry import registry, tracking

if TYPE_CHECKING:
    import pandas as pd

    from training.task import Task

# Household-bootstrap replicates behind the interval.
REPLICATES = 500
CHAMPION = "champion"


@dataclass(frozen=True)
class Compared:
    """Challenger and champion on the same rows.

    Attributes:
        metric: the primary metric.
        challenger, champion: its value for each; NaN where it is undefined.
        difference: challenger minus champion, with its paired 95 % interval.
        rows: number of rows that the metric reads.
        days: their cutoffs.
        gates: how what challenger and champion promise stands on them, see `gate.promises`.
    """

    metric: Metric
    challenger: float
    champion: float
    difference: Difference
    rows: int
    days: tuple[int, ...]
    gates: tuple[dict[str, Gate], dict[str, Gate]]

    @property
    def not_worse(self) -> bool:
        """Whether the challenger's number is at or beyond the champion's, by direction."""
        return self.difference.value >= 0 if self.metric.higher_is_better else self.difference.value <= 0

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        d, days = self.difference, ", ".join(str(to_date(day)) for day in self.days)
        where = f"on the same {self.rows:,} rows of validation as of {days}"
        if math.isnan(d.value):
            return f"{self.metric.title} is undefined {where}"
        word = "better" if self.not_worse else "worse"
        said = f"{word} beyond chance" if d.verdict != "undecided" else f"{word}, which may be chance"
        return (
            f"{self.metric.title} {self.challenger:.4f} against {self.champion:.4f}, "
            f"{said if d.value else 'equal'} (difference {d.value:+.4f}, 95 % interval {d.low:+.4f} to "
            f"{d.high:+.4f}, {where})"
        )


def compare(workspace: Workspace, task: Task[Any], challenger: str, current: str) -> Compared | None:
    """Compare the runs of challenger and champion; None when they have no row in common.

    Raises:
        UserError: the challenger's rows are gone.
    """
    frame = common_rows(workspace, task, challenger, current)
    if not len(frame):
        return None
    labels = open_snapshots(workspace).labels
    metric = next(each for each in task.metrics(labels) if each.name == task.primary)
    found = evaluate(frame, (MODEL, CHAMPION), (metric,), REPLICATES)
    known = partial(promises, task.gate, frame, longest=task.horizon_days(labels), let_be=task.gate_bound)
    return Compared(
        metric=metric,
        challenger=found.value(metric.name, MODEL).value,
        champion=found.value(metric.name, CHAMPION).value,
        difference=found.difference(metric.name, CHAMPION),
        rows=found.value(metric.name).rows,
        days=tuple(sorted({int(day) for day in frame[AS_OF]})),
        gates=(known(MODEL), known(CHAMPION)),
    )


def common_rows(workspace: Workspace, task: Task[Any], challenger: str, current: str) -> pd.DataFrame:
    """The challenger's validation rows that the champion predicts, too, as `champion.<field>`."""
    import pandas as pd

    rows = tracking.load_rows(workspace, challenger, tracking.CHOICE)
    if rows.empty:
        return rows
    keys, parts = list(task.keys), []
    stored = choice_rows(workspace, current)
    if stored is not None and len(stored):
        parts.append(_as_champion(stored, keys, MODEL))
    lacking = set(rows[AS_OF]).difference(*(part[AS_OF] for part in parts))
    info = tracking.run_info(workspace, current)
    fresh = sorted(int(day) for day in lacking if day >= info.as_of)
    if fresh:
        until = tracking.run_info(workspace, challenger).as_of
        made = tasks.named(task.name, info.options)
        asking = task if task.asks_alike else made
        examples = asking.examples(open_snapshots(workspace, until), fresh)
        predicted = made.rows(registry.load(workspace, current), examples, CHAMPION)
        parts.append(_as_champion(predicted, keys, CHAMPION))
    if not parts:
        return rows.iloc[:0]
    theirs = pd.concat(parts, ignore_index=True)
    return rows.merge(theirs, on=keys, how="inner", validate="one_to_one")


def choice_rows(workspace: Workspace, run_id: str) -> pd.DataFrame | None:
    """A run's rows at its validation cutoffs; None when its files are gone."""
    try:
        return tracking.load_rows(workspace, run_id, tracking.CHOICE)
    except UserError:
        return None


def _as_champion(rows: pd.DataFrame, keys: Sequence[str], model: str) -> pd.DataFrame:
    """The keys and the predictions of `model`, the latter as the champion's."""
    prefix = f"{model}."
    fields = {
        name: f"{CHAMPION}.{name.removeprefix(prefix)}" for name in rows.columns if name.startswith(prefix)
    }
    return rows[[*keys, *fields]].rename(columns=fields)
