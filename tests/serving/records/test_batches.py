from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.workspace import Workspace
from serving.records import batches as batch_records
from serving.records.record import NAMES, Record
from tests.serving.recorded import record, workspace


def batch(space: Workspace, folder: Path, records: list[Record], as_of: str = "2018-01-01") -> Path:
    """A published file of decisions, kept."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(batch_records.table(records), file)
    return batch_records.keep(space, file, date.fromisoformat(as_of))


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return workspace(tmp_path)


def test_a_record_comes_back_as_it_was(space: Workspace, tmp_path: Path) -> None:
    given = [record(1, endpoint="batch"), record(2, answer=[], arms={}, selection_probability=None)]
    kept = batch(space, tmp_path / "out", given)
    assert [r.row() for r in batch_records.read(kept)] == [r.row() for r in given]
    assert batch_records.parquet_schema().names == list(NAMES)


def test_decisions_are_found_by_id_in_every_kept_file(space: Workspace, tmp_path: Path) -> None:
    assert batch_records.find(space, ["x"]) == {}
    batch(space, tmp_path / "out", [record(n) for n in range(50)])
    batch(space, tmp_path / "out", [record(n) for n in range(50, 90)], "2018-01-02")
    ids = [record(n).decision_id for n in (3, 70)]
    found = batch_records.find(space, [*ids, "unknown"])
    assert sorted(found) == ids
    assert found[ids[1]].row() == record(70).row()


def test_the_same_batch_again_takes_the_place_of_the_first(space: Workspace, tmp_path: Path) -> None:
    for _ in range(2):
        batch(space, tmp_path / "out", [record(n) for n in range(5)])
    assert len(batch_records.files(space)) == 1
    batch(space, tmp_path / "out", [record(n) for n in range(6)])
    assert len(batch_records.files(space)) == 2


def test_what_is_kept_outlives_what_was_published(space: Workspace, tmp_path: Path) -> None:
    kept = batch(space, tmp_path / "out", [record(1)])
    (tmp_path / "out" / "0.parquet").unlink()
    assert [r.decision_id for r in batch_records.read(kept)] == [record(1).decision_id]


def test_a_file_system_without_links_gets_a_copy(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    kept = batch(space, tmp_path / "out", [record(1)])
    assert [r.decision_id for r in batch_records.read(kept)] == [record(1).decision_id]
    assert sorted(file.suffix for file in kept.parent.iterdir()) == [".ids", ".parquet"]


def test_a_span_of_time_is_cut_out(space: Workspace, tmp_path: Path) -> None:
    days = [record(n, decided_at=f"2018-01-0{n}T05:00:00.000+00:00") for n in range(1, 5)]
    kept = batch(space, tmp_path / "out", days)
    found = batch_records.read(kept, "2018-01-02", "2018-01-04")
    assert [r.decision_id for r in found] == [days[1].decision_id, days[2].decision_id]


def test_a_file_that_is_kept_no_longer_leaves_nothing(space: Workspace, tmp_path: Path) -> None:
    kept = batch(space, tmp_path / "out", [record(1)])
    batch_records.remove(kept)
    assert list(kept.parent.iterdir()) == []
    assert batch_records.find(space, [record(1).decision_id]) == {}


def test_a_batch_without_customers_has_no_decision(space: Workspace, tmp_path: Path) -> None:
    batch(space, tmp_path / "out", [])
    assert batch_records.find(space, [record(1).decision_id]) == {}
