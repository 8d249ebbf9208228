"""Parts become files: ordered, the same bytes whatever the parts, the threads and the memory were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.simulator import writing
from experiments.simulator.writing import Parts

ROWS = 300_000


def rows(count: int) -> pa.Table:
    """Rows in no order, with numbers that do not compress."""
    chance = np.random.default_rng(0)
    return pa.table(
        {"at": chance.permutation(count), **dict(zip("abcdef", chance.random((6, count)), strict=True))}
    )


@pytest.fixture(scope="module")
def many() -> pa.Table:
    return rows(ROWS)


def file_of(table: pa.Table, folder: Path, size: int, threads: int = 1) -> Path:
    """The file that parts of so many rows become."""
    parts = Parts(folder / "parts")
    for number, first in enumerate(range(0, len(table), size)):
        parts.add("things", f"{number:03d}", table.slice(first, size))
    file = folder / "things.parquet"
    with parts.sorter(threads) as opened:
        assert parts.finish(opened, "things", ("at",), file) == len(table)
    return file


def test_rows_stand_in_order_and_parts_go(tmp_path: Path) -> None:
    file = file_of(rows(1000), tmp_path, 300)
    assert pq.read_table(file).column("at").to_pylist() == list(range(1000))
    assert not list((tmp_path / "parts").rglob("*.parquet"))


def test_neither_parts_nor_threads_nor_memory_show(
    many: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = file_of(many, tmp_path / "whole", ROWS).read_bytes()
    assert file_of(many, tmp_path / "threads", 70_000, threads=2).read_bytes() == expected
    monkeypatch.setattr(writing, "MEMORY", "24MB")
    assert file_of(many, tmp_path / "spilled", 40_000, threads=2).read_bytes() == expected


def test_a_damaged_copy_follows_its_row(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts")
    parts.add("things", "a", pa.table({"at": [2, 1], "text": ["two", "one"]}))
    parts.add("things", "a", pa.table({"at": [1], "text": pa.array([None], pa.string())}), copy=1)
    with parts.sorter(1) as opened:
        parts.finish(opened, "things", ("at",), tmp_path / "things.parquet")
    found = pq.read_table(tmp_path / "things.parquet")
    assert found.to_pydict() == {"at": [1, 1, 2], "text": ["one", None, "two"]}


def test_a_file_carries_nothing_beside_its_rows(tmp_path: Path) -> None:
    stored = pq.ParquetFile(file_of(rows(10), tmp_path, 10))
    assert not stored.metadata.metadata
    assert stored.schema_arrow.names == ["at", *"abcdef"]


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts")
    parts.add("things", "a", rows(3).slice(0, 0))
    with parts.sorter(1) as opened:
        assert parts.finish(opened, "things", ("at",), tmp_path / "things.parquet") == 0
    assert not (tmp_path / "things.parquet").exists()
