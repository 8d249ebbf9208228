from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.json_file import read_json
from features.workspace import Workspace
from serving.answering import answers, deciding
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.decisions import considered
from serving.messages import schemas
from serving.records import batches as batch_records

PLACES = ("campaign", "till", "app")


@pytest.fixture(scope="module")
def out(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "out"
    batch.score(slice_workspace, out=folder, places=PLACES)
    return folder


def test_a_batchs_record_is_that_of_the_same_decision_online(out: Path, engine: Engine) -> None:
    written = [*batch_records.read(out / "decisions.parquet")]
    customers = pq.read_table(out / "scores.parquet")["customer_id"].to_pylist()
    assert len(written) == len(PLACES) * len(customers)
    rules = set()
    for record in written[::3]:
        subject = engine.subject(record.customer_id, engine.clock_day)
        decided = deciding.decide(engine, subject, record.place, live=False)
        told = considered.pairs(decided, 0)
        rules |= {pair.get("dropped") for pair in told}
        assert [dict(pair) for pair in record.considered] == [
            {
                name: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
                for name, value in own.items()
            }
            for own in told
        ]
        request = schemas.DecisionRequest(
            customer=schemas.Customer(customer_id=record.customer_id), as_of=record.as_of, place=record.place
        )
        online: list[object] = []
        answer = answers.decide(engine, request, online.append)
        (same,) = online
        for name in ("as_of", "place", "catalogue_version", "features", "arms", "selection_probability"):
            assert getattr(record, name) == getattr(same, name), name
        assert list(record.controls) == list(same.controls)
        assert [dict(one) for one in record.answer] == [dict(one) for one in same.answer]
        assert record.models == same.models
        assert len(answer.actions) == len(record.answer)
    assert {None, "not_eligible", "not_above_zero"} < rules
    assert rules & {"holdout", "control"}


def test_decisions_and_actions_name_each_other(out: Path) -> None:
    records = {record.decision_id: record for record in batch_records.read(out / "decisions.parquet")}
    rows = pq.read_table(out / "actions.parquet").to_pylist()
    assert {row["decision_id"] for row in rows} == records.keys()
    for row in rows:
        record = records[row["decision_id"]]
        assert (record.customer_id, record.place) == (row["customer_id"], row["place"])
        if row["action_id"] != "none":
            proposed = record.answer[row["rank"] - 1]
            assert [proposed[name] for name in ("action_id", "channel", "expected_value_cents")] == [
                row[name] for name in ("action_id", "channel", "expected_value_cents")
            ]
        else:
            assert record.answer == []


def test_a_batchs_decisions_are_kept_for_the_outcomes_to_come(out: Path, slice_workspace: Workspace) -> None:
    record = next(batch_records.read(out / "decisions.parquet"))
    assert batch_records.find(slice_workspace, [record.decision_id]) == {record.decision_id: record}
    assert json.dumps(read_json(out / "manifest.json")["effects"]) == "null"
