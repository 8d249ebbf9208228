"""One table of a source read and checked: good rows and bad ones side by side in a temporary table."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from features.checks import PART, REASON, VALUES, Reading, masked, staged
from features.contract import Personal, Presence, Table
from features.identity import writings
from features.pseudonyms import Pseudonyms, possible
from features.raw import ROW, Part, RawTable, resolve, unreadable
from features.session import literal
from features.source import SOURCE_TOML
from features.tables import TABLES


@dataclass(frozen=True)
class Staged:
    """A table that was read and checked.

    Attributes:
        table: its contract.
        labels: the files, by number of part.
        given: canonical columns that each part gives.
        read: rows read.
        reasons: how many rows each reason refused, most frequent first.
        bad: rows refused.
        hashed: whether accepted rows have keyed hashes in place of personal numbers.
        warnings: sentences about what may not be as meant.
    """

    table: Table
    labels: tuple[str, ...]
    given: tuple[frozenset[str], ...]
    read: int
    bad: int
    reasons: dict[str, int]
    hashed: bool
    warnings: tuple[str, ...]


def stage(table: Table) -> str:
    """Name of the temporary table of checked rows."""
    return f"staged_{table.name}"


def read(
    opened: duckdb.DuckDBPyConnection,
    source: RawTable,
    mapping: Mapping[str, str],
    reading: Reading,
    pseudonyms: Pseudonyms,
) -> Staged:
    """Read and check a table.

    Raises:
        UserError: a file cannot be read, or a required or mapped column is not there.
    """
    table = TABLES[source.name]
    resolved = [resolve(table.name, part, mapping) for part in source.parts]
    warnings: list[str] = []
    for number, (part, names) in enumerate(zip(source.parts, resolved, strict=True)):
        into = f"INSERT INTO {stage(table)}" if number else f"CREATE TEMP TABLE {stage(table)} AS"
        try:
            opened.execute(f"{into} {staged(table, number, part, names, reading)}")
            if part.rejects:
                opened.execute(_rejected_lines(table, number, part))
        except duckdb.Error as error:
            raise unreadable(part.label, error) from None
        warnings.extend(_unused(table, part, names))
    if table.name == writings.TABLE:
        writings.keep(opened, stage(table))
    _hash_personal(opened, table, pseudonyms)
    if table.name == writings.TABLE:
        writings.pair(opened, stage(table))
    if table.key:
        _refuse_repeated_keys(opened, table)
    hashed = _hashed(opened, table)
    if ids := sum(hashed[column.name] for column in table.columns if column.personal is Personal.REFERENCE):
        warnings.append(
            f"{table.name}: {ids:,} customer ids are phone, card or national-id numbers or e-mails and are "
            f"stored as keyed hashes. If they are none, say plain_customer_ids = true in {SOURCE_TOML}."
        )
    warnings.extend(_midnights(opened, table, reading))
    total, bad = _counts(opened, table)
    given = tuple(frozenset(names) for names in resolved)
    labels = tuple(part.label for part in source.parts)
    return Staged(
        table, labels, given, total, bad, _reasons(opened, table), any(hashed.values()), tuple(warnings)
    )


def _rejected_lines(table: Table, number: int, part: Part) -> str:
    """Statement that adds the lines which are no rows; an open quote swallows lines, and each counts."""
    shown = masked("regexp_replace(left(line_text, 60), '[0-9]{5,}', '***', 'g')")
    return f"""
        INSERT INTO {stage(table)} BY NAME
        SELECT {number} AS {PART}, line - 2 + unnest(range(1, 2 + swallowed)) AS {ROW},
               'line cannot be split into columns: ' || problem AS {REASON},
               CAST(to_json({{'line': {shown}}}) AS VARCHAR) AS {VALUES}
        FROM (SELECT line, min(error_message) AS problem, rtrim(min(csv_line), chr(10)) AS line_text,
                     length(line_text) - length(replace(line_text, chr(10), '')) AS swallowed
              FROM {part.rejects} GROUP BY line)"""


def _hash_personal(opened: duckdb.DuckDBPyConnection, table: Table, pseudonyms: Pseudonyms) -> None:
    """Replace personal numbers by keyed hashes, in good rows; bad rows show masked values only."""
    ways: dict[Personal, Callable[[str], str]] = {
        Personal.REFERENCE: pseudonyms.of,
        Personal.VALUE: pseudonyms.of_value,
        Personal.PLATE: pseudonyms.of_plate,
    }
    opened.execute("CREATE OR REPLACE TEMP TABLE _hashes (_column VARCHAR, _given VARCHAR, _hash VARCHAR)")
    for column in table.columns:
        if column.personal is Personal.NO:
            continue
        # Most ids never reach Python.
        where = (
            possible(column.name) if column.personal is Personal.REFERENCE else f"{column.name} IS NOT NULL"
        )
        values = opened.execute(
            f"SELECT DISTINCT {column.name} FROM {stage(table)} WHERE {REASON} IS NULL AND {where}"
        ).fetchall()
        replaced = [(value, new) for (value,) in values if (new := ways[column.personal](value)) != value]
        if not replaced:
            continue
        given, hashes = zip(*replaced, strict=True)
        opened.execute("INSERT INTO _hashes SELECT $1, unnest($2), unnest($3)", [column.name, given, hashes])
        opened.execute(
            f"UPDATE {stage(table)} SET {column.name} = _hash FROM _hashes "
            f"WHERE _column = {literal(column.name)} AND {column.name} = _given"
        )


def _hashed(opened: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """How many values of each personal column of the good rows were replaced."""
    counts: dict[str, int] = {}
    for column in table.columns:
        if column.personal is not Personal.NO:
            row = opened.execute(
                f"SELECT count(DISTINCT {column.name}) FROM {stage(table)} WHERE {REASON} IS NULL AND "
                f"{column.name} IN (SELECT _hash FROM _hashes WHERE _column = {literal(column.name)})"
            ).fetchone()
            assert row is not None
            counts[column.name] = int(row[0])
    return counts


def _refuse_repeated_keys(opened: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Mark rows whose key came earlier in the same file with other values; equal rows are no fault."""
    keys = ", ".join(table.key)
    cells = ", ".join(f"coalesce(CAST({column.stored} AS VARCHAR), chr(0))" for column in table.columns)
    row = f"md5(concat_ws(chr(31), {cells}))"
    shown = " || ', ' || ".join(f"left({key}, 60)" for key in table.key)
    again = literal("' comes again in this file with other values")
    reason = f"{literal(f'{keys}: ')} || chr(39) || {shown} || {again}"
    values = ", ".join(f"'{column.name}': {column.stored}" for column in table.columns)
    opened.execute(f"""
        UPDATE {stage(table)} AS s SET {REASON} = {reason}, {VALUES} = CAST(to_json({{{values}}}) AS VARCHAR)
        FROM (SELECT {PART} AS part, {ROW} AS row FROM {stage(table)} WHERE {REASON} IS NULL
              QUALIFY {row} <> first_value({row}) OVER (PARTITION BY {keys}, {PART} ORDER BY {ROW})) AS again
        WHERE s.{PART} = again.part AND s.{ROW} = again.row""")


