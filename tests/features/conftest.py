"""Canonical tables made from a few lines, for tests of features."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.canonical import SOURCE_FILE
from features.ingest import ingest
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

    A line needs customer_id, day and amount_cents; it is known that day unless it has a known_day.
    """
    root, count = tmp_path_factory.mktemp("made"), itertools.count()

    def make(lines: Sequence[Line], products: Sequence[Line] | None = PRODUCTS) -> Workspace:
        workspace = Workspace(root / str(next(count))).create()
        with workspace.publish(workspace.tables) as folder:
            rows = [{**line, "known_day": line.get("known_day", line["day"])} for line in lines]
            write_table(folder / "transactions.parquet", "transactions", rows)
            if products is not None:
                write_table(folder / "products.parquet", "products", products)
            write_json(folder / SOURCE_FILE, Source().plain())
        return workspace

    return make


@pytest.fixture(scope="session")
def ingested_slice(slice_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A few hundred real households, ingested only."""
    workspace = Workspace(tmp_path_factory.mktemp("ingested") / "workspace")
    ingest(workspace, str(slice_source))
    return workspace
