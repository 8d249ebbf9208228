"""The journal of posted events: what was accepted is here, on disk, before anything else happens with it.

An event is told by its table and id; the first stands. The customer store says up to which number of this
journal it has applied them, so that a store that is behind, for whatever reason, can always catch up.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from features.contract import Kind
from features.customer_store.events import TABLES, Event
from features.sqlite_file import SqliteFile
from features.tables import TABLES as CONTRACTS

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    source_table TEXT NOT NULL,
    event_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    known_day INTEGER NOT NULL,
    occurred_at TEXT NOT NULL,
    known_at TEXT NOT NULL,
    payload TEXT NOT NULL,
    table_end TEXT,
    posted_at TEXT NOT NULL,
    UNIQUE (source_table, event_id));
CREATE INDEX IF NOT EXISTS by_customer ON events (customer_id, day, known_day);
"""
_COLUMNS: Final = (
    "number, source_table, event_id, customer_id, occurred_at, known_at, day, known_day, payload, table_end"
)
# Columns of instants beside when an event happened and when it was known.
_INSTANTS: Final = {
    name: frozenset(column.name for column in CONTRACTS[name].columns if column.kind is Kind.INSTANT)
    for name in TABLES
}


@dataclass(frozen=True)
class Posted:
    """An event of the journal.

    Attributes:
        number: its place; later ones are larger.
        event: the event.
        table_end: when the last row of its table became known, at the time it was posted; None without rows.
    """

    number: int
    event: Event
    table_end: datetime | None


class Journal:
    """The journal of a workspace. Safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        """Know the file; the first event makes it."""
        self._file = SqliteFile(path, schema=_SCHEMA)
        self._id = ""

    @property
    def id(self) -> str:
        """Tells it from a journal that was lost and begun again, whose numbers mean other events."""
        if not self._id and self._file.path.exists():
            with self._file.writing() as connection:
                row = connection.execute("SELECT id FROM journal").fetchone()
                if row is None:
                    row = (uuid.uuid4().hex,)
                    connection.execute("INSERT INTO journal VALUES (?)", row)
            self._id = row[0]
        return self._id

    @property
    def last(self) -> int:
        """Number of the last event; 0 without any."""
        rows = self._rows("SELECT coalesce(max(number), 0) FROM events", ())
        return int(rows[0][0]) if rows else 0

    def add(self, events: Sequence[Event], ends: Mapping[str, datetime | None]) -> list[bool]:
        """Keep events; durable when it returns. Says of each whether it is new.

        Args:
            events: what was posted.
            ends: when the last row of each table of theirs became known; None for one without rows.
        """
        posted_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [
            (
                event.table,
                event.event_id,
                event.customer_id,
                event.day,
                event.known_day,
                event.occurred_at.isoformat(),
                event.known_at.isoformat(),
                json.dumps(event.values, default=datetime.isoformat),
                None if (end := ends[event.table]) is None else end.isoformat(),
                posted_at,
            )
            for event in events
        ]
        statement = (
            "INSERT INTO events (source_table, event_id, customer_id, day, known_day, occurred_at, known_at, "
            "payload, table_end, posted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        with self._file.writing() as connection:
            return [connection.execute(statement, row).rowcount == 1 for row in rows]

    def after(self, number: int, limit: int = -1) -> list[Posted]:
        """The first events after a number, at most `limit`; all of them by default."""
        return self._read("WHERE number > ? ORDER BY number LIMIT ?", (number, limit))

    def of_day(self, customers: Iterable[str], day: int, until: int) -> list[Posted]:
        """Events of one local day of these references, up to number `until`."""
        ids = json.dumps(list(customers))
        where = "WHERE customer_id IN (SELECT value FROM json_each(?)) AND day = ? AND number <= ?"
        return self._read(f"{where} ORDER BY number", (ids, day, until))

    def of_customers(self, customers: Sequence[str], tables: Sequence[str]) -> list[Posted]:
        """All events of these references in some tables."""
        marks = ", ".join("?" * len(tables))
        # One, as a request asks about, is found in half the time without a list around it.
        of_them = "= ?" if len(customers) == 1 else "IN (SELECT value FROM json_each(?))"
        ids = customers[0] if len(customers) == 1 else json.dumps(list(customers))
        where = f"WHERE customer_id {of_them} AND source_table IN ({marks})"
        return self._read(f"{where} ORDER BY number", (ids, *tables))

    def known_day(self, customers: Sequence[str]) -> int | None:
        """The last day on which an event of these references became known; None without any."""
        query = "SELECT max(known_day) FROM events WHERE customer_id = ?"
        days = [row[0] for customer in customers for row in self._rows(query, (customer,))]
        return max((day for day in days if day is not None), default=None)

    def close(self) -> None:
        """Close this thread's connection."""
        self._file.close()

    def _read(self, where: str, values: tuple[object, ...]) -> list[Posted]:
        return [_posted(row) for row in self._rows(f"SELECT {_COLUMNS} FROM events {where}", values)]

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Any]:
        """The rows of a query; none as long as nothing has been posted."""
        if not self._id and not os.path.exists(self._file.path):  # noqa: PTH110 - a third of the time
            return []
        return self._file.connection.execute(query, values).fetchall()


def _values(table: str, stated: dict[str, Any]) -> dict[str, Any]:
    """The values of an event, instants as instants."""
    for name in _INSTANTS[table] & stated.keys():
        if stated[name] is not None:
            stated[name] = datetime.fromisoformat(stated[name])
    return stated


def _posted(row: tuple[int, str, str, str, str, str, int, int, str, str | None]) -> Posted:
    number, table, event_id, customer_id, occurred_at, known_at, day, known_day, payload, end = row
    event = Event(
        table,
        event_id,
        customer_id,
        datetime.fromisoformat(occurred_at),
        datetime.fromisoformat(known_at),
        day,
        known_day,
        _values(table, json.loads(payload)),
    )
    return Posted(number, event, None if end is None else datetime.fromisoformat(end))
