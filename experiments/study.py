"""Studies: a hypothesis tried through the product's own training, and answered with intervals.

    from experiments.study import Study, Variant
    Study(
        name="lean-churn",
        hypothesis="Money and rhythm alone predict churn as well as all features.",
        tasks=("churn",),
        variants=(Variant("all features"), Variant("money and rhythm", families=("money", "rhythm"))),
    ).run("path/to/workspace").verdict().sentence

`Study.load` makes the same object from a YAML file (`study_file`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from experiments import study_file, study_page, study_runs, study_tracking
from experiments.study_design import BUDGET, Design, Variant, options_of
from experiments.study_job import Result
from experiments.study_result import StudyResult, costs_of, thrift
from experiments.study_verdict import Verdict, corrected, judge
from features.catalogue import FEATURES
from features.clock import to_date
from features.errors import UserError, unknown
from features.workspace import Workspace
from training import tasks
from training.datasets import Snapshots
from training.measuring.evaluation import counted
from training.measuring.metrics import Metric

__all__ = ["Study", "StudyResult", "Variant", "ablation"]

ALL_FEATURES = "all features"


@dataclass(frozen=True)
class Study(Design):
    """A design that can be read from a file and run."""

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The study in a YAML file.

        Raises:
            UserError: the file is not a study; the sentence names what is wrong.
        """
        return cls(**study_file.read(Path(path)))

    def run(
        self,
        workspace: Workspace | Path | str,
        *,
        jobs: int = 1,
        say: Callable[[str], None] = lambda _: None,
        done: Callable[[Result], None] = lambda _: None,
    ) -> StudyResult:
        """Do every run that has not been done, and answer: page, pictures and JSON in the reports, MLflow.

        Args:
            workspace: whose tables are studied.
            jobs: runs at once, each in a process of its own.
            say: told what the study is doing.
            done: told of each run.

        Raises:
            UserError: the workspace cannot support the study, or another command is writing in it.
        """
        space = workspace if isinstance(workspace, Workspace) else Workspace(Path(workspace))
        with space.lock("experiments study"):
            return self._run(space, jobs, say, done)

    def _run(
        self, space: Workspace, jobs: int, say: Callable[[str], None], done: Callable[[Result], None]
    ) -> StudyResult:
        snapshots = study_runs.choice_snapshots(space)
        layout = study_runs.lay_out(self, snapshots)
        metrics = self._metrics(snapshots)
        say(f"{self.name}: {counted(self.count, 'run')}")
        results = study_runs.run_all(self, space, snapshots, layout, workers=jobs, done=done)
        say(f"{self.name}: intervals")
        verdicts = self._judged(snapshots, metrics, results)
        costs = costs_of(results)
        found = StudyResult(
            design=self,
            until=to_date(layout.until),
            fingerprint=snapshots.fingerprint,
            verdicts=verdicts,
            costs=costs,
            thrift=tuple(filter(None, (thrift(task, verdicts, costs) for task in self.tasks))),
            runs=len(results),
            reused=sum(result.reused for result in results),
            warnings=self._warnings(results),
        )
        say(f"{self.name}: MLflow and page")
        run_id = study_tracking.record(
            space,
            found,
            results,
            lambda folder, parent: study_page.write(folder, dataclasses.replace(found, run_id=parent)),
        )
        return study_page.publish(space, dataclasses.replace(found, run_id=run_id))

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.tasks) * len(self.variants) * len(self.seeds)

    def _metrics(self, snapshots: Snapshots) -> dict[str, list[Metric]]:
        """The metrics to compare, by task: those named that the task has, else its primary one."""
        known = {name: tasks.named(name).metrics(snapshots.labels) for name in self.tasks}
        names = {metric.name for metrics in known.values() for metric in metrics}
        for name in self.metrics:
            if name not in names:
                raise unknown("metric", name, names)
        return {
            name: [metric for metric in metrics if metric.name in self.metrics]
            or [metric for metric in metrics if metric.name == tasks.named(name).primary]
            for name, metrics in known.items()
        }

    def _judged(
        self, snapshots: Snapshots, metrics: Mapping[str, Sequence[Metric]], results: Sequence[Result]
    ) -> tuple[Verdict, ...]:
        from training.reporting.report import stated

        found: list[Verdict] = []
        for name in self.tasks:
            task = tasks.named(name)
            own = [result for result in results if result.task == name]
            frames = {
                variant.name: [result.frame for result in own if result.variant == variant.name]
                for variant in self.variants
            }
            found += judge(
                name,
                stated(task.title, task.stated_days(snapshots.labels)),
                metrics[name],
                frames,
                self.reference,
                keys=task.keys,
                replicates=self.replicates,
            )
        return corrected(found)

    def _warnings(self, results: Sequence[Result]) -> tuple[str, ...]:
        wanted = {variant.name: self.trials(variant) for variant in self.variants}
        untuned = dict.fromkeys(run.task for run in results if wanted[run.variant] and not run.trials)
        return tuple(
            f"{task}: history before the earliest cutoff is too short to choose a setting; the task's first "
            "one was used."
            for task in untuned
        )


def ablation(task: str, *, trials: int | None = None, seeds: Sequence[int] = (0, 1)) -> Study:
    """The study that leaves out each family of features in turn.

    Args:
        task: name of a task that reads features.
        trials: settings that each run tries; None: the default.
        seeds: of tuning and fits.

    Raises:
        UserError: there is no such task, or it has no features to choose from.
    """
    if "features" not in options_of(task):
        able = [name for name in tasks.TASKS if "features" in options_of(name)]
        raise UserError(
            f"task {task} has no features to leave out. Tasks that have: {', '.join(able) or 'none'}."
        )
    families = list(dict.fromkeys(feature.family for feature in FEATURES))
    return Study(
        name=f"ablation-{task.replace('_', '-')}",
        hypothesis=f"Some family of features can be left out of {task} without loss.",
        tasks=(task,),
        variants=(
            Variant(ALL_FEATURES),
            *(Variant(f"without {family}", without_families=(family,)) for family in families),
        ),
        seeds=tuple(seeds),
        budget=BUDGET if trials is None else dataclasses.replace(BUDGET, trials=trials),
    )
