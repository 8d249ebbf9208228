"""Workspaces with identities, from a few lines or from generated people."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from features.identity.people import People
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from tests.features.identity.generator import Population, generate

# (customer_id, date of January 2024, kind, value)
Seen = tuple[str, int, str, str]
Identify = Callable[..., Workspace]
LAST = 31


def day(of_january: int) -> int:
    """The day number of a date of January 2024."""
    return (date(2024, 1, of_january) - date(1970, 1, 1)).days


@pytest.fixture
def identify(tmp_path: Path) -> Identify:
    """`identify(rows, files, toml)`: ingest these identities; the last purchase of each is on 31 January.

    The same workspace every time: a second call is a second ingest.
    """
    count = itertools.count()

    def go(rows: Sequence[Seen], files: dict[str, str] | None = None, toml: str = "") -> Workspace:
        folder = tmp_path / f"source{next(count)}"
        folder.mkdir()
        customers = dict.fromkeys(row[0] for row in rows if row[0])
        lines = "".join(f"{name},2024-01-{LAST} 10:00:00,1\n" for name in customers or ("nobody",))
        content = {"transactions.csv": "customer_id,occurred_at,amount\n" + lines, **(files or {})}
        if rows:
            seen = "".join(f'{c},2024-01-{d:02d} 09:00:00,pool,{k},"{v}"\n' for c, d, k, v in rows)
            content["identities.csv"] = "customer_id,seen_at,pool,kind,value\n" + seen
        if toml:
            content["source.toml"] = toml
        for name, text in content.items():
            (folder / name).write_text(text, encoding="utf-8")
        workspace = Workspace(tmp_path / "workspace")
        ingest(workspace, str(folder))
        return workspace

    return go


def at(workspace: Workspace, of_january: int) -> People:
    """Who is who at the as-of of a date of January 2024 (32 is the first of February)."""
    return People.read(workspace.identity, day(1) + of_january - 1)


@pytest.fixture(scope="session")
def population() -> Population:
    return generate(1500, seed=7)


@pytest.fixture(scope="session")
def populated(population: Population, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The generated population, ingested. Tests do not change it."""
    root = tmp_path_factory.mktemp("populated")
    workspace = Workspace(root / "workspace")
    ingest(workspace, str(population.write(root / "source")))
    return workspace


def until(days: int) -> date:
    """A date so many days into the generated year."""
    return date(2024, 1, 1) + timedelta(days=days)
