"""DuckDB sessions of our own, and the few words of SQL that every reader and writer of tables needs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """A session in memory and in UTC: no zone and no downloaded extension of the machine leaks into it."""
    opened = duckdb.connect(config={"autoinstall_known_extensions": False})
    opened.execute("SET TimeZone = 'UTC'")
    opened.execute("SET enable_progress_bar = false")
    # What does not fit into memory is else put into the folder that the command happens to run in.
    opened.execute(f"SET temp_directory = {literal(tempfile.gettempdir())}")
    return opened


def literal(text: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def parquet(file: Path) -> str:
    """SQL of the relation in a Parquet file."""
    return f"read_parquet({literal(file)})"


def write_parquet(opened: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write the rows of a query to a Parquet file."""
    opened.execute(f"COPY ({query}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)")
