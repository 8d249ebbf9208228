"""Decision records: what was decided, for whom, from which models, and everything that was considered.

An answer does not wait for the disk: records go to a queue and one thread writes them in batches to SQLite
(write-ahead log). `close` writes what is left, so that a stop by SIGTERM loses none; a killed process loses
at most what came in during one interval, since the thread writes at least that often.

Format 1: table `decisions`, one row per decision. To change it: raise FORMAT, add the step that alters an
older table to `_UPGRADES`, and a test with a file of that format.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from features.errors import UserError

FORMAT = 1
INTERVAL_SECONDS = 0.2
_BATCH = 5_000
_CAPACITY = 20_000

_TABLE = """
CREATE TABLE IF NOT EXISTS decisions (
    decision_id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    request_id TEXT,
    customer_id TEXT NOT NULL,
    as_of TEXT NOT NULL,
    place TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    models TEXT NOT NULL,
    catalogue_version TEXT NOT NULL,
    answer TEXT NOT NULL,
    considered TEXT NOT NULL
) STRICT
"""
_UPGRADES: dict[int, str] = {0: _TABLE}


@dataclass(frozen=True)
class Record:
    """One decision.

    Attributes:
        decision_id: the id that the answer carried.
        endpoint: which question was asked: next-best-action, cross-sell or recommend.
        request_id: the caller's own id, if given.
        customer_id: whom it is about (a pseudonym when the source's id was a phone or card).
        as_of: ISO date of the answer.
        place: where it was asked for.
        decided_at: UTC instant, ISO.
        models: version and as-of per task.
        catalogue_version: the action catalogue's.
        answer: what was proposed, in order.
        considered: every pair or product considered with its numbers, or why it was dropped.
    """

    decision_id: str
    endpoint: str
    request_id: str | None
    customer_id: str
    as_of: str
    place: str
    decided_at: str
    models: Mapping[str, Any]
    catalogue_version: str
    answer: list[dict[str, Any]]
    considered: list[dict[str, Any]]

    def row(self) -> tuple[Any, ...]:
        """Values in the order of the table's columns."""
        values = ((name, getattr(self, name)) for name in _COLUMNS)
        return tuple(
            json.dumps(value, ensure_ascii=False) if name in _JSON else value for name, value in values
        )


_COLUMNS = tuple(field.name for field in fields(Record))
_JSON = ("models", "answer", "considered")


class Records:
    """The file of decision records, open for writing."""

    def __init__(self, file: Path, interval: float = INTERVAL_SECONDS) -> None:
        self.failed = 0
        self._file = file
        self._interval = interval
        self._queue: queue.Queue[Record | None] = queue.Queue(_CAPACITY)
        with closing(_connect(file)) as connection:
            _upgrade(connection, file)
        self._thread = threading.Thread(target=self._write_all, name="decision-records", daemon=True)
        self._thread.start()

    def add(self, record: Record) -> None:
        """Hand over a record; waits only when thousands are still unwritten."""
        self._queue.put(record)

    def flush(self) -> None:
        """Wait until everything handed over so far is on disk."""
        self._queue.join()

    def close(self) -> None:
        """Write what is left and stop. Calling it twice is the same as once."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _write_all(self) -> None:
        with closing(_connect(self._file)) as connection:
            more = True
            while more:
                batch = [self._queue.get()]
                time.sleep(0 if batch[0] is None else self._interval)
                while len(batch) < _BATCH and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                more = None not in batch
                self._write(connection, [record for record in batch if record is not None])
                for _ in batch:
                    self._queue.task_done()

    def _write(self, connection: sqlite3.Connection, records: list[Record]) -> None:
        marks = ",".join("?" * len(_COLUMNS))
        for _ in range(3):
            try:
                with connection:
                    connection.executemany(
                        f"INSERT OR REPLACE INTO decisions VALUES ({marks})",
                        [record.row() for record in records],
                    )
            except sqlite3.OperationalError:  # the disk is full or another process holds the file: try again
                time.sleep(self._interval)
            else:
                return
        self.failed += len(records)


def read(file: Path, decision_id: str | None = None) -> Iterator[Record]:
    """Records in the order of writing, or the one of that id."""
    if not file.exists():
        return
    with closing(_connect(file)) as connection:
        condition, values = ("WHERE decision_id = ?", (decision_id,)) if decision_id else ("", ())
        for row in connection.execute(f"SELECT * FROM decisions {condition} ORDER BY rowid", values):
            named = dict(zip(_COLUMNS, row, strict=True))
            yield Record(**{**named, **{name: json.loads(named[name]) for name in _JSON}})


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _upgrade(connection: sqlite3.Connection, file: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise UserError(
            f"{file} holds decision records of format {version}, newer than {FORMAT}. Upgrade nextbest."
        )
    with connection:
        for older in range(version, FORMAT):
            connection.execute(_UPGRADES[older])
        connection.execute(f"PRAGMA user_version = {FORMAT}")
