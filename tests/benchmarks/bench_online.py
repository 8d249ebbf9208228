"""All features of one customer, read included, against a bare read of blobs and one masked sum a feature."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from features import catalogue, online
from features.build import open_store
from features.canonical import Canonical
from features.tiles import MEASURE_NAMES
from features.workspace import Workspace

CUSTOMERS = 300
ROUNDS = 7
WINDOWS = (7, 14, 28, 56, 91, 182, 10_000)


def microseconds(work: Callable[[str], object], customers: list[str]) -> float:
    """Best mean time per customer over the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for customer in customers:
            work(customer)
        best = min(best, (time.perf_counter() - start) / len(customers))
    return best * 1e6


@pytest.fixture
def floor(sample_workspace: Workspace, tmp_path: Path) -> Path:
    """A table of one blob per customer: days, then measures, as they lie in memory."""
    file = tmp_path / "floor.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE blobs (customer_id TEXT PRIMARY KEY, day BLOB, measures BLOB)")
        for history in open_store(sample_workspace).histories():
            row = (history.customer_id, history.day.tobytes(), history.measures.tobytes())
            connection.execute("INSERT INTO blobs VALUES (?, ?, ?)", row)
    return file


def bench_one_customer_online(sample_workspace: Workspace, floor: Path) -> None:
    store, as_of = open_store(sample_workspace), Canonical.open(sample_workspace).clock_day
    customers = sorted(store.customers())[:CUSTOMERS]
    columns = [(n % len(MEASURE_NAMES), WINDOWS[n % len(WINDOWS)]) for n in range(len(catalogue.NAMES))]

    def ours(customer: str) -> object:
        history = store.get(customer, purchases=False)
        assert history is not None
        return online.evaluate(history, as_of)

    with closing(sqlite3.connect(floor)) as connection:

        def bare(customer: str) -> object:
            query = "SELECT day, measures FROM blobs WHERE customer_id = ?"
            day, measures = connection.execute(query, (customer,)).fetchone()
            age = as_of - np.frombuffer(day, dtype=np.int32)
            values = np.frombuffer(measures, dtype=np.int64).reshape(len(age), -1)
            return [values[age <= window, column].sum() for column, window in columns]

        floor_time, our_time = microseconds(bare, customers), microseconds(ours, customers)
    print(
        f"\none customer online: {our_time:.0f} us for {len(catalogue.NAMES)} features, "
        f"floor {floor_time:.0f} us, ratio {our_time / floor_time:.2f}"
    )
