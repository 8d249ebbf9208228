"""What a study costs beside the bare training of its trials: data sets, predictions, storage, sampling."""

from __future__ import annotations

import time
from pathlib import Path

from features.workspace import Workspace
from training import boosting, tasks, tuning
from training.datasets import open_snapshots
from training.draws import Choice
from training.plan import Rows, lay_out
from training.task import FULL
from training.tuning import Fold

AT_MOST = 1.10


def bench_trials_beside_bare_training(sample_workspace: Workspace, tmp_path: Path) -> None:
    """A study of churn on one core, from rows in memory to stored trials, over the time in XGBoost."""
    snapshots = open_snapshots(sample_workspace)
    task = tasks.named("churn")
    plan = lay_out(task, snapshots, FULL)
    rows = Rows(task, snapshots, plan, FULL)
    rows.prepare(choices=True)
    folds = [Fold(day, rows.train(day), rows.at(day, plan.choices_until)) for day in plan.folds]
    before, since = boosting.spent(), time.perf_counter()
    tuned = tuning.tune(
        task,
        folds,
        Choice("bench", task.name, {}, plan.as_of, plan.choices_until),
        trials=FULL.trials,
        seed=0,
        storage=f"sqlite:///{tmp_path / 'studies.db'}",
    )
    whole = time.perf_counter() - since
    bare = sum(row.bare_seconds for row in tuned.trials)
    assert boosting.spent() == before, "trials run in threads of their own"
    print(f"\n{FULL.trials} trials of churn, {len(folds)} folds: {whole:.1f} s, bare training {bare:.1f} s")
    print(f"ratio {whole / bare:.2f} (at most {AT_MOST}); within the trials alone {tuned.overhead:.2f}")
