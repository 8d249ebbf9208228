"""The registry: the versions of each task's model, and which of them is champion.

A version is a run's model under the task's name. The alias `champion` points to the one that serves; who
takes it is for `promotion`, who had it before for `champions`.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.errors import ExitCode, UserError
from features.json_file import read_json
from features.workspace import Workspace
from training.fitted import Fitted, outdated
from training.registry import flavor, store, tracking

ALIAS = "champion"


@dataclass(frozen=True)
class Registered:
    """A registered version, its model loaded.

    Attributes:
        task: name of the task and of the registered model.
        version: its number.
        run_id: the run that made it.
        as_of: day it was trained as of.
        fitted: the model.
    """

    task: str
    version: int
    run_id: str
    as_of: int
    fitted: Fitted


def champion(workspace: Workspace, task: str) -> Registered | None:
    """The champion of a task, or None when there is none.

    Raises:
        UserError: it cannot be loaded: other feature declarations, or its files are gone or damaged.
    """
    found = champion_version(workspace, task)
    if found is None:
        return None
    version, run_id = found
    fitted = load(workspace, run_id)
    return Registered(task, version, run_id, fitted.as_of, fitted)


def champion_version(workspace: Workspace, task: str) -> tuple[int, str] | None:
    """Version and run of a task's champion, without loading it."""
    from mlflow.exceptions import MlflowException

    if store.absent(workspace):
        return None
    try:
        version = store.client(workspace).get_model_version_by_alias(task, ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return int(version.version), str(version.run_id)


def versions(workspace: Workspace, task: str) -> list[tuple[int, str]]:
    """Number and run of every registered version of a task, ascending."""
    if store.absent(workspace):
        return []
    client, page = store.client(workspace), None
    found: list[tuple[int, str]] = []
    while page is None or page:
        batch = client.search_model_versions(f"name = '{task}'", page_token=page)
        found += [(int(each.version), str(each.run_id)) for each in batch]
        page = batch.token or ""
    return sorted(found)


def version_tags(workspace: Workspace, task: str, version: int) -> dict[str, str]:
    """What the registry says of a version: see `promotion` and `champions`."""
    return dict(store.client(workspace).get_model_version(task, str(version)).tags)


def load(workspace: Workspace, run_id: str) -> Fitted:
    """The model that a run made.

    Raises:
        UserError: other feature declarations, or its files are gone, damaged or not those of the run.
    """
    folder = tracking.artifact(workspace, run_id, tracking.MODEL)
    info = tracking.run_info(workspace, run_id)
    return flavor.load_model(folder, info.tags.get("model_digest"), info.task)


def loadable(workspace: Workspace, run_id: str) -> bool:
    """Whether the model that a run made can still be used here."""
    try:
        load(workspace, run_id)
    except UserError:
        return False
    return True


def refusal(workspace: Workspace, run_id: str) -> str | None:
    """Why a run's model does not load in this installation, or None if it does."""
    file = f"{tracking.MODEL}/meta.json"
    try:
        meta = read_json(tracking.artifact(workspace, run_id, file))
        if "reads" in meta and (reason := outdated(meta)):
            return reason
        load(workspace, run_id)
    except UserError as error:
        return str(error).rstrip(".")
    return None


def challenger(workspace: Workspace, task: str, run_id: str | None = None) -> tuple[int, str]:
    """Version and run of the latest version, or of the one that a run made.

    Raises:
        UserError: there is none.
    """
    known = versions(workspace, task)
    chosen = [each for each in known if run_id in (None, each[1])]
    if not chosen:
        if run_id and known:
            latest = f"the latest is version {known[-1][0]}, run {known[-1][1]}"
            raise UserError(f"no registered version of {task} was made by run {run_id!r}; {latest}.")
        raise UserError(
            f"model {task} is not registered in this workspace. Run `nextbest train {task}` first.",
            ExitCode.NOT_BUILT,
        )
    return max(chosen)
