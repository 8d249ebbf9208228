"""Our models as MLflow models: a folder with an `MLmodel` file and the files of `Fitted`, registered by name.

No pickle, no input example and no guessing of requirements: the model is loaded by `Fitted.load` in an
environment that has this package; `environment.json` says what it was made in. Loading reads neither of the
two files that MLflow would. The registered name is the task's.
"""

from __future__ import annotations

from pathlib import Path

from features.json_file import write_json
from features.workspace import Workspace
from training import tasks
from training.fitted import FORMAT, Fitted
from training.registry import environment, store, tracking

FLAVOR = "nextbest"
ENVIRONMENT = "environment.json"


def save_model(fitted: Fitted, path: Path, run_id: str | None = None) -> None:
    """Write the model with its `MLmodel` file and its environment into a folder."""
    from mlflow.models import Model

    bound = fitted.bound()
    bound.save(path)
    write_json(path / ENVIRONMENT, dict(environment.facts()))
    described = Model(artifact_path=tracking.MODEL, run_id=run_id)
    described.add_flavor(
        FLAVOR,
        task=fitted.task,
        format=FORMAT,
        loader="training.registry.flavor.load_model",
        declarations_hash=bound.meta["declarations_hash"],
    )
    described.save(path / "MLmodel")


def load_model(path: Path, digest: str | None = None, task: str = "TASK") -> Fitted:
    """Read a model that `save_model` wrote; see `Fitted.load`.

    Raises:
        UserError: see `Fitted.load`.
    """
    return Fitted.load(path, digest, task, tasks.declared)


def register(workspace: Workspace, run_id: str, name: str) -> int:
    """Make the run's stored model the next version of the registered model `name`; gives its number."""
    client = store.client(workspace)
    source = f"{client.get_run(run_id).info.artifact_uri}/{tracking.MODEL}"
    # Versions are counted up, which fails for the slower of two that count at once.
    with store.lock(workspace):
        store.unless_there(lambda: client.create_registered_model(name))
        return int(client.create_model_version(name, source, run_id=run_id).version)
