"""A small world with known answers: customers who come every few days, some of whom stop on a planted day."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.canonical import Canonical
from features.clock import to_day
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.datasets import Snapshots, open_snapshots
from training.registry import store
from training.task import Budget

FIRST = pd.Timestamp("2017-01-01")
DAYS = 300
CUSTOMERS = 240
# One as-of after the last day, 2017-10-28.
AS_OF = to_day((FIRST + pd.Timedelta(days=DAYS)).date())
TINY = Budget(trials=2, step_days=28, cutoffs=3, folds=1, reports=1, replicates=20)


def visits(seed: int = 0) -> pd.DataFrame:
    """Customers c0000, c0001, ...: every 2 to 12 days, give or take one; every second one stops."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(CUSTOMERS):
        gap = 2 + number % 11
        stop = DAYS if number % 2 == 0 else int(rng.integers(60, DAYS + 60))
        day = int(rng.integers(0, gap))
        while day < min(stop, DAYS):
            rows.append((f"c{number:04d}", day, round(float(rng.gamma(4.0, 8.0)) + 1.0, 2)))
            day += max(1, gap + int(rng.integers(-1, 2)))
    frame = pd.DataFrame(rows, columns=["customer_id", "offset", "amount"])
    frame["occurred_at"] = FIRST + pd.to_timedelta(frame["offset"], unit="D") + pd.Timedelta(hours=12)
    frame["basket_id"] = [f"b{i}" for i in range(len(frame))]
    return frame.drop(columns="offset")


def make(root: Path, frame: pd.DataFrame, toml: str = "") -> Workspace:
    """A workspace with these transactions ingested."""
    source = root / "source"
    source.mkdir(parents=True)
    frame.to_parquet(source / "transactions.parquet", index=False)
    (source / "source.toml").write_text('name = "planted"\ntime_zone = "UTC"\n' + toml, encoding="utf-8")
    workspace = Workspace(root / "workspace").create()
    ingest(workspace, str(source))
    return workspace


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small world, ingested; choices end before the last two months."""
    return make(tmp_path_factory.mktemp("planted"), visits(), "choices_until = 2017-09-01\n")


@pytest.fixture(scope="session")
def snapshots(planted: Workspace) -> Snapshots:
    """Everything known at the end of the small world."""
    return open_snapshots(planted)


@pytest.fixture(scope="session")
def cut_snapshots(planted: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The small world 30 days earlier, on tables that never had a later row."""
    day = AS_OF - 30
    return Snapshots(Canonical.open(planted).cut(day, tmp_path_factory.mktemp("cut")), day)


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small world with an empty MLflow store, to be copied: to set one up takes seconds."""
    workspace = make(tmp_path_factory.mktemp("ingested"), visits())
    store.client(workspace)
    return workspace


@pytest.fixture
def workspace_with_store(ingested: Workspace, tmp_path: Path) -> Workspace:
    """A copy of `ingested` of one's own."""
    shutil.copytree(ingested.root, tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace")
