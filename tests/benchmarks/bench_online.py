"""All features of one customer, read included, against a bare read of blobs and one masked sum a feature."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from features import catalogue
from features.build import open_store
from features.canonical import Canonical
from features.evaluators import online
from features.measures import MEASURE_NAMES
from features.workspace import Workspace

CUSTOMERS = 300
ROUNDS = 25
WINDOWS = (7, 14, 28, 56, 91, 182, 10_000)


def microseconds(work: Callable[[str], object], customers: list[str]) -> float:
    """Median over the customers of each one's best time: what else the machine does is not measured."""
    times = np.empty((ROUNDS, len(customers)))
    for row in times:
        for place, customer in enumerate(customers):
            start = time.perf_counter()
            work(customer)
            row[place] = time.perf_counter() - start
    return float(np.median(times.min(axis=0)) * 1e6)


@pytest.fixture
def floor(sample_workspace: Workspace, tmp_path: Path) -> Path:
    """A table of one blob per customer: days, then measures, as they lie in memory."""
    file = tmp_path / "floor.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE blobs (customer_id TEXT PRIMARY KEY, day BLOB, measures BLOB)")
        for history in open_store(sample_workspace).histories():
            measures = history.visits.values.astype(np.int64).T
            row = (history.customer_id, history.day.tobytes(), measures.tobytes())
            connection.execute("INSERT INTO blobs VALUES (?, ?, ?)", row)
    return file


def bench_one_customer_online(sample_workspace: Workspace, floor: Path) -> None:
    store, as_of = open_store(sample_workspace), Canonical.open(sample_workspace).clock_day
    customers = sorted(store.customers())[:CUSTOMERS]
    columns = [(n % len(MEASURE_NAMES), WINDOWS[n % len(WINDOWS)]) for n in range(len(catalogue.NAMES))]

    def ours(customer: str) -> object:
        history = store.get(customer)
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
        read_time = microseconds(store.get, customers)
    print(
        f"\none customer online: {our_time:.0f} us for {len(catalogue.NAMES)} features "
        f"({read_time:.0f} us of it to read), floor {floor_time:.0f} us, ratio {our_time / floor_time:.2f}"
    )
