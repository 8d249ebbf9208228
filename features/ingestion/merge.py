"""How rows that were read join the rows that are there: running an ingest twice is the same as once.

Events: identical rows within one file are separate events; across files, and against what is stored, the
larger count stands. Rows are compared on the columns that every side gives, so that a column added later
does not make old events new; of two equal rows the one with more columns is kept, then the one known first.
A row with an event id counts once, the first stands. Things have keys: the later file wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features import columns
from features.checks import PART, REASON, local_day
from features.content import known_at
from features.contract import Table
from features.ingestion.staging import stage
from features.raw import ROW
from features.session import parquet, write_parquet

# What is already stored comes before every part.
STORED_PART: Final = -1


@dataclass(frozen=True)
class Given:
    """The sides that meet, and which canonical columns each gives.

    Attributes:
        parts: per part of this ingest.
        stored: columns given by earlier ingests, None when there was none.
        file: the rows of earlier ingests, None when there was none.
    """

    parts: Sequence[frozenset[str]]
    stored: frozenset[str] | None = None
    file: Path | None = None

    @property
    def new(self) -> frozenset[str]:
        """Columns that any part gives."""
        return frozenset.union(*self.parts)

    @property
    def all(self) -> frozenset[str]:
        """Columns that any side gives."""
        return self.new | (self.stored or frozenset())

    @property
    def common(self) -> frozenset[str]:
        """Columns that every side gives."""
        return frozenset.intersection(*self.parts, self.all if self.stored is None else self.stored)


def merge(opened: duckdb.DuckDBPyConnection, table: Table, given: Given, zone: str, into: Path) -> None:
    """Write stored rows and staged good rows together to a Parquet file, local days computed.

    Args:
        opened: the session that has the staged rows.
        table: the contract.
        given: the stored rows, and which columns each side gives.
        zone: IANA zone that decides the local day.
        into: the file.
    """
    names = ", ".join(column.stored for column in table.columns)
    rows = f"SELECT {names}, {PART}, {ROW}, {_richness(given)} AS _given FROM {good_rows(table)}"
    if given.file is not None:
        beside = f"{STORED_PART} AS {PART}, 0 AS {ROW}, {len(given.stored or ())} AS _given"
        rows = f"SELECT {names}, {beside} FROM {parquet(given.file)} UNION ALL {rows}"
    if table.key:
        order = f"PARTITION BY {', '.join(table.key)} ORDER BY {PART} DESC, {ROW}"
        rows = f"SELECT * FROM ({rows}) QUALIFY row_number() OVER ({order}) = 1"
    elif given.file is not None or len(given.parts) > 1 or columns.EVENT_ID in given.all:
        rows = _counted_once(table, rows, given)
    # A total order: the same rows make the same file.
    order = ", ".join(dict.fromkeys([*table.sort, *table.key, *(column.stored for column in table.columns)]))
    write_parquet(opened, f"SELECT {_with_days(table, zone)} FROM ({rows}) ORDER BY {order}", into)


def good_rows(table: Table) -> str:
    """SQL of the staged rows that passed every check."""
    return f"(SELECT * FROM {stage(table)} WHERE {REASON} IS NULL)"


def _counted_once(table: Table, rows: str, given: Given) -> str:
    """Query of events that counts each once.

    Rows are told apart by customer, instant and a 64-bit hash of the rest: for two different rows to be taken
    for one, the hashes of two purchases of one customer at one microsecond would have to be equal.
    """
    told_by = (columns.CUSTOMER_ID, table.event, columns.KNOWN_AT, columns.EVENT_ID)
    rest = [table.column(name).stored for name in table.names if name in given.common and name not in told_by]
    key = f"{columns.CUSTOMER_ID}, {table.event}, hash({', '.join([*rest, '0'])})"
    known = known_at(table)
    return f"""
        WITH every AS MATERIALIZED ({rows}),
        counted AS (
            SELECT *, row_number() OVER (PARTITION BY {key}, {PART} ORDER BY {known}, {ROW}) AS _nth
            FROM every WHERE {columns.EVENT_ID} IS NULL)
        SELECT * EXCLUDE (_nth) FROM counted
        QUALIFY row_number() OVER (PARTITION BY {key}, _nth ORDER BY _given DESC, {known}, {PART}) = 1
        UNION ALL
        SELECT * FROM every WHERE {columns.EVENT_ID} IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY {columns.EVENT_ID} ORDER BY {PART}, {ROW}) = 1"""


def _richness(given: Given) -> str:
    cases = " ".join(f"WHEN {number} THEN {len(names)}" for number, names in enumerate(given.parts))
    return f"CASE {PART} {cases} END"


def _with_days(table: Table, zone: str) -> str:
    """Select list of a stored table, local days beside their instants."""
    result = []
    for column in table.columns:
        value = known_at(table) if column.name == columns.KNOWN_AT else column.stored
        result.append(f"{value} AS {column.stored}")
        if column.day:
            result.append(f"{local_day(value, zone)} AS {column.day}")
    return ", ".join(result)
