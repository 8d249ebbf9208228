"""MLflow: where runs, their numbers and their files go, and how they are read back.

Every call names the store explicitly, so that nothing depends on which workspace was used last in the
process. Numbers, parameters and tags of a run go in one batch each; a naive call per number costs a second.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.clock import parse_date, to_day
from features.errors import ExitCode, UserError
from features.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

ROWS = "report/rows.parquet"
CHOICE = "choice/rows.parquet"
MODEL = "model"
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
        tags: data_fingerprint, catalogue_hash, code, model_digest, reproduces and the like.
    """

    run_id: str
    task: str
    as_of: int
    seed: int
    params: dict[str, Any]
    budget: dict[str, int]
    metrics: dict[str, float]
    tags: dict[str, str]


def client(workspace: Workspace) -> MlflowClient:
    """The client of a workspace's store, which is made on first use."""
    _quiet()
    return _client(workspace.tracking_uri)


@cache
def _client(uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment(workspace: Workspace, name: str) -> str:
    """Id of the experiment of that name, made if need be; a local store keeps files in the workspace."""
    store = client(workspace)
    found = store.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    location = (workspace.artifacts.resolve() / name).as_uri() if _is_local(workspace) else None
    return str(store.create_experiment(name, artifact_location=location))


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

    A local store's go into this workspace by path: MLflow notes absolute places, and in a copy of a workspace
    those are the original's.
    """
    if _is_local(workspace):
        store = client(workspace)
        name = store.get_experiment(store.get_run(run_id).info.experiment_id).name
        shutil.copytree(folder, _home(workspace, name, run_id), dirs_exist_ok=True)
    else:
        client(workspace).log_artifacts(run_id, str(folder))


def artifact(workspace: Workspace, run_id: str, name: str) -> Path:
    """Local path of a run's artifact, fetched if the store is remote.

    Raises:
        UserError: the run or the artifact is unknown.
    """
    from mlflow.exceptions import MlflowException

    task = run_info(workspace, run_id).task
    path = _home(workspace, task, run_id) / name
    if not _is_local(workspace):
        with suppress(MlflowException, OSError):
            path = Path(client(workspace).download_artifacts(run_id, name))
    if not path.exists():
        raise UserError(
            f"run {run_id} has no {name}: it did not finish, or its files were removed.", ExitCode.NOT_BUILT
        )
    return path


def _home(workspace: Workspace, task: str, run_id: str) -> Path:
    """Where a local store keeps a run's files."""
    return workspace.artifacts / task / run_id / "artifacts"


def _is_local(workspace: Workspace) -> bool:
    return workspace.tracking_uri.startswith("sqlite:")


def load_rows(workspace: Workspace, run_id: str, name: str = ROWS) -> pd.DataFrame:
    """The report frame of a run (see `training.metrics`), or its rows at validation cutoffs (`CHOICE`)."""
    import pandas as pd

    return pd.read_parquet(artifact(workspace, run_id, name))


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
    )


@cache
def code_version() -> str:
    """SHA-256 of the source files that decide a model: this floor's and those below."""
    root = Path(__file__).resolve().parent.parent
    sha = hashlib.sha256()
    for path in sorted(file for floor in ("features", "training") for file in (root / floor).rglob("*.py")):
        sha.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()


@cache
def _quiet() -> None:
    """MLflow and Alembic talk of migrations, downloads and usage; a command's user needs none of it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    import mlflow  # noqa: F401 - sets its loggers up, which is then undone

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
