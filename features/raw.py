"""The files of a source folder, found and opened, before anything is known about their content.

A part is one file: a relation of raw columns that the checks then cast. CSV is read as text, without
guessing of types: a guess over the first rows is how ids lose their leading zeros.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features.errors import ExitCode, UserError, unknown
from features.session import literal
from features.source import SOURCE_TOML, TRUTH
from features.tables import TABLES

ROW: Final = "_row"
_SUFFIXES: Final = (".parquet", ".csv")
_NESTED: Final = re.compile(r"STRUCT|MAP|UNION|LIST|BLOB|\[")


@dataclass(frozen=True)
class Part:
    """One file of a table.

    Attributes:
        label: the file as the user knows it.
        relation: SQL query that gives the raw columns, and `_row`, the number of the data row from 1.
        types: DuckDB type of each raw column.
        rejects: name of DuckDB's table of lines it could not split; empty for a format without lines.
    """

    label: str
    relation: str
    types: Mapping[str, str]
    rejects: str = ""


@dataclass(frozen=True)
class RawTable:
    """The parts of one table, in the order in which they count."""

    name: str
    parts: tuple[Part, ...]


def find(opened: duckdb.DuckDBPyConnection, folder: Path) -> tuple[list[RawTable], list[str]]:
    """The tables of a source folder, and warnings about what is not used.

    Raises:
        UserError: a file is empty or cannot be read.
    """
    found = []
    silent = {folder / SOURCE_TOML, folder / TRUTH}
    unused = {path for path in folder.iterdir() if not path.name.startswith(".")} - silent
    for name in TABLES:
        files, others = _files(folder, name)
        unused = unused.difference(files, [folder / name] if (folder / name).is_dir() else ()).union(others)
        if files:
            parts = tuple(_part(opened, file, folder, name, number) for number, file in enumerate(files))
            found.append(RawTable(name, parts))
    return found, [_not_used(path, folder) for path in sorted(unused)]


def _not_used(path: Path, folder: Path) -> str:
    """The warning about a file or folder that is not read."""
    label = str(path.relative_to(folder))
    if path.parent == folder and (_readable(path) or path.is_dir()):
        near = difflib.get_close_matches(path.name.partition(".")[0].lower(), TABLES, n=1)
        hint = f" Did you mean {near[0]}{path.suffix.lower()}?" if near else ""
        return f"{label} is not used: no canonical table has that name.{hint}"
    return f"{label} is not read: it is no .parquet or .csv file."


def _readable(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _files(folder: Path, table: str) -> tuple[list[Path], list[Path]]:
    """A table's files, the single ones first, then the parts of its folder by path; and what is no part."""
    single = [path for path in folder.iterdir() if path.stem == table and _readable(path)]
    single.sort(key=lambda path: (_SUFFIXES.index(path.suffix.lower()), path.name))
    parts = folder / table
    if not parts.is_dir():
        return single, []
    seen = [
        path
        for path in sorted(parts.rglob("*"))
        if not any(name.startswith(".") for name in path.relative_to(parts).parts)
        # A linked folder is not entered: it is one thing that is not read.
        and (path.is_symlink() or not path.is_dir())
    ]
    inside = [path for path in seen if _readable(path)]
    if not inside and not single:
        raise UserError(f"folder {table}/ has no .parquet or .csv file.", ExitCode.BAD_DATA)
    return single + inside, [path for path in seen if path not in set(inside)]


def _part(opened: duckdb.DuckDBPyConnection, file: Path, folder: Path, table: str, number: int) -> Part:
    label = str(file.relative_to(folder))
    if file.stat().st_size == 0:
        raise UserError(f"{label} is empty: it has not even a header.", ExitCode.BAD_DATA)
    if file.suffix.lower() == ".csv":
        return _csv_part(file, label, f"rejects_{table}_{number}")
    return parquet_part(opened, file, label)


