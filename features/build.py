"""The feature build: tiles, purchases and the customer store, made from the canonical tables.

All three are published together in one step. `build.json` names the generation of tables they come from, so
that a reader of those tables can tell whether the build is of the same content.
"""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from features.canonical import Canonical
from features.customer_store import choice as stores
from features.customer_store.applying import Applier
from features.customer_store.journal import Journal
from features.customer_store.loading import Loading
from features.customer_store.posted import overlay
from features.customer_store.store import Content, CustomerStore, Position, ReplacedError
from features.facts import FACTS, HOUSEHOLDS, PEOPLE
from features.json_file import read_json, write_json
from features.session import literal, parquet
from features.tiles import RELATION_VIEWS, measures_hash, relation_sql
from features.workspace import Workspace

NOTE: Final = "build.json"
# Folder of the tables that a build is of.
TABLES: Final = "tables"


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
    if not force and _is_of(workspace.features, canonical) and stores.is_of(workspace, _origin(canonical)):
        return Build(**note["build"], reused=True)
    start = time.perf_counter()
    with (
        workspace.publish(workspace.features) as folder,
        closing(canonical.connect(references=True)) as connection,
    ):
        rows: dict[str, int] = {}
        for view in RELATION_VIEWS.values():
            file = folder / f"{view}.parquet"
            rows[view] = _copy(connection, relation_sql(view, canonical.facts), file)
            connection.execute(f"CREATE VIEW {view} AS FROM {parquet(file)}")
        _keep_tables(canonical, folder / TABLES)
        writing = time.perf_counter()
        absent = frozenset(FACTS) - canonical.facts
        journal = Journal(workspace.events)
        posted = journal.after(0)
        position = Position(journal.id, posted[-1].number if posted else 0)
        relations = overlay(connection, canonical, posted)
        loading = Loading(connection, relations, canonical.facts, absent)
        content = Content(loading.histories(), loading.names, absent, _origin(canonical), position)
        loaded = stores.load(workspace, folder, content)
        end = time.perf_counter()
        made = Build(
            loaded.customers,
            rows["tiles"],
            rows["purchases"],
            len(loading.names["products"]),
            end - start,
            loaded.customers / (end - writing),
        )
        counts = {name: value for name, value in vars(made).items() if name != "reused"}
        write_json(folder / NOTE, {**_origin(canonical), "build": counts})
        loaded.publish()
    return made


def open_store(workspace: Workspace) -> CustomerStore:
    """The customer store of the last build.

    Raises:
        UserError: there is none (exit code NOT_BUILT), or it cannot be reached.
    """
    return stores.open_store(workspace)


def open_applier(workspace: Workspace, opened: CustomerStore) -> Applier:
    """What brings posted events into an open store.

    Raises:
        ReplacedError: the store is not of the build that stands in the workspace.
    """
    tables = workspace.features.resolve() / TABLES
    origin = read_json(tables.parent / NOTE)
    if any(opened.meta.get(key) != origin.get(key) for key in ("tables", "identity")):
        raise ReplacedError("the customer store is of another build; open it again.")
    return Applier(opened, Journal(workspace.events), Canonical.read(tables))


def files() -> tuple[str, ...]:
    """The files that a build has to have."""
    relations = tuple(f"{view}.parquet" for view in RELATION_VIEWS.values())
    return relations if stores.address() else (*relations, stores.FILE)


def built_from(canonical: Canonical) -> Path | None:
    """The folder of the build of exactly these tables, if there is one."""
    # Published tables stand two levels below the workspace: .tables.generations/tables-<id>.
    features = Workspace(canonical.folder.parent.parent).features
    return features.resolve() if _is_of(features, canonical) else None


def _origin(canonical: Canonical) -> dict[str, Any]:
    """What the build depends on: generations of tables and of persons, which never change, and measures."""
    people = canonical.identity.name if {PEOPLE, HOUSEHOLDS} & canonical.facts else ""
    return {"tables": canonical.folder.name, "identity": people, "measures_hash": measures_hash()}


def _is_of(features: Path, canonical: Canonical) -> bool:
    """Whether a folder holds a whole build of these tables."""
    note = read_json(features / NOTE)
    whole = all((features / file).exists() for file in files())
    return whole and all(note.get(key) == value for key, value in _origin(canonical).items())


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    row = connection.execute(
        f"COPY ({query}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _keep_tables(canonical: Canonical, folder: Path) -> None:
    """Keep the tables that the build is of: a posted event may need a day of theirs after a newer ingest.

    They are linked, not copied, where the file system can.
    """
    folder.mkdir()
    for file in {*canonical.folder.iterdir(), *canonical.identity.glob("*.parquet")}:
        try:
            (folder / file.name).hardlink_to(file)
        except OSError:
            shutil.copy(file, folder)
