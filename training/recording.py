"""From a training result to what stays: an MLflow run, its files, a registered version, an HTML report."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features.catalogue import FEATURES
from features.clock import to_date
from features.json_file import write_json
from features.output import plain
from features.workspace import Workspace
from training import flavor, plots, report, runs, tasks, tracking
from training.datasets import Snapshots
from training.examples import RHYTHM_MEANINGS
from training.runs import RunResult
from training.task import Budget


@dataclass(frozen=True)
class Recorded:
    """Where a result went.

    Attributes:
        run_id: MLflow run.
        version: version of the registered model; None when the run only reproduces another.
        report: HTML report in the workspace.
    """

    run_id: str
    version: int | None
    report: Path


@dataclass(frozen=True)
class Reproduction:
    """A run done again.

    Attributes:
        run_id: the run that was reproduced.
        again: the new run.
        same_model: boosters and arrays are equal to the byte.
        same_metrics: every number of the report is equal.
        sentence: the same in words.
    """

    run_id: str
    again: str
    same_model: bool
    same_metrics: bool
    sentence: str


def record(workspace: Workspace, result: RunResult, *, reproduces: str | None = None) -> Recorded:
    """Write the run, its files and its report; register the model unless the run only reproduces another."""
    as_of = to_date(result.plan.as_of).isoformat()
    with tracking.new_run(workspace, result.task) as run_id, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flavor.save_model(result.fitted, folder / tracking.MODEL, run_id)
        _write_files(folder, result, run_id)
        tracking.log_folder(workspace, run_id, folder)
        tracking.log(
            workspace,
            run_id,
            metrics=result.evaluation.flat() | {f"seconds/{k}": v for k, v in result.seconds.items()},
            params={**result.params, "trials": len(result.tuned.trials), "rows": result.rows},
            tags=_tags(result, as_of) | ({"reproduces": reproduces} if reproduces else {}),
        )
        page = workspace.reports / f"{result.task}-{as_of}-{run_id[:8]}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "report" / "report.html", page)
    version = None if reproduces else flavor.register(workspace, run_id, result.task)
    return Recorded(run_id, version, page)


def reproduce(
    workspace: Workspace, snapshots: Snapshots, info: tracking.RunInfo, **told: Any
) -> Reproduction:
    """Fit again what a run fitted, without tuning, and compare to the byte.

    Args:
        workspace: where both runs live.
        snapshots: the tables as of the run's as-of.
        info: the run to reproduce.
        told: `say` of `runs.run`.

    Raises:
        UserError: the data visible at the as-of, the labels or the features are no longer the same.
    """
    runs.check_same_inputs(snapshots, info)
    result = runs.run(
        tasks.named(info.task),
        snapshots,
        Budget(**info.budget),
        info.seed,
        workspace.studies_uri,
        setting=info.params,
        **told,
    )
    recorded = record(workspace, result, reproduces=info.run_id)
    same_model = result.fitted.digest() == info.tags["model_digest"]
    flat = result.evaluation.flat()
    same_metrics = all(info.metrics.get(name) == value for name, value in flat.items())
    model = "identical to the byte" if same_model else "different"
    numbers = f"the report's {len(flat)} numbers are {'identical' if same_metrics else 'different'}"
    sentence = f"{info.task} run {info.run_id}: the model is {model}, {numbers}."
    if not (same_model and same_metrics) and info.tags["code"] != tracking.code_version():
        sentence += " The code has changed since that run."
    return Reproduction(info.run_id, recorded.run_id, same_model, same_metrics, sentence)


def _tags(result: RunResult, as_of: str) -> dict[str, Any]:
    return {
        "mlflow.runName": f"{result.task} {as_of}",
        "task": result.task,
        "as_of": as_of,
        "choices_until": to_date(result.plan.choices_until),
        "report_cutoffs": ",".join(str(to_date(day)) for day in result.plan.reports),
        "seed": result.seed,
        "setting": json.dumps(plain(result.params)),
        "budget": json.dumps(asdict(result.budget)),
        "study": result.tuned.study,
        "data_fingerprint": result.fingerprint,
        "catalogue_hash": result.catalogue_hash,
        "labels": json.dumps(result.fitted.meta["labels"], sort_keys=True),
        "code": tracking.code_version(),
        "model_digest": result.fitted.digest(),
        "warnings": " ".join(result.warnings) or "none",
    }


def _write_files(folder: Path, result: RunResult, run_id: str) -> None:
    """Report frame, feature list, trials, numbers, pictures and page of a run."""
    rows = folder / tracking.ROWS
    rows.parent.mkdir(parents=True)
    choice = folder / tracking.CHOICE
    choice.parent.mkdir(parents=True)
    result.choice_frame.to_parquet(choice, index=False)
    result.frame.to_parquet(rows, index=False)
    result.evaluation.to_pandas().to_csv(rows.parent / "values.csv", index=False)
    result.evaluation.differences_to_pandas().to_csv(rows.parent / "differences.csv", index=False)
    features = _features(result)
    write_json(folder / "features.json", {"catalogue_hash": result.catalogue_hash, "inputs": features})
    write_json(folder / "trials.json", {"study": result.tuned.study, "trials": plain(result.tuned.trials)})
    content = _content(result, run_id, features)
    figures = plots.figures(content.frame, content.evaluation, content.primary, content.importance)
    (folder / "plots").mkdir()
    for title, figure in figures.items():
        figure.savefig(folder / "plots" / f"{_file_name(title)}.png", dpi=report.DPI)
    report.write(rows.parent / "report.html", content, figures)


def _content(result: RunResult, run_id: str, features: Mapping[str, str]) -> report.ReportContent:
    task, plan = tasks.named(result.task), result.plan
    return report.ReportContent(
        task=result.task,
        title=result.title,
        run_id=run_id,
        primary=task.primary,
        bars=task.bars,
        evaluation=result.evaluation,
        frame=result.frame,
        data={
            "as-of": str(to_date(plan.as_of)),
            "choices on windows ended by": str(to_date(plan.choices_until)),
            "validation cutoffs": [str(to_date(day)) for day in plan.folds],
            "report cutoffs": [str(to_date(day)) for day in plan.reports],
            "training cutoffs of the final model": [str(to_date(day)) for day in plan.final],
            "horizon in days": plan.horizon_days,
            "rows of the final fit": result.rows,
            **{f"mean of {name} in the report": rate for name, rate in result.base_rates.items()},
            "data fingerprint": result.fingerprint,
            "feature declarations": result.catalogue_hash,
        },
        settings={**result.params, "seed": result.seed, **asdict(result.budget)},
        features=features,
        importance=dict(result.importance),
        trials=[
            {
                "trial": row.number,
                "state": row.state.lower(),
                "loss": row.loss,
                "seconds": row.seconds,
                **row.settings,
            }
            for row in result.tuned.trials
        ],
        warnings=result.warnings,
    )


def _features(result: RunResult) -> dict[str, str]:
    """Inputs of the model, those that no tree uses included, with their meaning."""
    known = {feature.name: feature.meaning for feature in FEATURES} | RHYTHM_MEANINGS
    boosters = result.fitted.boosters.values()
    return {name: known.get(name, "") for booster in boosters for name in booster.feature_names or ()}


def _file_name(title: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in title.lower()).strip("_")
