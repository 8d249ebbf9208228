"""The registry: the versions of each task's model, and which of them is champion.

A version is a run's model under the task's name. The alias `champion` points to the one that serves; who
takes it is for `promotion`, giving it back for `champions`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training.fitted import Fitted, UnusableModelError
from training.registry import flavor, store, tracking

ALIAS = "champion"
FORMER = "former_champions"
"""Tag of a registered model: versions that were champion before, the newest first."""
TWIN = "registered_as"
"""Tag of a run whose very model was a version before: its number."""


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
    try:
        fitted = load(workspace, run_id)
    except UnusableModelError as error:
        if not restorable(workspace, task):
            raise
        back = f"Or go back to the champion before it: `nextbest promote {task} --rollback`."
        said = str(error).removesuffix(".")
        raise UnusableModelError(said, error.reason, back, error.exit_code) from error
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
    return flavor.load_model(folder, info.tags.get(tracking.DIGEST), info.task)


def former(workspace: Workspace, task: str) -> list[int]:
    """Versions that were champion before the present one, the newest first, `champions.KEPT` at most."""
    from mlflow.exceptions import MlflowException

    try:
        tags = store.client(workspace).get_registered_model(task).tags
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise
    current = champion_version(workspace, task)
    found = [int(version) for version in json.loads(tags.get(FORMER, "[]"))]
    # A process may have ended between writing the list and moving the alias.
    return [version for version in found if current is None or version != current[0]]


def refusal(workspace: Workspace, run_id: str) -> str | None:
    """Why a run's model does not load in this installation, to stand after a colon; None if it does."""
    try:
        load(workspace, run_id)
    except UnusableModelError as error:
        return error.reason
    except UserError as error:
        return str(error).rstrip(".")
    return None


def restorable(workspace: Workspace, task: str) -> bool:
    """Whether a rollback would find a champion to restore, and could load it."""
    runs = dict(versions(workspace, task))
    before = [version for version in former(workspace, task) if version in runs]
    return bool(before) and refusal(workspace, runs[before[0]]) is None


def unfit(workspace: Workspace, run_id: str) -> str | None:
    """Why a run's version cannot be promoted: its model does not load, or its validation rows are gone."""
    if reason := refusal(workspace, run_id):
        return reason
    try:
        tracking.load_rows(workspace, run_id, tracking.CHOICE)
    except UserError as error:
        return str(error).rstrip(".")
    return None


def twin(workspace: Workspace, task: str, digest: str) -> tuple[int, str] | None:
    """Version and run of the latest version whose model has this digest and that can be promoted."""
    made = tracking.runs_of(workspace, task, digest)
    known = [each for each in reversed(versions(workspace, task)) if each[1] in made]
    return next((each for each in known if unfit(workspace, each[1]) is None), None)


def challenger(workspace: Workspace, task: str, run_id: str | None = None) -> tuple[int, str]:
    """Version and run of the latest version, or of the one that a run made or found there.

    Raises:
        UserError: there is none.
    """
    known = versions(workspace, task)
    chosen = [each for each in known if run_id in (None, each[1])]
    if run_id and known and not chosen:
        with suppress(UserError):
            info = tracking.run_info(workspace, run_id)
            found = info.tags.get(TWIN) if info.task == task else None
            chosen = [each for each in known if str(each[0]) == found]
    if not chosen:
        if run_id and known:
            latest = f"the latest is version {known[-1][0]}, run {known[-1][1]}"
            raise UserError(f"no registered version of {task} was made by run {run_id!r}; {latest}.")
        raise UserError(
            f"model {task} is not registered in this workspace. Run `nextbest train {task}` first.",
            ExitCode.NOT_BUILT,
        )
    return max(chosen)
