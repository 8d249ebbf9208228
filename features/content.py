"""Fingerprints of tables that depend on their content alone: not on order, files or time of ingest.

A row's number is the lower half of the MD5 of its values; the numbers are summed per table and day from
which the rows are known. Sums add up, so that ingest counts once and the fingerprint of any as-of follows.
Local days are left out of a row, for they follow from its instants and the source's zone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features import columns
from features.contract import Kind, Table
from features.session import parquet, write_parquet
from features.tables import TABLES

CONTENT_FILE: Final = "content.parquet"
# Day of the rows of a table of things: they have no day, and are known at any as-of.
ALWAYS: Final = -(2**31)


@dataclass(frozen=True)
class DaySum:
    """Rows of one table that become known on one day.

    Attributes:
        table: name of the table.
        day: local day since 1970-01-01; `ALWAYS` for a table of things.
        rows: how many.
        total: sum of the rows' 64-bit numbers.
    """

    table: str
    day: int
    rows: int
    total: int


def day_sums(opened: duckdb.DuckDBPyConnection, table: Table, relation: str) -> list[DaySum]:
    """The sums of a table's rows, by day."""
    day = f"greatest({columns.DAY}, {columns.KNOWN_DAY})" if table.event else str(ALWAYS)
    rows = opened.execute(
        f"SELECT day, count(*), CAST(sum(md5_number_lower(row)) AS VARCHAR) "
        f"FROM (SELECT {day} AS day, {_row(table)} AS row FROM {relation}) GROUP BY day ORDER BY day"
    ).fetchall()
    return [DaySum(table.name, int(day), int(count), int(total)) for day, count, total in rows]


def is_same(opened: duckdb.DuckDBPyConnection, table: Table, relation: str, stored: Iterable[DaySum]) -> bool:
    """Whether a relation without local days has the rows of which `stored` are the sums."""
    found = opened.execute(
        f"SELECT count(*), CAST(sum(md5_number_lower(row)) AS VARCHAR) "
        f"FROM (SELECT {_row(table)} AS row FROM {relation})"
    ).fetchone()
    assert found is not None
    known = list(stored)
    return (int(found[0]), int(found[1] or 0)) == (sum(s.rows for s in known), sum(s.total for s in known))


def _row(table: Table) -> str:
    """SQL of a row as one text: instants as microseconds, separators that no text holds."""
    cells = []
    for column in table.columns:
        value = column.stored
        if column.name == columns.KNOWN_AT:
            value = known_at(table)
        if column.kind is Kind.INSTANT:
            value = f"epoch_us({value})"
        cells.append(f"coalesce(CAST({value} AS VARCHAR), chr(30))")
    return f"concat_ws(chr(31), {', '.join(cells)})"


def known_at(table: Table) -> str:
    """SQL of the instant from which an event is known: its own by default, and never before it happened."""
    return f"greatest({table.event}, coalesce({columns.KNOWN_AT}, {table.event}))"


def fingerprint(sums: Iterable[DaySum], until: int | None, **beside: str) -> str:
    """SHA-256 (hex) of what is known before 00:00 of day `until` (of everything without it)."""
    content: dict[str, list[int]] = {}
    for part in sums:
        counted = content.setdefault(part.table, [0, 0])
        if until is None or part.day < until:
            counted[0] += part.rows
            counted[1] += part.total
    # A table without visible rows is as one that is not there.
    visible = {name: counted for name, counted in content.items() if counted[0]}
    return hashlib.sha256(json.dumps([beside, visible], sort_keys=True).encode()).hexdigest()


def write(opened: duckdb.DuckDBPyConnection, sums: Iterable[DaySum], folder: Path) -> None:
    """Keep the sums beside the tables."""
    rows = [(part.table, part.day, part.rows, str(part.total)) for part in sums]
    opened.execute(
        'CREATE OR REPLACE TEMP TABLE _content ("table" VARCHAR, day INTEGER, rows BIGINT, total VARCHAR)'
    )
    if rows:
        names = [list(column) for column in zip(*rows, strict=True)]
        opened.execute("INSERT INTO _content SELECT unnest($1), unnest($2), unnest($3), unnest($4)", names)
    write_parquet(opened, "FROM _content", folder / CONTENT_FILE)


def read(opened: duckdb.DuckDBPyConnection, folder: Path) -> list[DaySum]:
    """The sums of the tables of a folder: those kept, or counted now."""
    file = folder / CONTENT_FILE
    if file.exists():
        rows = opened.execute(f"FROM {parquet(file)}").fetchall()
        return [DaySum(table, day, count, int(total)) for table, day, count, total in rows]
    present = [table for table in TABLES.values() if (folder / f"{table.name}.parquet").exists()]
    counted = (day_sums(opened, table, parquet(folder / f"{table.name}.parquet")) for table in present)
    return [part for sums in counted for part in sums]
