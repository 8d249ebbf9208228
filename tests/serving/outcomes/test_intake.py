from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features import clock
from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.contacts.history import ContactHistory
from serving.contacts.standing import COMPLAINED, REFUSED, SHOWN
from serving.messages.outcomes import OutcomesAnswer, OutcomesRequest
from serving.messages.problems import ProblemError
from serving.outcomes import intake as outcomes
from serving.outcomes.store import OutcomeStore
from serving.records.writer import Records
from tests.features import posting
from tests.serving.recorded import record, store

D1 = record(1).decision_id


def tables(folder: Path, clock_of: str) -> Canonical:
    source = posting.write_source(folder / f"source-{clock_of}", posting.stream(1, 20))
    with (source / "source.toml").open("a") as file:
        file.write(f'clock = "{clock_of}"\n')
    workspace = Workspace(folder / f"tables-{clock_of}").create()
    ingest(workspace, str(source))
    return Canonical.open(workspace)


@pytest.fixture
def opened(tmp_path: Path) -> OutcomeStore:
    return store(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Canonical:
    """Tables whose clock is that of their data."""
    return tables(tmp_path, "last_event")


def take(
    opened: OutcomeStore, canonical: Canonical, *given: dict[str, Any], **options: Any
) -> OutcomesAnswer:
    asked = outcomes.parsed(json.dumps([{"kind": "shown", **each} for each in given]).encode())
    assert isinstance(asked, OutcomesRequest)
    return outcomes.take(asked, opened, options.get("records"), canonical)


def statuses(answer: OutcomesAnswer) -> list[str]:
    assert answer.accepted + answer.repeated + answer.unmatched == len(answer.outcomes)
    return [each.status for each in answer.outcomes]


def test_an_outcome_is_of_something_that_was_proposed(opened: OutcomeStore, data: Canonical) -> None:
    opened.records.add([record(1)])
    told = {"decision_id": D1, "action_id": "oil"}
    with pytest.raises(ProblemError, match="the decision proposed welcome, wash, not 'oil'"):
        take(opened, data, {"decision_id": D1}, told)
    assert opened.of_decisions([D1]) == {}
    # Nobody can say so before the decision has been written.
    assert statuses(take(opened, data, {**told, "decision_id": "later"})) == ["unmatched"]


def test_of_a_decision_that_proposed_nothing_only_a_complaint_can_be_told(
    opened: OutcomeStore, data: Canonical
) -> None:
    opened.records.add([dataclasses.replace(record(1), answer=[])])
    with pytest.raises(
        ProblemError, match=r"^0\.kind: the decision proposed nothing, which cannot have been shown"
    ):
        take(opened, data, {"decision_id": D1})
    assert statuses(take(opened, data, {"decision_id": D1, "kind": "complained"})) == ["accepted"]


def test_an_outcome_is_of_the_first_action_on_the_decisions_day(
    opened: OutcomeStore, data: Canonical
) -> None:
    opened.records.add([record(1)])
    answer = take(opened, data, {"decision_id": D1})
    assert statuses(answer) == ["accepted"]
    assert (answer.outcomes[0].customer_id, answer.outcomes[0].action_id) == ("c1", "welcome")
    (kept,) = opened.of_decisions([D1])[D1]
    assert (kept.channel, kept.kind, kept.day, kept.known_day) == ("sms", SHOWN, 17532, 17532)
    assert clock.from_microseconds(kept.instant).isoformat() == "2018-01-01T05:00:00+00:00"
    assert statuses(take(opened, data, {"decision_id": D1})) == ["repeated"]


def test_what_is_stated_stands(opened: OutcomeStore, data: Canonical) -> None:
    opened.records.add([record(1)])
    given = {
        "decision_id": D1,
        "kind": "redeemed",
        "action_id": "wash",
        "at": "2018-01-03T23:30:00-05:00",
        "value_cents": 900,
        "outcome_id": "mine",
    }
    # Another of the same instant has an id of its own.
    more = {**given, "at": None}, {**given, "outcome_id": "other", "value_cents": 1}
    assert statuses(take(opened, data, given, *more)) == ["accepted", "repeated", "accepted"]
    kept, _ = opened.of_decisions([D1])[D1]
    assert (kept.action_id, kept.channel, kept.value_cents, kept.outcome_id) == ("wash", "app", 900, "mine")
    # The local day, not the UTC one.
    assert str(clock.to_date(kept.day)) == "2018-01-03"


def test_by_a_wall_clock_a_late_outcome_is_known_from_today(opened: OutcomeStore, tmp_path: Path) -> None:
    wall = tables(tmp_path, "wall")
    opened.records.add([record(1)])
    take(
        opened,
        wall,
        {"decision_id": D1, "at": "2018-01-03T12:00:00Z"},
        {"decision_id": D1, "kind": "accepted"},
    )
    today = wall.clock_day
    late, now = opened.of_decisions([D1])[D1]
    assert (str(clock.to_date(late.day)), late.known_day) == ("2018-01-03", today)
    assert (now.day, now.known_day) == (today, today)


def test_decisions_that_wait_to_be_written_are_known(opened: OutcomeStore, data: Canonical) -> None:
    records = Records(opened.records, opened.workspace, interval=60, written=opened.join)
    records.add(record(1))
    answer = take(opened, data, {"decision_id": D1}, {"decision_id": "unknown"}, records=records)
    assert statuses(answer) == ["accepted", "unmatched"]
    shown = outcomes.show(D1, opened, records)
    assert shown is not None
    assert [each.kind for each in shown.outcomes] == ["shown"]
    records.close()


def test_an_outcome_of_another_workers_decision_is_joined_when_that_is_written(
    opened: OutcomeStore, data: Canonical
) -> None:
    assert statuses(take(opened, data, {"decision_id": D1, "kind": "complained"})) == ["unmatched"]
    other = OutcomeStore.of(opened.workspace)
    records = Records(other.records, opened.workspace, interval=0.01, written=other.join)
    records.add(record(1))
    records.close()
    assert [t.kind for t in opened.touches(["c1"], None)] == [SHOWN, COMPLAINED]
    assert statuses(take(opened, data, {"decision_id": D1, "kind": "complained"})) == ["repeated"]


def test_contact_history_reacts_at_once_in_every_worker(opened: OutcomeStore, data: Canonical) -> None:
    opened.records.add([record(1)])
    histories = [
        ContactHistory.of(data, ("welcome",), {"sms": []}, own=own)
        for own in (opened, OutcomeStore.of(opened.workspace))
    ]
    assert [len(h.standing(["c1"], 17532, live=True).row) for h in histories] == [0, 0]
    take(opened, data, {"decision_id": D1, "kind": "refused"}, {"decision_id": D1, "kind": "complained"})
    for history in histories:
        found = history.standing(["c1"], 17532, live=True)
        assert found.kind.tolist() == [SHOWN, REFUSED, COMPLAINED]
        assert found.complaint_age.tolist() == [0]
        assert len(history.standing(["c1"], 17532, live=False).row) == 0
        assert len(history.standing(["c1"], 17533, live=False).row) == 3


@pytest.mark.parametrize(
    ("body", "sentence", "field"),
    [
        (b"{", "not valid JSON", None),
        (b"[]", "The list has 0 outcomes", None),
        (b"[1]", "has to be a JSON object", "0"),
        (b'{"decision_id": "d"}', "kind is missing", "kind"),
        (b'{"decision_id": "d", "kind": "eaten"}', "kind: ", "kind"),
        (b'{"decision_id": "d", "kind": "shown", "colour": 1}', "colour", "colour"),
        (b'[{"decision_id": "d", "kind": "shown", "value_cents": -1}]', "value_cents", "0.value_cents"),
        (b'{"decision_id": "d", "kind": "shown", "value_cents": NaN}', "not valid JSON", None),
        (b'{"decision_id": "", "kind": "shown"}', "decision_id", "decision_id"),
    ],
)
def test_a_body_that_is_none_is_refused_in_a_sentence(body: bytes, sentence: str, field: str | None) -> None:
    problem = outcomes.parsed(body)
    assert isinstance(problem, ProblemError)
    assert (problem.status, problem.field) == (400, field)
    assert sentence in str(problem)


def test_an_instant_needs_an_offset_and_is_not_to_come(opened: OutcomeStore, data: Canonical) -> None:
    for at in ("2018-01-03T12:00:00", "yesterday", "1969-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        with pytest.raises(ProblemError, match=r"1\.at: ") as raised:
            take(opened, data, {"decision_id": D1}, {"decision_id": D1, "at": at})
        assert raised.value.status == 400
    with pytest.raises(ProblemError, match="lies in the future"):
        take(opened, data, {"decision_id": D1, "at": (datetime.now(UTC) + timedelta(days=2)).isoformat()})
    assert opened.of_decisions([D1]) == {}


def test_nobody_has_decided_under_an_unknown_id(opened: OutcomeStore) -> None:
    assert outcomes.show("unknown", opened) is None
