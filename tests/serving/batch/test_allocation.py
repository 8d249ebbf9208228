from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from features.json_file import read_json
from features.workspace import Workspace
from serving.answering import answers, deciding
from serving.answering.engine import Engine
from serving.batch import allocation, parity
from serving.batch import nightly as batch
from serving.catalogue import actions
from serving.catalogue.actions import Catalogue
from serving.contacts.standing import Standing
from serving.decisions.capacity import Bars
from serving.decisions.decided import Decisions
from serving.messages import schemas
from tests.serving.decision_catalogue import AS_OF, catalogue, decide


def shared(given: Catalogue, read: dict[str, Any], places: tuple[str, ...] = ("till",)) -> Bars:
    """The bars of a base, at some places."""
    asked = [allocation.Asked.of(decide(given, place, read), AS_OF) for place in places]
    room = allocation.remaining([each.offers for each in asked], Standing.empty(0))
    return Bars(given.version, AS_OF, places, allocation.bars(asked, room))


def listed(decided: Decisions, action: str) -> list[int]:
    """Who is proposed an action, first or not."""
    return [
        row for row in range(len(decided.customers)) for one in decided.ranked(row) if one.action.id == action
    ]


def entry(name: str, contacts: int | None, value: str = "spend_28", **more: Any) -> dict[str, Any]:
    limit = {} if contacts is None else {"capacity": {"contacts": contacts, "days": 7}}
    return {"id": name, "value_cents": value, "propensity": "1", **limit, **more}


def test_those_with_the_highest_scores_get_it_and_the_others_their_next_best(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path, entry("call", 10), entry("letter", 15, "spend_28 / 2"), entry("word", None, "9")
    )
    read = {"spend_28": np.random.default_rng(4).permutation(np.arange(100.0, 200.0))}
    found = decide(given, "till", read, bars=shared(given, read))
    best = np.argsort(-read["spend_28"]).tolist()
    assert sorted(listed(found, "call")) == sorted(best[:10])
    # Half of the call's value: the next fifteen, for the first ten already have something better.
    assert sorted(listed(found, "letter")) == sorted(best[10:25])
    assert sorted(row for row in range(100) if found.ranked(row)[0].action.id == "word") == sorted(best[25:])


@pytest.mark.parametrize("explored", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_no_action_is_ever_proposed_more_often_than_there_is_room_for(
    tmp_path: Path, seed: int, explored: float
) -> None:
    random = np.random.default_rng(seed)
    names = ("spend_28", "spend_91", "spend_182", "spend_56")
    room = random.integers(0, 120, 4).tolist()
    given = catalogue(
        tmp_path,
        *(entry(f"a{i}", room[i], name, control_share=0.2) for i, name in enumerate(names)),
        entry("unbound", None, "30"),
        exploration={"share": explored},
        control={"share": 0.1},
    )
    # Few different values, so that many score the same.
    read = {name: random.integers(0, 12, 600) * 10.0 for name in names}
    bars = shared(given, read)
    bare, found = decide(given, "till", read), decide(given, "till", read, bars=bars)
    for index, limit in enumerate(room):
        rows = listed(found, f"a{index}")
        assert len(rows) <= limit
        if f"a{index}" in bars.actions:
            assert all(found.ranked(row)[0].action.id == f"a{index}" for row in rows)
            wanting = {
                row for row in listed(bare, f"a{index}") if bare.ranked(row)[0].action.id == f"a{index}"
            }
            # All of it is handed out when enough would have had it first.
            assert explored or len(wanting) < limit or len(rows) == limit
        for row in range(600):
            held = found.controls_of(row)
            assert not (row in rows and ("holdout" in held or f"a{index}" in held))
    assert bars == shared(given, read)


def test_a_proposal_at_each_of_two_places_counts_twice(tmp_path: Path) -> None:
    given = catalogue(tmp_path, entry("call", 6, places=["till", "phone"], channels=["cashier", "sms"]))
    read = {"spend_28": np.arange(100.0, 110.0)}
    bars = shared(given, read, ("till", "phone"))
    rows = Counter(len(listed(decide(given, place, read, bars=bars), "call")) for place in bars.places)
    assert sum(number * times for number, times in rows.items()) == 6


def test_enough_for_all_needs_no_bar_and_none_at_all_serves_nobody(tmp_path: Path) -> None:
    read = {"spend_28": np.arange(100.0, 110.0)}
    enough = catalogue(tmp_path, entry("call", 10))
    assert shared(enough, read).actions == {}
    asked = [allocation.Asked.of(decide(enough, "till", read), AS_OF)]
    bars = Bars(enough.version, AS_OF, ("till",), allocation.bars(asked, {"call": 0}))
    assert listed(decide(enough, "till", read, bars=bars), "call") == []


def test_the_service_applies_the_bars_of_the_batch(slice_copy: Workspace) -> None:
    content = yaml.safe_load(actions.PACKAGED.read_text(encoding="utf-8"))
    limits = {"extra_visit": 7, "bigger_basket": 5, "come_back": 3, "partner_car_wash": 1}
    for one in content["actions"]:
        if one["id"] in limits:
            one["capacity"] = {"contacts": limits[one["id"]], "days": 1}
    (slice_copy.root / actions.OWN).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    batch.score(slice_copy, places=["campaign", "app"])
    manifest = read_json(slice_copy.scores / "manifest.json")
    assert {"extra_visit", "bigger_basket"} <= manifest["capacity"].keys()
    rows = pq.read_table(slice_copy.scores / "actions.parquet").to_pylist()
    proposed = Counter(row["action_id"] for row in rows)
    assert all(proposed[name] <= limit for name, limit in limits.items())
    assert proposed["extra_visit"] == 7

    engine = Engine.open(slice_copy)
    asked = {
        "/v1/next-best-action": (schemas.DecisionRequest, lambda one: answers.decide(engine, one, None)),
        "/v1/recommend": (schemas.RecommendRequest, lambda one: answers.recommend(engine, one, None)),
        "/v1/score": (schemas.ScoreRequest, lambda one: answers.score(engine, one)),
    }

    def ask(path: str, body: Any) -> Any:
        model, answer = asked[path]
        return answer(model.model_validate(body)).model_dump()

    found = parity.compare(slice_copy.scores, ask)
    assert found.differences == []
    assert found.compared["action extra_visit"] == 7

    # Another day is another matter, and the answer says so.
    customer = next(row["customer_id"] for row in rows if row["action_id"] == "none")
    before = deciding.decide(engine, engine.subject(customer, engine.clock_day - 1), "campaign", live=False)
    assert any(sentence.startswith("capacity: the last batch shared out") for sentence in before.missing)
