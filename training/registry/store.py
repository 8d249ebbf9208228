"""The MLflow store of a workspace: SQLite in it, or what `MLFLOW_TRACKING_URI` names, a server or a database.

Every call names the store explicitly, so that nothing depends on which workspace was used last in the
process. A fresh database is set up by one process while the others wait.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

from filelock import FileLock

from features.errors import ExitCode, UserError
from features.workspace import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

# How long a server may take to say that it is there.
KNOCK_SECONDS = 10


def client(workspace: Workspace) -> MlflowClient:
    """The client of a workspace's store, which is made on first use, by one process at a time.

    Raises:
        UserError: the server does not answer.
    """
    _quiet()
    return _client(workspace, workspace.tracking_uri)


@cache
def _client(workspace: Workspace, uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    if not keeps_files(workspace):
        _knock(uri)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    # A database's tables are made when its store is opened; two that make them at once break each other.
    with lock(workspace):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _knock(uri: str) -> None:
    """Ask a server whether it is there: MLflow itself would try for minutes."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    # Neither a request nor a message carries the name and password that may stand in the address.
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
    try:
        urlopen(f"{address}/health", timeout=KNOCK_SECONDS).close()  # noqa: S310 (a web address)
    except HTTPError as answer:
        # An answer all the same: a proxy in front of the server need not know this path.
        answer.close()
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            f"the MLflow server {address} (MLFLOW_TRACKING_URI) does not answer: {reason}. Start it, correct "
            "the variable, or unset it to keep runs in the workspace.",
            ExitCode.NOT_BUILT,
        ) from None


def lock(workspace: Workspace) -> AbstractContextManager[Any]:
    """Hold the workspace's store against other processes of this machine, for a short write.

    A workspace that cannot be written is only read: there is nothing to hold.
    """
    if not os.access(workspace.root, os.W_OK):
        return nullcontext()
    return FileLock(workspace.root / ".mlflow.lock")


def unless_there(create: Callable[[], Any]) -> None:
    """Create something in the store, unless somebody else has just done so."""
    from mlflow.exceptions import MlflowException

    try:
        create()
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def absent(workspace: Workspace) -> bool:
    """Whether the store is a SQLite file that nobody has made yet: to read it is no reason to make it."""
    uri = workspace.tracking_uri
    return (
        uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///").partition("?")[0]).exists()
    )


def keeps_files(workspace: Workspace) -> bool:
    """Whether the workspace keeps the files of runs: beside a database, not beside a server."""
    return not workspace.tracking_uri.startswith(("http:", "https:", "databricks"))


@cache
def _quiet() -> None:
    """MLflow and Alembic talk of migrations, downloads, pages and usage; no command's user needs that."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow  # noqa: F401 - sets its loggers up, which is then undone

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
