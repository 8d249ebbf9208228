"""MLflow: where runs, their numbers and their files go, and how they are read back.

An MLflow server keeps the files of runs itself, and this workspace a copy of those it has read; beside a
database the workspace keeps them. Numbers, parameters and tags of a run go in one batch each; a naive call
per number costs a second.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.clock import parse_date, to_day
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training.registry.store import client, keeps_files, unless_there

if TYPE_CHECKING:
    import pandas as pd

ROWS = "report/rows.parquet"
CHOICE = "choice/rows.parquet"
MODEL = "model"
DIGEST = "model_digest"
"""Tag of a run: `Fitted.digest` of its model."""
# Limits of MLflow's batch call.
METRICS_A_CALL = 1000
PARAMS_A_CALL = 100


@dataclass(frozen=True)
class RunInfo:
    """A training run as MLflow has it.

    Attributes:
        run_id: its id.
        task: name of the task.
        as_of: day it was trained as of.
        seed: seed of tuning and fits.
        params: the chosen setting, as `Task.fit` takes it.
        budget: the budget's fields.
        metrics: numbers by flat name (`Evaluation.flat`).
        tags: data_fingerprint, declarations_hash, code, reproduces and the like.
        options: what the task was made with, `Task.options`.
    """

    run_id: str
    task: str
    as_of: int
    seed: int
    params: dict[str, Any]
    budget: dict[str, int]
    metrics: dict[str, float]
    tags: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)


def experiment(workspace: Workspace, name: str) -> str:
    """Id of the experiment of that name, made if need be."""
    store = client(workspace)
    found = store.get_experiment_by_name(name)
    if found is None:
        location = (workspace.artifacts.resolve() / name).as_uri() if keeps_files(workspace) else None
        unless_there(lambda: store.create_experiment(name, artifact_location=location))
        found = store.get_experiment_by_name(name)
        assert found is not None
    return str(found.experiment_id)


@contextmanager
def new_run(workspace: Workspace, name: str) -> Iterator[str]:
    """A run of the experiment `name`; it ends FINISHED, or FAILED when the block raises. Gives its id."""
    store = client(workspace)
    run_id = str(store.create_run(experiment(workspace, name)).info.run_id)
    try:
        yield run_id
    except BaseException:
        store.set_terminated(run_id, "FAILED")
        raise
    store.set_terminated(run_id)


def log(
    workspace: Workspace,
    run_id: str,
    *,
    metrics: Mapping[str, float],
    params: Mapping[str, Any],
    tags: Mapping[str, Any],
) -> None:
    """Write numbers, parameters and tags in as few calls as MLflow takes."""
    from mlflow.entities import Metric, Param, RunTag

    store, now = client(workspace), int(time.time() * 1000)
    numbers = [Metric(key, float(value), now, 0) for key, value in metrics.items()]
    texts = [Param(key, str(value)) for key, value in params.items()]
    labels = [RunTag(key, str(value)) for key, value in tags.items()]
    for start in range(0, max(len(texts), 1), PARAMS_A_CALL):
        store.log_batch(
            run_id,
            metrics=numbers[:METRICS_A_CALL] if start == 0 else (),
            params=texts[start : start + PARAMS_A_CALL],
            tags=labels if start == 0 else (),
        )
    for start in range(METRICS_A_CALL, len(numbers), METRICS_A_CALL):
        store.log_batch(run_id, metrics=numbers[start : start + METRICS_A_CALL])


def log_folder(workspace: Workspace, run_id: str, folder: Path) -> None:
    """Store a folder's files as the run's artifacts.

    Where the workspace keeps them they go there by path: MLflow notes absolute places, and in a copy of a
    workspace those are the original's.
    """
    if keeps_files(workspace):
        store = client(workspace)
        name = store.get_experiment(store.get_run(run_id).info.experiment_id).name
        shutil.copytree(folder, _home(workspace, name, run_id), dirs_exist_ok=True)
    else:
        client(workspace).log_artifacts(run_id, str(folder))


def artifact(workspace: Workspace, run_id: str, name: str) -> Path:
    """Local path of a run's artifact, fetched from a server the first time.

    Raises:
        UserError: the run or the artifact is unknown.
    """
    home = _home(workspace, run_info(workspace, run_id).task, run_id)
    path = home / name if keeps_files(workspace) else _fetched(workspace, run_id, name, home)
    if not path.exists():
        raise UserError(
            f"run {run_id} has no {name}: it did not finish, or its files were removed.", ExitCode.NOT_BUILT
        )
    return path


def _fetched(workspace: Workspace, run_id: str, name: str, home: Path) -> Path:
    """Where the copy of a server's file or folder is; a finished run's files do not change."""
    from mlflow.exceptions import MlflowException

    copy = home / name.replace("/", ".")
    if not copy.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, whoever else fetches it or is killed meanwhile; the caller sees what is absent.
        with tempfile.TemporaryDirectory(dir=home) as folder, suppress(MlflowException, OSError):
            Path(client(workspace).download_artifacts(run_id, name, folder)).rename(copy)
    return copy


def _home(workspace: Workspace, task: str, run_id: str) -> Path:
    """Where the workspace keeps a run's files, or its copies of them."""
    return workspace.artifacts / task / run_id / "artifacts"


def load_rows(workspace: Workspace, run_id: str, name: str = ROWS) -> pd.DataFrame:
    """The report frame of a run (`training.measuring.metrics`), or its rows of validation (`CHOICE`).

    Raises:
        UserError: the run is unknown, or the file is not there or damaged.
    """
    import pandas as pd

    file = artifact(workspace, run_id, name)
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file} of run {run_id} is damaged and cannot be read. Restore it, or train again.",
            ExitCode.NOT_BUILT,
        ) from error


def runs_of(workspace: Workspace, task: str, digest: str) -> set[str]:
    """The runs whose model has this digest."""
    found = client(workspace).search_runs([experiment(workspace, task)], f"tags.{DIGEST} = '{digest}'")
    return {str(run.info.run_id) for run in found}


def run_info(workspace: Workspace, run_id: str) -> RunInfo:
    """What MLflow knows of a training run.

    Raises:
        UserError: there is no such run, or it is not a finished training run.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = client(workspace).get_run(run_id)
    except MlflowException:
        raise UserError(
            f"run not found: {run_id!r}. `nextbest train` prints the id of each run; MLflow lists them."
        ) from None
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}
    if "setting" not in tags:
        raise UserError(
            f"run {run_id} is not a finished training run of nextbest; train again and use the new run."
        )
    return RunInfo(
        run_id=run_id,
        task=tags["task"],
        as_of=to_day(parse_date(tags["as_of"])),
        seed=int(tags["seed"]),
        params=json.loads(tags["setting"]),
        budget=json.loads(tags["budget"]),
        metrics=dict(run.data.metrics),
        tags=tags,
        options=json.loads(tags.get("options", "{}")),
    )


@cache
def code_version() -> str:
    """SHA-256 of the source files that decide a model: this floor's and those below."""
    root = Path(__file__).resolve().parents[2]
    sha = hashlib.sha256()
    for path in sorted(file for floor in ("features", "training") for file in (root / floor).rglob("*.py")):
        sha.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()
