"""What a study found: verdicts, and what each variant costs in time and in features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from experiments.study_design import Design
from experiments.study_job import Result
from experiments.study_verdict import Verdict
from training.measuring.evaluation import listed
from training.task import Params

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cost:
    """What a variant takes on one task.

    Attributes:
        task: name of the task.
        variant: its name.
        inputs: how many inputs its models read, the most of its seeds.
        fit_seconds: processor time of one fit, the median over seeds.
        run_seconds: wall clock of its runs, all seeds together, data sets and tuning included.
        trials: settings that each seed tried.
        settings: the chosen setting of each seed.
    """

    task: str
    variant: str
    inputs: int
    fit_seconds: float
    run_seconds: float
    trials: int
    settings: tuple[Params, ...]


@dataclass(frozen=True)
class StudyResult:
    """A study's answer.

    Attributes:
        design: what was asked.
        until: end of the choice period: nothing at or after it was read.
        fingerprint: SHA-256 of the data before it.
        verdicts: one per task and metric.
        costs: one per task and variant.
        thrift: sentences on the leanest variant that is not worse, where there is one.
        runs: how many runs there were.
        reused: how many of them had been done before.
        warnings: what to keep in mind.
        run_id: parent run in MLflow.
        page: HTML page.
        pictures: PNG files, one per task and metric.
        data: the same as JSON.
    """

    design: Design
    until: date
    fingerprint: str
    verdicts: tuple[Verdict, ...]
    costs: tuple[Cost, ...]
    thrift: tuple[str, ...]
    runs: int
    reused: int
    warnings: tuple[str, ...] = ()
    run_id: str = ""
    page: Path | None = None
    pictures: tuple[Path, ...] = ()
    data: Path | None = None

    def verdict(self, task: str | None = None, metric: str | None = None) -> Verdict:
        """The first verdict of that task and metric. Raises StopIteration."""
        return next(
            verdict
            for verdict in self.verdicts
            if task in (None, verdict.task) and metric in (None, verdict.metric.name)
        )

    def cost(self, task: str, variant: str) -> Cost:
        """The cost of a variant on a task. Raises KeyError."""
        return {(cost.task, cost.variant): cost for cost in self.costs}[task, variant]

    def to_pandas(self) -> pd.DataFrame:
        """One row per task, metric and variant: the fields of `Outcome`, inputs and seconds of a fit."""
        import pandas as pd

        rows = []
        for verdict in self.verdicts:
            for outcome in verdict.outcomes:
                cost = self.cost(verdict.task, outcome.variant)
                rows.append(
                    {"task": verdict.task, "metric": verdict.metric.name}
                    | {name: value for name, value in vars(outcome).items() if name not in ("by_seed", "at")}
                    | {"inputs": cost.inputs, "fit_seconds": cost.fit_seconds}
                )
        return pd.DataFrame(rows)


def costs_of(results: Sequence[Result]) -> tuple[Cost, ...]:
    """The costs of each task's variants, in the order of the results."""
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        grouped.setdefault((result.task, result.variant), []).append(result)
    return tuple(
        Cost(
            task,
            variant,
            inputs=max(run.inputs for run in runs),
            fit_seconds=median(run.fit_seconds for run in runs),
            run_seconds=sum(run.seconds for run in runs),
            trials=max(run.trials for run in runs),
            settings=tuple(run.setting for run in runs),
        )
        for (task, variant), runs in grouped.items()
    )


def thrift(task: str, verdicts: Sequence[Verdict], costs: Sequence[Cost]) -> str | None:
    """The variant of fewest inputs that is worse on no metric; None when that is the reference."""
    told = [verdict for verdict in verdicts if verdict.task == task]
    own = {cost.variant: cost for cost in costs if cost.task == task}
    name = told[0].reference
    reference = own[name]
    leaner = [
        cost
        for cost in own.values()
        if cost.inputs < reference.inputs
        and all(verdict.outcome(cost.variant).verdict != "worse" for verdict in told)
    ]
    if not leaner:
        return None
    cost = min(leaner, key=lambda cost: (cost.inputs, cost.fit_seconds))
    better = [v.metric.title for v in told if v.outcome(cost.variant).verdict == "better"]
    open_ = [v.metric.title for v in told if v.outcome(cost.variant).verdict == "undecided"]
    stands = [f"is better than {name!r} on {listed(better)}"] if better else []
    stands += [f"cannot be told apart from {name!r} on {listed(open_)}"] if open_ else []
    return (
        f"{task}: {cost.variant!r} reads {cost.inputs} inputs instead of {reference.inputs}, takes "
        f"{cost.fit_seconds:.2f} instead of {reference.fit_seconds:.2f} s of processor time a fit, and "
        f"{listed(stands)}."
    )
