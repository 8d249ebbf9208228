from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import UserError
from features.json_file import read_json
from serving.catalogue import actions
from serving.outcomes import retention
from serving.outcomes.store import OutcomeStore
from serving.publishing import MANIFEST
from serving.records import batches as batch_records
from tests.serving.recorded import outcome, record, store
from tests.serving.records.test_batches import batch

CATALOGUE = actions.load(actions.PACKAGED)


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")


@pytest.fixture
def opened(tmp_path: Path) -> OutcomeStore:
    return store(tmp_path)


def test_old_decisions_go_with_their_outcomes(opened: OutcomeStore) -> None:
    opened.records.add([record(n, decided_at=ago(days)) for n, days in enumerate((500, 500, 401, 399))])
    opened.add([outcome(0, recorded_at=ago(499)), outcome(1, recorded_at=ago(499))])
    # An outcome of late keeps its decision, and what came of it before.
    opened.add([outcome(1, action_id="wash", recorded_at=ago(1)), outcome(3, recorded_at=ago(398))])
    opened.add(
        [outcome(7, customer_id=None, recorded_at=ago(450)), outcome(8, customer_id=None, recorded_at=ago(2))]
    )
    done = retention.prune(opened, CATALOGUE, 400)
    assert (done.decisions, done.outcomes, done.batches) == (2, 2, 0)
    assert [r.decision_id for r in opened.records.read()] == [record(1).decision_id, record(3).decision_id]
    came = opened.of_decisions([outcome(n).decision_id for n in range(9)])
    assert {int(name, 16): len(found) for name, found in came.items()} == {1: 2, 3: 1, 8: 1}
    assert retention.prune(opened, CATALOGUE, 400).decisions == 0


def test_old_batches_go_unless_outcomes_have_come_since(opened: OutcomeStore, tmp_path: Path) -> None:
    old = batch(opened.workspace, tmp_path / "out", [record(1), record(2)])
    needed = batch(opened.workspace, tmp_path / "out", [record(3), record(4)])
    new = batch(opened.workspace, tmp_path / "out", [record(5)])
    then = time.time() - 500 * 86_400
    for file in (old, needed):
        os.utime(file, (then, then))
    opened.add(
        [outcome(1, recorded_at=ago(450)), outcome(3, recorded_at=ago(450)), outcome(4, recorded_at=ago(3))]
    )
    assert retention.prune(opened, CATALOGUE, 400).batches == 1
    assert sorted(batch_records.files(opened.workspace)) == sorted([needed, new])
    # The outcome of the decision that went is gone, too; the others' stay.
    came = opened.of_decisions([outcome(n).decision_id for n in (1, 3, 4)])
    assert sorted(int(name, 16) for name in came) == [3, 4]


def test_what_limits_and_effects_still_need_is_not_removed(opened: OutcomeStore) -> None:
    days, need = retention.look_back(CATALOGUE)
    assert days >= max(action.horizon_days for action in CATALOGUE.actions)
    with pytest.raises(UserError, match=f"{need} looks back {days} days. Give {days} or more"):
        retention.prune(opened, CATALOGUE, days - 1)
    assert retention.prune(opened, CATALOGUE, days).decisions == 0


def test_an_export_has_every_decision_with_its_outcomes(opened: OutcomeStore, tmp_path: Path) -> None:
    opened.records.add([record(1), record(2)])
    batch(opened.workspace, tmp_path / "out", [record(3, endpoint="batch")])
    batch(opened.workspace, tmp_path / "out", [record(3, endpoint="batch"), record(4)], "2018-01-02")
    opened.add([outcome(1, value_cents=5), outcome(1, kind=1), outcome(3), outcome(9, customer_id=None)])
    done = retention.export(opened, tmp_path / "given")
    assert (done.decisions, done.outcomes, done.unmatched) == (4, 3, 1)
    rows = pq.read_table(tmp_path / "given" / "decisions.parquet").to_pylist()
    assert [int(row["decision_id"], 16) for row in rows[:2]] == [1, 2]
    assert sorted(int(row["decision_id"], 16) for row in rows) == [1, 2, 3, 4]
    first = rows[0]
    assert [(o["kind"], o["value_cents"]) for o in first["outcomes"]] == [("shown", 5), ("accepted", None)]
    assert first["considered"][0]["propensity"] == 0.25
    assert first["considered"][1]["dropped"] == "not_eligible"
    assert dict(first["arms"]) == {"greeting": "b"}
    assert str(first["as_of"]) == "2018-01-01"
    (alone,) = pq.read_table(tmp_path / "given" / "unmatched.parquet").to_pylist()
    assert int(alone["decision_id"], 16) == 9
    assert read_json(tmp_path / "given" / MANIFEST)["decisions"] == 4
    assert retention.export(opened, tmp_path / "given", since="2019-01-01").decisions == 0


def test_an_export_replaces_no_other_folder(opened: OutcomeStore, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(UserError, match="was not made by this command"):
        retention.export(opened, tmp_path / "mine")
