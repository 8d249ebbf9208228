"""A study in MLflow: one parent run, and a child run per task, variant and seed.

The parent gets its key last, so a study whose telling was cut short is told anew, and one that was told is
not told twice.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.study_job import Result
from experiments.study_result import StudyResult
from features.output import plain
from features.workspace import Workspace
from training.registry import store, tracking

EXPERIMENT = "studies"
KEY = "study_key"


def record(
    workspace: Workspace,
    study: StudyResult,
    results: Sequence[Result],
    write: Callable[[Path, str], object],
) -> str:
    """Write a study, unless it is there.

    Args:
        workspace: whose MLflow it is.
        study: what was found.
        results: its runs.
        write: writes the study's files into a folder, given the id of the parent run.

    Returns:
        The id of the parent run.
    """
    facts = json.dumps([plain(study.design), [result.key for result in results]], sort_keys=True)
    key = hashlib.sha256(facts.encode()).hexdigest()
    known = _told(workspace, key)
    if known is not None:
        return known
    with tracking.new_run(workspace, EXPERIMENT) as parent:
        for result in results:
            _child(workspace, parent, study, result)
        with TemporaryDirectory() as folder:
            write(Path(folder), parent)
            tracking.log_folder(workspace, parent, Path(folder))
        design = study.design
        tracking.log(
            workspace,
            parent,
            metrics=_numbers(study),
            params={
                "reference": design.reference,
                "variants": len(design.variants),
                "seeds": ",".join(map(str, design.seeds)),
                "cutoffs": ",".join(study.verdicts[0].cutoffs),
                "trials": design.budget.trials,
            },
            tags={
                "mlflow.runName": f"study {design.name}",
                "study": design.name,
                "hypothesis": design.hypothesis,
                "verdict": " ".join(verdict.sentence for verdict in study.verdicts),
                "until": study.until,
                "data_fingerprint": study.fingerprint,
                "code": tracking.code_version(),
                KEY: key,
            },
        )
    return parent


def _child(workspace: Workspace, parent: str, study: StudyResult, result: Result) -> None:
    place = study.design.seeds.index(result.seed)
    values = {
        verdict.metric.name: verdict.outcome(result.variant).by_seed[place]
        for verdict in study.verdicts
        if verdict.task == result.task
    }
    costs = {
        "inputs": result.inputs,
        "fit_seconds": result.fit_seconds,
        "seconds": result.seconds,
        "trials": result.trials,
        "rows": result.rows,
    }
    with tracking.new_run(workspace, EXPERIMENT) as run_id:
        tracking.log_folder(workspace, run_id, result.folder)
        tracking.log(
            workspace,
            run_id,
            metrics={name: value for name, value in values.items() if math.isfinite(value)} | costs,
            params=result.setting,
            tags={
                "mlflow.runName": f"{result.task}, {result.variant}, seed {result.seed}",
                "mlflow.parentRunId": parent,
                "study": study.design.name,
                "task": result.task,
                "variant": result.variant,
                "seed": result.seed,
                "result_key": result.key,
            },
        )


def _told(workspace: Workspace, key: str) -> str | None:
    """The finished parent run of that key."""
    place = tracking.experiment(workspace, EXPERIMENT)
    for run in store.client(workspace).search_runs([place], f"tags.{KEY} = '{key}'"):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
    return None


def _numbers(study: StudyResult) -> dict[str, float]:
    """The differences under MLflow names: `churn/roc_auc/<variant>` and so on, letters and digits kept."""
    found = {}
    for verdict in study.verdicts:
        for outcome in verdict.outcomes:
            name = "".join(letter if letter.isalnum() else "_" for letter in outcome.variant)
            where = f"{verdict.task}/{verdict.metric.name}/{name}"
            found[where] = outcome.value
            if outcome.verdict is not None:
                found[f"{where}.difference"] = outcome.difference
                found[f"{where}.low_all"], found[f"{where}.high_all"] = outcome.low_all, outcome.high_all
                found[f"{where}.p_holm"] = outcome.p_holm
    return {name: value for name, value in found.items() if math.isfinite(value)}
