"""The canonical tables opened for reading: the only way the floors above see a source's data.

Nothing at or after an as-of may be read. `connect(until=T)` gives views in which later rows do not exist,
and `cut(T, folder)` writes tables in which they never did; a leak test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb

from features import clock, columns, content, session
from features.contract import Table
from features.json_file import read_json, write_json
from features.session import parquet, write_parquet
from features.source import Source
from features.tables import TABLES
from features.workspace import Workspace

SOURCE_FILE: Final = "source.json"


@dataclass(frozen=True)
class Canonical:
    """Canonical tables in a folder.

    Attributes:
        folder: one published generation; it does not change.
        source: what the source says about itself.
    """

    folder: Path
    source: Source

    @classmethod
    def open(cls, workspace: Workspace) -> Canonical:
        """The tables of a workspace.

        Raises:
            UserError: nothing has been ingested yet (exit code NOT_BUILT).
        """
        return cls.read(workspace.require(workspace.tables / SOURCE_FILE, "ingest").parent)

    @classmethod
    def read(cls, folder: Path) -> Canonical:
        """The tables of a folder that ingest or `cut` wrote."""
        resolved = folder.resolve()
        return cls(resolved, Source.read(read_json(resolved / SOURCE_FILE)))

    @cached_property
    def profile(self) -> dict[str, Any]:
        """What the last ingest wrote about the tables: rows, days, fingerprint."""
        profile: dict[str, Any] = read_json(self.folder / SOURCE_FILE).get("profile", {})
        return profile

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables present."""
        return tuple(name for name in TABLES if self.has(name))

    def has(self, table: str) -> bool:
        """Whether the source has given the table."""
        return self.path(table).exists()

    def path(self, table: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / f"{table}.parquet"

    def connect(self, *, until: int | None = None) -> duckdb.DuckDBPyConnection:
        """A DuckDB session with one view per table present.

        Args:
            until: day (since 1970-01-01); rows of events that happened or became known at or after its
                00:00 local are left out.
        """
        opened = session.connect()
        for name in self.tables:
            opened.execute(f"CREATE VIEW {name} AS {self._select(TABLES[name], until)}")
        return opened

    def _select(self, table: Table, until: int | None) -> str:
        where = ""
        if until is not None and table.event:
            where = f" WHERE {columns.DAY} < {int(until)} AND {columns.KNOWN_DAY} < {int(until)}"
        return f"SELECT * FROM {parquet(self.path(table.name))}{where}"

    @cached_property
    def _span(self) -> tuple[int, int]:
        with session.connect() as opened:
            days = f"min({columns.DAY}), max({columns.DAY})"
            row = opened.execute(f"SELECT {days} FROM {parquet(self.path('transactions'))}").fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    @property
    def first_day(self) -> int:
        """Local day of the first transaction."""
        return self._span[0]

    @property
    def last_day(self) -> int:
        """Local day of the last transaction."""
        return self._span[1]

    @property
    def clock_day(self) -> int:
        """The as-of that is "now": the day after the last transaction, or the wall clock's local day."""
        if self.source.clock == "wall":
            return clock.to_day(datetime.now(clock.zone(self.source.zone)).date())
        return self.last_day + 1

    def fingerprint(self, until: int | None = None) -> str:
        """SHA-256 (hex) of the content visible before `until`, of all content without it.

        The same content gives the same text in every process, in any order of rows, after every ingest.
        """
        return content.fingerprint(self.content, until, zone=self.source.zone, currency=self.source.currency)

    @cached_property
    def content(self) -> list[content.DaySum]:
        """What the tables hold, summed by table and day."""
        with session.connect() as opened:
            return content.read(opened, self.folder)

    def cut(self, until: int, folder: Path) -> Canonical:
        """Write the tables as they would be had nothing happened at or after `until`, and open them."""
        folder.mkdir(parents=True, exist_ok=True)
        with self.connect(until=until) as opened:
            for name in self.tables:
                write_parquet(opened, f"FROM {name}", folder / f"{name}.parquet")
        write_json(folder / SOURCE_FILE, self.source.plain())
        return Canonical.read(folder)
