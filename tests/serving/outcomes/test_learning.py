"""The closed loop of the response model: campaign history first, then what came of own contacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import cli
from features.canonical import Canonical
from features.clock import to_date
from features.evaluators import offline
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.messages.outcomes import OutcomesRequest
from serving.outcomes import intake, learning
from serving.outcomes.store import OutcomeStore
from serving.records.record import Record
from serving.records.store import VARIABLE, RecordStore
from tests.serving.recorded import outcome, record
from tests.training.campaigns.world import BEGIN, CUSTOMERS, DAYS, make
from tests.training.conftest import TINY
from training import task
from training.registry import registry
from training.response import Response

LABELS = "[labels.response]\nown_days = 14\nown_contacts = 800\nown_answers = 60\n"
OBSERVED = 0.7


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The small world of campaigns, ingested; few own contacts are enough."""
    monkeypatch.setattr(task, "QUICK", replace(TINY, trials=1))
    made = make(tmp_path, seed=3).workspace
    with (tmp_path / "source" / "source.toml").open("a", encoding="utf-8") as file:
        file.write(LABELS)
    ingest(made, str(tmp_path / "source"))
    return made


def decided(first: int, last: int) -> Iterator[Record]:
    """Twelve customers a day, drawn at random, are proposed a coupon."""
    rng = np.random.default_rng(first)
    for day in range(first, last):
        for place in rng.choice(CUSTOMERS, 12, replace=False):
            proposed = [{"action_id": "coupon", "channel": "sms", "expected_value_cents": 5}]
            yield record(
                day * 1000 + int(place),
                customer_id=f"c{place:03d}",
                as_of=str(to_date(day)),
                answer=proposed,
                considered=[],
            )


def lived(space: Workspace, first: int, last: int) -> int:
    """Decisions recorded, and what came of them posted; how many were answered."""
    rng, canonical, answers = np.random.default_rng(last), Canonical.open(space), 0
    with closing(RecordStore.of(space)) as records:
        made = list(decided(first, last))
        records.add(made)
        posted: list[dict[str, Any]] = []
        for one in made:
            at = datetime.fromisoformat(one.as_of).replace(hour=9, tzinfo=UTC)
            posted.append({"kind": "shown", "decision_id": one.decision_id, "at": at.isoformat()})
            if rng.random() < OBSERVED:
                later = at + timedelta(days=float(rng.uniform(0, 9)))
                posted.append({"kind": "redeemed", "decision_id": one.decision_id, "at": later.isoformat()})
                answers += 1
        for start in range(0, len(posted), 1000):
            asked = intake.parsed(json.dumps(posted[start : start + 1000]).encode())
            assert isinstance(asked, OutcomesRequest)
            taken = intake.take(asked, OutcomeStore(records, space), None, canonical)
            assert taken.accepted == len(taken.outcomes)
    return answers


def call(space: Workspace, capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    assert cli.run(["--workspace", str(space.root), *command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def mean(space: Workspace) -> float:
    """The champion's chance of an answer, mean over everybody."""
    version = registry.champion_version(space, "response")
    assert version is not None
    everybody = offline.compute(Canonical.open(space), [BEGIN + DAYS])
    return float(Response().predict(registry.load(space, version[1]), everybody)["probability"].mean())


def test_own_records_take_the_place_of_campaign_history(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = call(space, capsys, "train", "response", "--quick")["trained"][0]
    assert trained["learned_from"] == "learned from campaign history: there are no own records."
    assert call(space, capsys, "promote", "response")[0]["promoted"]
    before = mean(space)
    assert before < 0.5

    lived(space, BEGIN + 100, BEGIN + 130)
    trained = call(space, capsys, "train", "response", "--quick")["trained"][0]
    assert trained["learned_from"] == (
        "learned from campaign history: own records have 360 contacts that are over, where 800 are enough."
    )
    assert not trained["registered"]

    lived(space, BEGIN + 130, BEGIN + 320)
    assert cli.run(["--workspace", str(space.root), "train", "response", "--quick"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    found = "learned from own records: 2,604 contacts decided as of 2017-04-11 to 2017-11-13"
    assert f"response: {found}" in said
    verdict = call(space, capsys, "promote", "response")[0]
    assert verdict["promoted"], verdict["sentence"]
    after = mean(space)
    assert abs(after - OBSERVED) < 0.1 < OBSERVED - before
    card = next(space.reports.glob(f"*{verdict['run_id'][:8]}-model_card.md")).read_text(encoding="utf-8")
    assert found.replace("learned from ", "learned from: ") in card
    assert "own_contacts" in card
    # The same records give the same model, and those of then are asked for.
    again = call(space, capsys, "train", "--reproduce", verdict["run_id"])
    assert again["same_model"]


def test_contacts_are_written_when_they_were_reported_as_shown(
    opened: OutcomeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert learning.collect(Workspace(tmp_path / "none")) == 0
    opened.records.add([record(1), record(2), record(3)])
    opened.add([outcome(1), outcome(1, kind=1, day=17533, known_day=17535), outcome(2, kind=4)])
    assert learning.collect(opened.workspace) == 1
    kept = pq.read_table(opened.workspace.own_contacts).to_pylist()
    assert kept == [
        {
            "customer_id": "c1",
            "action": "welcome",
            "as_of": 17532,
            "shown_day": 17532,
            "shown_known_day": 17532,
            "answer_day": 17533,
            "answer_known_day": 17535,
            "selection_probability": 0.97,
        }
    ]
    assert list(opened.workspace.own_contacts.parent.glob(".contacts*")) == []
    opened.workspace.decisions.unlink(missing_ok=True)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert learning.collect(opened.workspace) == 0
    assert not opened.workspace.own_contacts.exists()
