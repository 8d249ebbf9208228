"""One run of a study: what decides it, doing it, and what it leaves.

What a run gives is stored under a key of everything that decides it, so whoever asks for the same again has
it at once. A run that was killed goes on with the trials it has: they are stored as they are done.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from experiments import study_space
from features.catalogue import catalogue_hash
from features.json_file import read_json, write_json
from features.output import plain
from features.workspace import Workspace
from training import runs, tasks, tuning
from training.datasets import Snapshots
from training.measuring.metrics import MODEL
from training.registry import tracking
from training.task import Budget, Params, Task

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Of a stored result: raise it when a result of the same key would hold something else."""
ROWS, FACTS = "rows.parquet", "result.json"


@dataclass(frozen=True)
class Job:
    """One run to do.

    Attributes:
        task: name of the task.
        options: of the task.
        setting: fixed values of the search space.
        space: ranges that replace those of the search space.
        budget: what it may spend.
        seed: of tuning and fits.
        cutoffs: report cutoffs as days; settings are chosen on windows that ended by the earliest.
        until: day as of which it is trained.
    """

    task: str
    options: Params
    setting: Params
    space: dict[str, list[Any]]
    budget: Budget
    seed: int
    cutoffs: tuple[int, ...]
    until: int

    @property
    def setup(self) -> str:
        """What runs of one variant on one task have in common."""
        return json.dumps([self.task, self.options, self.setting, self.space], sort_keys=True)

    def key(self, snapshots: Snapshots) -> str:
        """SHA-256 of the job, the data, the labels, the feature declarations and the code."""
        facts = {
            "format": FORMAT,
            "job": plain(self),
            "data": snapshots.fingerprint,
            "labels": snapshots.labels.plain(),
            "features": catalogue_hash(),
            "code": tracking.code_version(),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        key: of its job.
        folder: where it is stored.
        task: name of the task.
        variant: name of the variant.
        seed: of tuning and fits.
        setting: the chosen setting.
        inputs: how many inputs the model reads.
        fit_seconds: processor time of a fit, the median over the fits of the run.
        seconds: wall clock of the whole run, data sets included.
        trials: settings that were tried.
        rows: rows of the last fit.
        reused: whether it had been done before.
    """

    key: str
    folder: Path
    task: str
    variant: str
    seed: int
    setting: Params
    inputs: int
    fit_seconds: float
    seconds: float
    trials: int
    rows: int
    reused: bool

    @property
    def frame(self) -> pd.DataFrame:
        """The report frame: keys, labels and `model.<field>` columns."""
        import pandas as pd

        return pd.read_parquet(self.folder / ROWS)


class Workbench:
    """Where runs are done: one place per process, so that features are computed once for all of them."""

    def __init__(self, workspace: Workspace, snapshots: Snapshots) -> None:
        self._home, self._snapshots = home(workspace), snapshots
        self._held: tuple[str, Task[Any], list[float]] | None = None

    def do(self, job: Job, key: str) -> None:
        """Do one run and store what it gave."""
        task, seconds = self._task(job)
        seconds.clear()
        aside = self._home / f".{key}.{os.getpid()}"
        shutil.rmtree(aside, ignore_errors=True)
        trials = self._home / f"{key}.db"
        self._home.mkdir(parents=True, exist_ok=True)
        untuned = tuning.untuned(task, job.seed).params if not job.budget.trials else None
        result = runs.run(
            task,
            self._snapshots,
            job.budget,
            job.seed,
            f"sqlite:///{trials.resolve()}",
            setting=untuned,
            choices_until=min(job.cutoffs),
            reports=job.cutoffs,
            workers=1,
        )
        aside.mkdir()
        names = [str(name) for name in result.frame]
        own = [name for name in names if "." not in name or name.startswith(f"{MODEL}.")]
        result.frame[own].to_parquet(aside / ROWS, index=False)
        inputs = {name for booster in result.fitted.boosters.values() for name in booster.feature_names or ()}
        facts = {
            "task": job.task,
            "seed": job.seed,
            "setting": plain(result.params),
            "inputs": len(inputs),
            "fit_seconds": median(seconds),
            "seconds": sum(result.seconds.values()),
            "trials": len(result.tuned.trials),
            "rows": result.rows,
        }
        write_json(aside / FACTS, facts)
        aside.rename(self._home / key)
        trials.unlink(missing_ok=True)

    def _task(self, job: Job) -> tuple[Task[Any], list[float]]:
        """The job's task and its list of seconds; the latest is kept, for it may hold what seeds share."""
        if self._held is None or self._held[0] != job.setup:
            # The one before refers to itself, and it may hold gigabytes that nothing else would free in time.
            self._held = None
            gc.collect()
            task = type(tasks.named(job.task))(**job.options)
            ranges = {name: tuple(ends) for name, ends in job.space.items()}
            self._held = (job.setup, task, study_space.adapt(task, job.setting, ranges))
        return self._held[1:]


def home(workspace: Workspace) -> Path:
    """Where results are stored, one folder per key."""
    return workspace.root / "experiments" / "results"


def stored(workspace: Workspace, key: str) -> bool:
    """Whether that run has been done."""
    return (home(workspace) / key).is_dir()


def load(workspace: Workspace, key: str, variant: str, *, reused: bool) -> Result:
    """A stored result."""
    folder = home(workspace) / key
    facts = read_json(folder / FACTS)
    return Result(key=key, folder=folder, variant=variant, reused=reused, **facts)