def parquet_part(opened: duckdb.DuckDBPyConnection, file: Path, label: str, query: str = "*") -> Part:
    """A Parquet file as a part.

    Args:
        opened: the session that will read it.
        file: the file.
        label: its name for the user.
        query: select list over the file's columns, for a source that has to be reshaped.
    """
    numbered = f"read_parquet({literal(file)}, file_row_number = true, hive_partitioning = false)"
    relation = f"SELECT {query}, file_row_number + 1 AS {ROW} FROM {numbered}"
    try:
        types = described(opened, relation)
    except duckdb.Error as error:
        raise unreadable(label, error) from None
    return Part(label, relation, types)


def described(opened: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Columns and types of a relation, without the row numbers."""
    rows = opened.execute(f"DESCRIBE {relation}").fetchall()
    return {row[0]: row[1] for row in rows if row[0] not in (ROW, "file_row_number")}


def unreadable(label: str, error: Exception) -> UserError:
    """The error for a file that DuckDB cannot read."""
    return UserError(f"{label} cannot be read: {str(error).splitlines()[0]}", ExitCode.BAD_DATA)


def _csv_part(file: Path, label: str, rejects: str) -> Part:
    """A CSV file as a part. Only the delimiter is found out, from the header."""
    with file.open("rb") as stream:
        first = stream.readline()
    try:
        text = first.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"{label} is not UTF-8 text. Save it as UTF-8.", ExitCode.BAD_DATA) from None
    delimiter = max(",;\t|", key=text.count)
    header = next(csv.reader([text], delimiter=delimiter), [])
    if not any(map(str.strip, header)):
        raise UserError(f"{label} has no header: its first line is empty.", ExitCode.BAD_DATA)
    names = [name.strip() or f"column {number}" for number, name in enumerate(header, 1)]
    lowered = [name.lower() for name in names]
    if twice := {name for name in names if lowered.count(name.lower()) > 1}:
        raise UserError(f"{label} names column {min(twice)!r} twice.", ExitCode.BAD_DATA)
    spec = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    relation = f"""
        SELECT *, row_number() OVER () AS {ROW}
        FROM read_csv({literal(file)}, auto_detect = false, header = true, columns = {{{spec}}},
                      hive_partitioning = false, delim = {literal(delimiter)}, quote = '"', escape = '"',
                      ignore_errors = true, store_rejects = true, rejects_limit = 0,
                      rejects_table = '{rejects}', rejects_scan = '{rejects}_scan')"""
    return Part(label, relation, dict.fromkeys(names, "VARCHAR"), rejects)


def resolve(table: str, part: Part, mapping: Mapping[str, str]) -> dict[str, str]:
    """The raw column of each canonical column that a part has.

    Raises:
        UserError: a mapped or a required column is not there, or is of a nested type.
    """
    result: dict[str, str] = {}
    for column in TABLES[table].columns:
        raw = mapping.get(column.name, column.name)
        if raw in part.types:
            if _NESTED.search(part.types[raw]):
                raise UserError(
                    f"{part.label}: column {raw!r} is a {part.types[raw]}, not a plain value.",
                    ExitCode.BAD_DATA,
                )
            result[column.name] = raw
        elif column.name in mapping:
            raise unknown(f"{SOURCE_TOML}: column of {part.label} for {table}.{column.name}", raw, part.types)
        elif column.required:
            raise _missing(table, column.name, part)
    return result


def _missing(table: str, name: str, part: Part) -> UserError:
    lowered = {raw.lower(): raw for raw in part.types}
    near = difflib.get_close_matches(name, lowered, n=1)
    example = lowered[near[0]] if near else "its name in the file"
    hint = f"did you mean {example!r}? " if near else ""
    return UserError(
        f"{part.label} has no column {name!r}, which {table} requires; it has {', '.join(part.types)}. "
        f'Hint: {hint}say in {SOURCE_TOML}: [columns.{table}] {name} = "{example}".',
        ExitCode.BAD_DATA,
    )
