"""A SQLite file opened once per thread: connections are cheap to keep and must not be shared."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# How long a writer waits for another one, seconds.
PATIENCE: Final = 30.0


class SqliteFile:
    """One file, and a connection to it for each thread that asks.

    Args:
        path: the file.
        mode: `ro` to read it, `rw` to write it too; it has to exist. `rwc` makes it.
        schema: statements that each connection begins with.
    """

    def __init__(self, path: Path, *, mode: str = "rwc", schema: str = "") -> None:
        self.path = path
        self._mode = mode
        self._schema = schema
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode.

        Raises:
            sqlite3.OperationalError: the file is not there, or cannot be opened.
        """
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = _Held(self._open())
        return held.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer can interleave with; undone if the block raises."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close this thread's connection; other threads' close when they end."""
        self._local.__dict__.pop("held", None)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{self.path}?mode={self._mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=PATIENCE,
        )
        if self._schema:
            connection.executescript(self._schema)
        return connection


class _Held:
    """A thread's connection, closed with the thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()
