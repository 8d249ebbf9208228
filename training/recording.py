"""From a training result to what stays: an MLflow run, its files, a registered version, an HTML report."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.canonical import Canonical
from features.clock import to_date
from features.json_file import write_json
from features.output import plain
from features.workspace import Workspace
from training import report_facts, runs, tasks
from training.datasets import Snapshots
from training.registry import environment, flavor, registry, tracking
from training.reporting import gallery, model_card, report, slices
from training.runs import RunResult
from training.task import Budget


@dataclass(frozen=True)
class Recorded:
    """Where a result went.

    Attributes:
        run_id: MLflow run.
        version: version of the registered model; None when the run only reproduces another.
        report: HTML report in the workspace.
        twin: run that made the version, when this very model was registered before and nothing new was.
    """

    run_id: str
    version: int | None
    report: Path
    twin: str | None = None


@dataclass(frozen=True)
class Reproduction:
    """A run done again.

    Attributes:
        run_id: the run that was reproduced.
        again: the new run.
        same_model: boosters, arrays and facts are equal to the byte.
        same_metrics: every number of the report is equal.
        sentence: the same in words.
    """

    run_id: str
    again: str
    same_model: bool
    same_metrics: bool
    sentence: str


def record(workspace: Workspace, result: RunResult, *, reproduces: str | None = None) -> Recorded:
    """Write the run, its files and its report, and register the model.

    Not registered are a run that only reproduces another, and a model that is a version already.
    """
    as_of = to_date(result.plan.as_of).isoformat()
    found = None if reproduces else registry.twin(workspace, result.task, result.fitted.digest())
    same = {"reproduces": reproduces} if reproduces else {registry.TWIN: found[0]} if found else {}
    with tracking.new_run(workspace, result.task) as run_id, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flavor.save_model(result.fitted, folder / tracking.MODEL, run_id)
        _write_files(folder, workspace, result, run_id)
        tracking.log_folder(workspace, run_id, folder)
        tracking.log(
            workspace,
            run_id,
            metrics=result.numbers | {f"seconds/{k}": v for k, v in result.seconds.items()},
            params={**result.params, "trials": len(result.tuned.trials), "rows": result.rows},
            tags=_tags(result, as_of) | same,
        )
        page = workspace.reports / f"{result.task}-{as_of}-{run_id[:8]}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "report" / "report.html", page)
        for card in (model_card.HTML, model_card.MARKDOWN):
            shutil.copyfile(folder / card, page.with_name(f"{page.stem}-{card}"))
    if found:
        return Recorded(run_id, found[0], page, twin=found[1])
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
        tasks.named(info.task, info.options),
        snapshots,
        Budget(**info.budget),
        info.seed,
        workspace.studies_uri,
        setting=info.params,
        **told,
    )
    recorded = record(workspace, result, reproduces=info.run_id)
    # Before format 3 the digest was of boosters and arrays alone.
    same_model = info.tags[tracking.DIGEST] in (result.fitted.digest(), result.fitted.digest(facts=False))
    flat = result.evaluation.flat()
    same_metrics = all(info.metrics.get(name) == value for name, value in flat.items())
    model = "identical to the byte" if same_model else "different"
    numbers = f"the report's {len(flat)} numbers are {'identical' if same_metrics else 'different'}"
    sentence = f"{info.task} run {info.run_id}: the model is {model}, {numbers}."
    if not (same_model and same_metrics) and info.tags["code"] != tracking.code_version():
        sentence += " The code has changed since that run."
    if not (same_model and same_metrics) and (changed := environment.changes(info.tags)):
        sentence += f" The environment has changed: {', '.join(changed)}."
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
        "options": json.dumps(plain(result.fitted.meta["options"])),
        "budget": json.dumps(asdict(result.budget)),
        "study": result.tuned.study,
        "data_fingerprint": result.fingerprint,
        "catalogue_hash": result.catalogue_hash,
        "declarations_hash": result.fitted.bound().meta["declarations_hash"],
        "labels": json.dumps(result.fitted.meta["labels"], sort_keys=True),
        "code": tracking.code_version(),
        tracking.DIGEST: result.fitted.digest(),
        "warnings": " ".join(result.warnings) or "none",
        **({"learned_from": result.learned_from} if result.learned_from else {}),
        **environment.tags(),
    }


def _write_files(folder: Path, workspace: Workspace, result: RunResult, run_id: str) -> None:
    """Report frame, feature list, trials, numbers, pictures, page and model card of a run."""
    rows = folder / tracking.ROWS
    rows.parent.mkdir(parents=True)
    choice = folder / tracking.CHOICE
    choice.parent.mkdir(parents=True)
    result.choice_frame.to_parquet(choice, index=False)
    result.frame.to_parquet(rows, index=False)
    result.evaluation.to_pandas().to_csv(rows.parent / "values.csv", index=False)
    result.evaluation.differences_to_pandas().to_csv(rows.parent / "differences.csv", index=False)
    canonical = Canonical.open(workspace)
    content = report_facts.of(result, run_id, canonical.source.currency)
    slices.to_pandas(content.slices).to_csv(rows.parent / "slices.csv", index=False)
    pd.DataFrame(result.drift).to_csv(rows.parent / "drift.csv", index=False)
    bound = result.fitted.bound().meta
    facts = {
        "catalogue_hash": result.catalogue_hash,
        "declarations_hash": bound["declarations_hash"],
        "reads": bound["reads"],
        "inputs": content.features,
    }
    write_json(folder / "features.json", facts)
    write_json(folder / "trials.json", {"study": result.tuned.study, "trials": plain(result.tuned.trials)})
    images = gallery.images(content)
    (folder / "plots").mkdir()
    for title, image in images.items():
        (folder / "plots" / f"{title}.png").write_bytes(image.png)
    report.write(rows.parent / "report.html", content, images)
    model_card.write(folder, content, model_card.Source.of(canonical), result.fitted.meta["labels"])
