"""The feature build: tiles, purchases and the customer store, made from the canonical tables.

All three are published together in one step. `build.json` names the generation of tables they come from, so
that a reader of those tables can tell whether the build is of the same content.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from features import store
from features.canonical import Canonical
from features.history import History
from features.json_file import read_json, write_json
from features.session import literal, parquet
from features.store import CustomerStore
from features.tiles import MEASURE_NAMES, PRODUCTS, measures_hash, purchases_sql, tiles_sql
from features.workspace import Workspace

TILES: Final = "tiles.parquet"
PURCHASES: Final = "purchases.parquet"
STORE: Final = "store.db"
NOTE: Final = "build.json"
FILES: Final = (TILES, PURCHASES, STORE)
# Customers whose rows are in memory at a time while the store is written.
_CHUNK: Final = 5000


@dataclass(frozen=True)
class Build:
    """What a feature build made.

    Attributes:
        customers: customers in the store.
        tiles: rows of `tiles.parquet`.
        purchases: rows of `purchases.parquet`.
        products: distinct products bought.
        seconds: time of the whole build.
        customers_per_second: speed of writing the store alone.
        reused: whether the previous build was of the same tables and nothing was done.
    """

    customers: int
    tiles: int
    purchases: int
    products: int
    seconds: float
    customers_per_second: float
    reused: bool = False


def build(workspace: Workspace, *, force: bool = False) -> Build:
    """Build the features of a workspace, unless those published are of the same tables.

    Raises:
        UserError: nothing has been ingested.
    """
    canonical = Canonical.open(workspace)
    note = read_json(workspace.features / NOTE)
    if not force and _is_of(workspace.features, canonical):
        return Build(**note["build"], reused=True)
    start = time.perf_counter()
    with workspace.publish(workspace.features) as folder, closing(canonical.connect()) as connection:
        tiles = _copy(connection, tiles_sql(optional_tables(canonical)), folder / TILES)
        purchases = _copy(connection, purchases_sql(), folder / PURCHASES)
        connection.execute(f"CREATE VIEW tiles AS FROM {parquet(folder / TILES)}")
        connection.execute(f"CREATE VIEW purchases AS FROM {parquet(folder / PURCHASES)}")
        products = _texts(connection, "SELECT DISTINCT product_id FROM purchases ORDER BY 1")
        connection.execute(
            "CREATE TEMP TABLE codes AS "
            "SELECT unnest(?) AS product_id, CAST(unnest(range(?)) AS INTEGER) AS code",
            [products, len(products)],
        )
        absent = frozenset(PRODUCTS) - set(optional_tables(canonical))
        writing = time.perf_counter()
        customers = store.create(
            folder / STORE, _histories(connection, absent), products, absent, _origin(canonical)
        )
        end = time.perf_counter()
        made = Build(customers, tiles, purchases, len(products), end - start, customers / (end - writing))
        counts = {name: value for name, value in vars(made).items() if name != "reused"}
        write_json(folder / NOTE, {**_origin(canonical), "build": counts})
    return made


def open_store(workspace: Workspace) -> CustomerStore:
    """The customer store of the last build.

    Raises:
        UserError: there is none (exit code NOT_BUILT).
    """
    return CustomerStore.open(workspace.features / STORE)


def tiles_of(canonical: Canonical) -> Path | None:
    """The built tiles of exactly these tables, if there are any."""
    # Published tables stand two levels below the workspace: .tables.generations/tables-<id>.
    features = Workspace(canonical.folder.parent.parent).features
    return (features / TILES).resolve() if _is_of(features, canonical) else None


def optional_tables(canonical: Canonical) -> tuple[str, ...]:
    """The optional tables that features may need and the source has."""
    return tuple(table for table in PRODUCTS if canonical.has(table))


def _origin(canonical: Canonical) -> dict[str, Any]:
    """What the build depends on: a generation of tables, which never changes, and the measures."""
    return {"tables": canonical.folder.name, "measures_hash": measures_hash()}


def _is_of(features: Path, canonical: Canonical) -> bool:
    """Whether a folder holds a whole build of these tables."""
    note = read_json(features / NOTE)
    whole = all((features / file).exists() for file in FILES)
    return whole and all(note.get(key) == value for key, value in _origin(canonical).items())


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    row = connection.execute(
        f"COPY ({query}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _texts(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(query).fetchall()]


def _histories(connection: duckdb.DuckDBPyConnection, absent: frozenset[str]) -> Iterator[History]:
    """Every customer's history, by customer_id, a range of customers at a time."""
    customers = _texts(connection, "SELECT DISTINCT customer_id FROM tiles ORDER BY 1")
    for start in range(0, len(customers), _CHUNK):
        ids = customers[start : start + _CHUNK]
        bounds = [ids[0], ids[-1]]
        tiles: dict[str, Any] = connection.execute(
            "FROM tiles WHERE customer_id BETWEEN ? AND ? ORDER BY customer_id, day, known_day", bounds
        ).fetchnumpy()
        bought: dict[str, Any] = connection.execute(
            "SELECT customer_id, code, day, known_day, CAST(baskets AS INTEGER) AS baskets "
            "FROM purchases JOIN codes USING (product_id) WHERE customer_id BETWEEN ? AND ? "
            "ORDER BY customer_id, code, day, known_day",
            bounds,
        ).fetchnumpy()
        measures = np.column_stack([tiles[name] for name in MEASURE_NAMES])
        edges, ends = _edges(tiles["customer_id"], ids), _edges(bought["customer_id"], ids)
        for position, customer_id in enumerate(ids):
            rows = slice(edges[position], edges[position + 1])
            lines = slice(ends[position], ends[position + 1])
            yield History(
                customer_id,
                tiles["day"][rows],
                tiles["known_day"][rows],
                measures[rows],
                bought["code"][lines],
                bought["day"][lines],
                bought["known_day"][lines],
                bought["baskets"][lines],
                absent,
            )


def _edges(sorted_ids: NDArray[Any], ids: list[str]) -> NDArray[np.intp]:
    """Where each customer's rows start, and where the last one's end."""
    return np.append(np.searchsorted(np.asarray(sorted_ids, dtype=object), ids), len(sorted_ids))
