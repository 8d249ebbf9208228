"""Writing a world: the same bytes in any blocks, nothing of the truth, nothing to be learned from ids."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import xgboost
from filelock import FileLock
from sklearn.metrics import roc_auc_score

from experiments.simulator import source_files
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import UNFINISHED, Written, write
from features import raw, session
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.tables import TABLES
from features.workspace import Workspace

BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
# An area under the curve of pure chance stays within so many of its standard errors.
ERRORS = 4


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_neither_blocks_nor_processes_show_in_the_files(tmp_path: Path) -> None:
    config = preset("telecom")
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


def numbers(ids: list[str]) -> np.ndarray:
    """The digits of ids, and the number that they make: float64[n, 8]."""
    digits = np.array([[BASE32.index(sign) for sign in one[1:]] for one in ids], dtype=np.float64)
    return np.column_stack([digits, digits @ 32.0 ** np.arange(6, -1, -1)])


def learned(inputs: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Area under the curve on rows that a booster has not seen, and the standard error of chance."""
    seen = np.arange(len(label)) % 2 == 0
    model = xgboost.XGBClassifier(n_estimators=80, max_depth=4, n_jobs=1, random_state=0)
    model.fit(inputs[seen], label[seen])
    rest = label[~seen]
    area = roc_auc_score(rest, model.predict_proba(inputs[~seen])[:, 1])
    return area, np.sqrt((1 / rest.sum() + 1 / (~rest).sum()) / 12)


@pytest.fixture(scope="module")
def ids(written: Written) -> list[tuple[Any, ...]]:
    """Place, id, person, whether gone, and the numbers of the first row and basket, of each reference."""
    customers, truth = written.folder / "customers.parquet", written.truth
    with duckdb.connect() as opened:
        return opened.execute(f"""
            WITH lines AS (
                SELECT customer_id, arg_min(event_id, (occurred_at, event_id)) AS event_id,
                       arg_min(basket_id, (occurred_at, event_id)) AS basket_id
                FROM '{written.folder}/transactions.parquet' GROUP BY customer_id),
            ends AS (
                SELECT person, arg_max(stage, from_day) = 'gone' AS gone
                FROM '{truth}/stages.parquet' GROUP BY person)
            SELECT c.file_row_number, customer_id, person, gone, event_id, basket_id
            FROM read_parquet('{customers}', file_row_number = true) AS c
            JOIN '{truth}/references.parquet' USING (customer_id) JOIN ends USING (person)
            LEFT JOIN lines USING (customer_id) ORDER BY c.file_row_number""").fetchall()


def test_who_has_left_cannot_be_learned_from_ids_and_the_order_of_rows(ids: list[tuple[Any, ...]]) -> None:
    place, texts, person, gone, event, basket = map(list, zip(*ids, strict=True))
    assert texts == sorted(texts)
    label, once = np.array(gone), np.unique(person, return_index=True)[1]
    inputs = np.column_stack([place, numbers(texts)])[once]
    area, error = learned(inputs, label[once])
    assert abs(area - 0.5) < ERRORS * error
    # Of those who bought: the numbers of a row and a basket, too, whole and their last digits.
    rows = np.array([row for row in once if event[row] is not None])
    more = np.array([[event[row], basket[row], event[row] % 97, basket[row] % 97] for row in rows])
    area, error = learned(np.column_stack([numbers(texts)[rows], more]), label[rows])
    assert abs(area - 0.5) < ERRORS * error


def pairs(ids: list[tuple[Any, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of rows of one person, as many of two, and which they are."""
    person = np.array([row[2] for row in ids])
    order = np.argsort(person, kind="stable")
    same = np.flatnonzero(person[order][1:] == person[order][:-1])
    chance = np.random.default_rng(0)
    left = np.concatenate([order[same], chance.integers(0, len(ids), len(same))])
    right = np.concatenate([order[same + 1], chance.integers(0, len(ids), len(same))])
    # Of one person the earlier row would always stand on the left.
    turned = chance.random(len(left)) < 0.5
    left, right = np.where(turned, right, left), np.where(turned, left, right)
    mixed = chance.permutation(len(left))
    return left[mixed], right[mixed], (person[left] == person[right])[mixed]


def alike(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How far numbers are apart, and in which parts they are equal."""
    whole_left, whole_right = left[:, -1].astype(np.int64), right[:, -1].astype(np.int64)
    return np.column_stack([left - right, left == right, whole_left ^ whole_right])


def test_who_is_one_person_cannot_be_learned_from_ids_and_the_order_of_rows(
    ids: list[tuple[Any, ...]],
) -> None:
    left, right, same = pairs(ids)
    place, known = np.array([[row[0]] for row in ids], dtype=np.float64), numbers([row[1] for row in ids])
    every = np.column_stack([place, known])
    area, error = learned(alike(every[left], every[right]), same)
    assert abs(area - 0.5) < ERRORS * error


def test_the_same_booster_finds_it_in_ids_that_do_tell(ids: list[tuple[Any, ...]]) -> None:
    left, right, same = pairs(ids)
    telling = np.array([[row[2] * 32.0 + row[0] % 7] for row in ids])
    area, _ = learned(alike(telling[left], telling[right]), same)
    assert area > 0.95
