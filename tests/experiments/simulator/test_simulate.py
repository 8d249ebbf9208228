"""Writing a world: the same bytes in any blocks, and nothing of the truth where a command reads."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from experiments.simulator import source_files
from experiments.simulator.preset_file import preset, presets
from experiments.simulator.simulate import UNFINISHED, Written, write
from features import raw, session
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.tables import TABLES
from features.workspace import Workspace


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", presets())
def test_neither_blocks_nor_processes_show_in_the_files(name: str, tmp_path: Path) -> None:
    config = preset(name)
    few, many = tmp_path / "few", tmp_path / "many"
    one = write(config, few, customers=4000, days=6, seed=5, jobs=1, block=1000)
    told: list[int] = []
    two = write(config, many, customers=4000, days=6, seed=5, jobs=2, block=3000, done=told.append)
    assert (one.rows, one.totals, one.truth_rows) == (two.rows, two.totals, two.truth_rows)
    assert told == [3000, 1000]
    assert content(few) == content(many)
    assert set(content(few)) == {
        *(f"{name}.parquet" for name in one.rows),
        *(f"truth/{name}.parquet" for name in one.truth_rows),
        "source.toml",
        "truth/world.json",
    }


def test_a_short_last_block_shows_in_no_bit(tmp_path: Path) -> None:
    """In it a day often has one contact alone, whose propensity has to be what it is among others."""
    config = preset("fuel")
    for block in (1000, 2000):
        write(config, tmp_path / str(block), customers=1100, days=40, seed=0, jobs=1, block=block)
    assert content(tmp_path / "1000") == content(tmp_path / "2000")


def test_another_seed_is_another_world(tmp_path: Path, written: Written) -> None:
    other = write(preset("fuel"), tmp_path / "other", customers=300, days=1, seed=4)
    mine, theirs = (
        pq.read_table(one.folder / "customers.parquet", columns=["customer_id"]) for one in (written, other)
    )
    assert set(mine.column(0).to_pylist()).isdisjoint(theirs.column(0).to_pylist())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"customers": 0}, "customers are 0"),
        ({"customers": 10, "days": 0}, "days are 0"),
        ({"customers": 10, "days": 3651}, r"days are 3651: there can be from 1 to 3,650\."),
        ({"customers": 10, "block": 1500}, "block is 1500"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        write(preset("fuel"), tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(source_files, "finish", full)
    with pytest.raises(UserError, match="no room for this world"):
        write(preset("fuel"), tmp_path / "out", customers=10, days=1)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_one_stands_in_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="the command runs in"):
        write(preset("fuel"), Path(), customers=10, days=1)


def test_a_link_to_an_empty_folder_still_leads_to_the_world(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to("there")
    written = write(preset("fuel"), tmp_path / "out", customers=10, days=1)
    assert (tmp_path / "out").is_symlink()
    assert written.folder == (tmp_path / "there").resolve()
    assert (tmp_path / "out" / "customers.parquet").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="no empty folder"):
        write(preset("fuel"), tmp_path, customers=10, days=1)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_world_that_failed_half_way_is_not_there(tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(preset("fuel"), tmp_path / "out", customers=10, days=1, done=fail)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_job_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    left, working = (tmp_path / f".out-{name}{UNFINISHED}" for name in ("abcd1234", "wxyz5678"))
    others = [tmp_path / f".out-2-abcd1234{UNFINISHED}", tmp_path / ".out-settings", tmp_path / "mine"]
    for folder in (left, working, *others):
        (folder / "parts").mkdir(parents=True)
    with FileLock(working / ".lock"):
        write(preset("fuel"), tmp_path / "out", customers=10, days=1)
    assert set(tmp_path.iterdir()) == {tmp_path / "out", working, *others}


def test_workers_end_with_a_job_that_fails(tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(preset("fuel"), tmp_path / "out", customers=4000, days=3, jobs=2, block=1000, done=fail)
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []


def test_files_have_the_columns_of_the_contract_and_nothing_else(written: Written) -> None:
    for name in written.rows:
        stored = pq.ParquetFile(written.folder / f"{name}.parquet")
        assert set(stored.schema_arrow.names) <= set(TABLES[name].names)
        assert not stored.metadata.metadata


def test_ingest_reads_no_file_of_the_truth(written: Written) -> None:
    with session.connect() as opened:
        found, warnings = raw.find(opened, written.folder)
    files = {part.label for table in found for part in table.parts}
    assert files == {f"{name}.parquet" for name in written.rows}
    assert warnings == []


def test_the_truth_is_no_source(written: Written, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    with workspace.lock("ingest"), pytest.raises(UserError, match="no transactions"):
        ingest(workspace, str(written.truth))