def _midnights(opened: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> list[str]:
    """A warning when local days were probably given as UTC instants: a silent shift by one day."""
    if not table.event or reading.naive_times == "local" or reading.zone == "UTC":
        return []
    row = opened.execute(
        f"SELECT count(*) > 1 AND bool_and({table.event} = date_trunc('day', {table.event})) "
        f"FROM {stage(table)} WHERE {REASON} IS NULL"
    ).fetchone()
    if row is None or not row[0]:
        return []
    warning = (
        f"{table.name}: every {table.event} is 00:00 UTC, which is another hour in {reading.zone}. If these "
        f'are local days, say naive_times = "local" in {SOURCE_TOML}.'
    )
    return [warning]


def _counts(opened: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, int]:
    row = opened.execute(f"SELECT count(*), count({REASON}) FROM {stage(table)}").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _reasons(opened: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """Reasons without the values, counted."""
    general = f"regexp_replace({REASON}, ': ''.*?'' ', ': ', 'g')"
    rows = opened.execute(
        f"SELECT {general} AS _general, count(*) AS _count FROM {stage(table)} WHERE {REASON} IS NOT NULL "
        "GROUP BY _general ORDER BY _count DESC, _general LIMIT 10"
    ).fetchall()
    return {str(reason): int(count) for reason, count in rows}


def _unused(table: Table, part: Part, names: Mapping[str, str]) -> list[str]:
    """A warning about columns of a file that no canonical column takes, with the nearest free name."""
    free = [name for name in table.names if name not in names]
    unused = []
    for raw in part.types:
        if raw not in names.values():
            near = difflib.get_close_matches(raw.lower(), free, n=1, cutoff=0.75)
            unused.append(f"{raw} (did you mean {near[0]}?)" if near else raw)
    return [f"{part.label}: not used: {', '.join(unused)}."] if unused else []


def lacking(table: Table, given: frozenset[str]) -> tuple[str, ...]:
    """Wanted columns that a source does not give."""
    return tuple(c.name for c in table.columns if c.presence is Presence.WANTED and c.name not in given)
