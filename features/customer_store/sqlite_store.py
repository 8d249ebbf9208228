"""The customer store in a SQLite file, which the feature build makes and publishes with its folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from features.customer_store.store import (
    NAMES,
    Change,
    Content,
    CustomerStore,
    Loaded,
    Position,
    Record,
    ReplacedError,
    not_built,
)
from features.sqlite_file import SqliteFile

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE names (list TEXT, code INTEGER, name TEXT NOT NULL, PRIMARY KEY (list, code)) WITHOUT ROWID;
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY, members TEXT, tiles BLOB NOT NULL, purchases BLOB NOT NULL);
"""
# What a loss of power takes from the store, its position with it, is taken from the journal again.
_FAST: Final = "PRAGMA synchronous = NORMAL"
# Pages are read in place, without a copy of each.
_MAPPED: Final = "PRAGMA mmap_size = 1073741824"


class SqliteStore(CustomerStore):
    """A store in a SQLite file of a published folder."""

    def __init__(self, path: Path) -> None:
        """Open the store of a build.

        Raises:
            UserError: it is not there, or was written by another version.
            ReplacedError: a newer one took its place just now.
        """
        self._link, self.path = path, path.resolve()
        if not self.path.exists():
            raise _gone(self.path) if self.replaced else not_built(f"at {path}")
        self._reading = SqliteFile(self.path, mode="ro", schema=_MAPPED)
        self._writing = SqliteFile(self.path, mode="rw", schema=_FAST)
        rows = self._connection.execute("SELECT key, value FROM meta")
        super().__init__({key: json.loads(value) for key, value in rows}, f"at {path}")

    @property
    def replaced(self) -> bool:
        """Whether a newer build has been published where this one was opened."""
        return self._link.resolve() != self.path

    @property
    def position(self) -> Position:
        """How far the journal has been applied."""
        return _position(self._connection)

    def customers(self) -> list[str]:
        """All customers, ascending."""
        return [row[0] for row in self._connection.execute("SELECT customer_id FROM customers ORDER BY 1")]

    def apply(self, change: Change) -> bool:
        """Write a change; False, and nothing is written, if the position is not `before` any more."""
        try:
            with self._writing.writing() as connection:
                if _position(connection) != change.before:
                    return False
                for name, new in change.names.items():
                    if new:
                        query = "SELECT coalesce(max(code) + 1, 0) FROM names WHERE list = ?"
                        (size,) = connection.execute(query, (name,)).fetchone()
                        rows = ((name, code, text) for code, text in enumerate(new, start=size))
                        connection.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
                records = map(Record.of, change.histories)
                connection.executemany("INSERT OR REPLACE INTO customers VALUES (?, ?, ?, ?)", records)
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('position', ?)", _text(change.after))
        except sqlite3.OperationalError:
            if self.replaced:
                raise _gone(self.path) from None
            raise
        return True

    def close(self) -> None:
        """Close this thread's connections; other threads' close when they end."""
        self._reading.close()
        self._writing.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        try:
            return self._reading.connection
        except sqlite3.OperationalError:
            raise _gone(self.path) from None

    def _record(self, customer_id: str, purchases: bool) -> tuple[str | None, bytes, bytes | None] | None:
        columns = "members, tiles, purchases" if purchases else "members, tiles, NULL"
        query = f"SELECT {columns} FROM customers WHERE customer_id = ?"
        found: tuple[str | None, bytes, bytes | None] | None = self._connection.execute(
            query, (customer_id,)
        ).fetchone()
        return found

    def _records(self) -> Iterator[tuple[str, str | None, bytes, bytes]]:
        query = "SELECT customer_id, members, tiles, purchases FROM customers ORDER BY customer_id"
        yield from self._connection.execute(query)

    def _names(self, name: str) -> list[str]:
        query = "SELECT name FROM names WHERE list = ? ORDER BY code"
        return [row[0] for row in self._connection.execute(query, (name,))]


def create(path: Path, content: Content) -> Loaded:
    """Write a SQLite file; it is in place when the folder it stands in is published."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # Nobody reads the file before it is whole, and a load that is killed is begun again.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO meta VALUES (?, ?)", content.meta().items())
        connection.execute("INSERT INTO meta VALUES ('position', ?)", _text(content.position))
        for name in NAMES:
            rows = ((name, code, text) for code, text in enumerate(content.names.get(name, ())))
            connection.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
        records = map(Record.of, content.histories)
        count = connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", records).rowcount
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    return Loaded(max(count, 0), lambda: None)


def _gone(path: Path) -> ReplacedError:
    return ReplacedError(f"the customer store {path} has been replaced; open it again.")


def _text(position: Position) -> tuple[str]:
    return (json.dumps(position),)


def _position(connection: sqlite3.Connection) -> Position:
    (text,) = connection.execute("SELECT value FROM meta WHERE key = 'position'").fetchone()
    return Position(*json.loads(text))
