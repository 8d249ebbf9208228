"""Decisions, stores and outcomes for the tests of records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from features.workspace import Workspace
from serving.contacts.standing import SHOWN
from serving.outcomes.store import UNSTATED, Outcome, OutcomeStore
from serving.records.record import Record
from serving.records.store import RecordStore


def record(number: int, **changes: Any) -> Record:
    made = Record(
        decision_id=f"{number:032x}",
        endpoint="next-best-action",
        request_id=None,
        customer_id=f"c{number % 10}",
        as_of="2018-01-01",
        place="till",
        decided_at=f"2018-01-01T00:00:00.{number % 1000:03d}+00:00",
        models={"churn": "3"},
        catalogue_version="abc",
        answer=[
            {"action_id": "welcome", "channel": "sms", "expected_value_cents": number},
            {"action_id": "wash", "channel": "app", "expected_value_cents": 1},
        ],
        considered=[
            {"action_id": "welcome", "channel": "sms", "propensity": 0.25, "expected_value_cents": number},
            {"action_id": "oil", "channel": "app", "dropped": "not_eligible"},
        ],
        features="f00d",
        arms={"greeting": "b"},
        controls=["control:oil"],
        selection_probability=0.97,
    )
    return replace(made, **changes)


def outcome(number: int, **changes: Any) -> Outcome:
    made = Outcome(
        outcome_id=None,
        decision_id=f"{number:032x}",
        customer_id=f"c{number % 10}",
        action_id="welcome",
        channel="sms",
        kind=SHOWN,
        stated_at=UNSTATED,
        instant=1_514_764_800_000_000,
        day=17532,
        known_day=17532,
        value_cents=None,
        recorded_at="2018-01-01T00:00:01.000+00:00",
    )
    return replace(made, **changes)


def workspace(folder: Path) -> Workspace:
    return Workspace(folder / "workspace").create()


def store(folder: Path) -> OutcomeStore:
    space = workspace(folder)
    return OutcomeStore(RecordStore.of(space), space)
