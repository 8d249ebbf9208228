"""Which store holds a workspace's customers: `NEXTBEST_STORE`.

Unset, a SQLite file of the feature build; `redis://HOST:PORT/DB`, a Redis server. There is no falling back
from one to the other: a server that is down is an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from features.customer_store import redis_store
from features.customer_store.sqlite_store import SqliteStore, create
from features.customer_store.store import Content, CustomerStore, Loaded, ReplacedError, StoreDownError
from features.errors import UserError
from features.workspace import Workspace

VARIABLE: Final = "NEXTBEST_STORE"
FILE: Final = "store.db"
# How often a store that is replaced while it is being opened is tried again.
_TRIES: Final = 3


def address() -> str:
    """Where the customers are stored: empty for the SQLite file of the build, else the URL of a Redis server.

    Raises:
        UserError: `NEXTBEST_STORE` is neither.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not given.startswith(("redis://", "rediss://", "unix://")):
        raise UserError(
            f"{VARIABLE} is {given!r}: leave it unset for the SQLite file of the build, or give the URL of a "
            "Redis server, like redis://localhost:6379/0."
        )
    return given


def open_store(workspace: Workspace) -> CustomerStore:
    """The customer store of the last build.

    Raises:
        UserError: there is none (exit code NOT_BUILT), or `NEXTBEST_STORE` is not valid.
        StoreDownError: it cannot be reached.
    """
    if not (url := address()):
        file = workspace.require(workspace.features / FILE, "features build")
        for _ in range(_TRIES):
            with suppress(ReplacedError):
                return SqliteStore(file)
        return SqliteStore(file)
    return redis_store.RedisStore.open(workspace, url)


def is_of(workspace: Workspace, origin: Mapping[str, Any]) -> bool:
    """Whether the store that stands there now was built from what `origin` says.

    Raises:
        StoreDownError: it cannot be reached.
    """
    try:
        opened = open_store(workspace)
    except StoreDownError:
        raise
    except UserError:
        return False
    opened.close()
    return all(opened.meta.get(key) == value for key, value in origin.items())


def load(workspace: Workspace, folder: Path, content: Content) -> Loaded:
    """Load a generation where the workspace's customers are stored.

    Args:
        workspace: the workspace.
        folder: folder of the build in which the generation is made.
        content: what to load.
    """
    if not (url := address()):
        return create(folder / FILE, content)
    return redis_store.load(workspace, url, folder.name, content)
