"""Our models as MLflow models: a folder with an `MLmodel` file and the files of `Fitted`, registered by name.

No pickle, no input example and no guessing of requirements: the model is loaded by `Fitted.load` in an
environment that has this package. The registered name is the task's.
"""

from __future__ import annotations

from pathlib import Path

from features.workspace import Workspace
from training import tracking
from training.fitted import FORMAT, Fitted

FLAVOR = "nextbest"


def save_model(fitted: Fitted, path: Path, run_id: str | None = None) -> None:
    """Write the model with its `MLmodel` file into a folder."""
    from mlflow.models import Model

    fitted.save(path)
    described = Model(artifact_path=tracking.MODEL, run_id=run_id)
    described.add_flavor(FLAVOR, task=fitted.task, format=FORMAT, loader="training.flavor.load_model")
    described.save(path / "MLmodel")


def load_model(path: Path) -> Fitted:
    """Read a model that `save_model` wrote.

    Raises:
        UserError: see `Fitted.load`.
    """
    return Fitted.load(path)


def register(workspace: Workspace, run_id: str, name: str) -> int:
    """Make the run's stored model the next version of the registered model `name`; gives its number."""
    from mlflow.exceptions import MlflowException

    store = tracking.client(workspace)
    try:
        store.get_registered_model(name)
    except MlflowException:
        store.create_registered_model(name)
    source = f"{store.get_run(run_id).info.artifact_uri}/{tracking.MODEL}"
    return int(store.create_model_version(name, source, run_id=run_id).version)
