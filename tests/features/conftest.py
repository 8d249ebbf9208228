"""Canonical tables made from a few lines, for tests of features."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pytest

from features.canonical import SOURCE_FILE
from features.ingestion.ingest import ingest
from features.json_file import write_json
from features.source import Source
from features.tables import TABLES
from features.workspace import Workspace

Line = Mapping[str, Any]
MakeWorkspace = Callable[..., Workspace]
PRODUCTS = (
    {"product_id": "petrol", "department": "Fuel ", "brand": "Private"},
    {"product_id": "diesel", "department": "FUEL", "brand": None},
    {"product_id": "apple", "department": "produce", "brand": "National"},
    {"product_id": "bread", "department": "GROCERY", "brand": "private"},
)


DEFAULT_SOURCE = Source()


def write_table(file: Path, name: str, rows: Sequence[Line]) -> None:
    """A canonical table as ingest stores it; what a row does not say is null."""
    stored = TABLES[name].stored
    with duckdb.connect() as connection:
        columns = ", ".join(f"{column} {kind}" for column, kind in stored.items())
        connection.execute(f"CREATE TABLE rows ({columns})")
        if rows:
            given = [column for column in stored if any(row.get(column) is not None for row in rows)]
            cells = [[row.get(column) for column in given] for row in rows]
            marks = ", ".join("?" for _ in given)
            connection.executemany(f"INSERT INTO rows ({', '.join(given)}) VALUES ({marks})", cells)
        connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory) -> MakeWorkspace:
    """`make_workspace(lines, products)`: a workspace with these tables; products None: no such table.

    A line needs customer_id, day and amount_cents; it is known that day unless it has a known_day. `tables`
    are others by name, and `people` and `households` say who is one person and who lives together.
    """
    root, count = tmp_path_factory.mktemp("made"), itertools.count()

    def make(
        lines: Sequence[Line],
        products: Sequence[Line] | None = PRODUCTS,
        *,
        tables: Mapping[str, Sequence[Line]] = MappingProxyType({}),
        people: Sequence[tuple[str, str, int, int]] = (),
        households: Sequence[tuple[str, str, int, int]] = (),
        source: Source = DEFAULT_SOURCE,
    ) -> Workspace:
        workspace = Workspace(root / str(next(count))).create()
        given = {"transactions": lines, **tables} | ({} if products is None else {"products": products})
        with workspace.publish(workspace.tables) as folder:
            for name, rows in given.items():
                known = [{"known_day": row.get("day"), **row} for row in rows] if TABLES[name].event else rows
                write_table(folder / f"{name}.parquet", name, known)
            columns = {"transactions": sorted({column for line in lines for column in line})}
            write_json(folder / SOURCE_FILE, {**source.plain(), "profile": {"columns": columns}})
        if people or households:
            with workspace.publish(workspace.identity) as folder, duckdb.connect() as connection:
                for name, first, second, rows in (
                    ("people", "reference", "customer_id", people),
                    ("households", "customer_id", "household_id", households),
                ):
                    connection.execute(
                        f"CREATE TABLE {name} ({first} VARCHAR, {second} VARCHAR, from_day INT, to_day INT)"
                    )
                    if rows:
                        connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", rows)
                        connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
        return workspace

    return make


@pytest.fixture(scope="session")
def ingested_slice(slice_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A few hundred real households, ingested only."""
    workspace = Workspace(tmp_path_factory.mktemp("ingested") / "workspace")
    ingest(workspace, str(slice_source))
    return workspace
