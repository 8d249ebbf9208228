from __future__ import annotations

import threading
from pathlib import Path

from features.workspace import Workspace
from serving.contacts.standing import ACCEPTED, COMPLAINED, REDEEMED, REFUSED, SHOWN
from serving.contacts.touches import Touch
from serving.outcomes.store import OutcomeStore
from serving.records.store import RecordStore
from tests.serving.recorded import outcome, record
from tests.serving.records.test_batches import batch

AT = outcome(0).instant
DAY = outcome(0).day


def touches(opened: OutcomeStore, customer: str, before: int | None = None) -> list[Touch]:
    return list(opened.touches([customer], before))


def test_an_outcome_is_kept_once(opened: OutcomeStore) -> None:
    first = outcome(1, outcome_id="mine")
    assert opened.add([first, outcome(2)]) == [True, True]
    assert opened.add([outcome(3, outcome_id="mine"), outcome(2)]) == [False, False]
    again = outcome(1, kind=REDEEMED, stated_at=5)
    assert opened.add([again, again, outcome(1, kind=REDEEMED, stated_at=6)]) == [True, False, True]
    assert opened.add([outcome(1, action_id="wash")]) == [True]
    came = opened.of_decisions([first.decision_id, outcome(2).decision_id, "x"])
    assert {name: len(found) for name, found in came.items()} == {
        first.decision_id: 4,
        outcome(2).decision_id: 1,
    }
    assert came[outcome(2).decision_id] == [outcome(2)]


def test_contacts_are_read_by_customer(opened: OutcomeStore) -> None:
    opened.add([outcome(1), outcome(2), outcome(11, day=DAY + 1, known_day=DAY + 3, kind=SHOWN)])
    touch = Touch("c1", DAY, AT, "welcome", "sms", SHOWN)
    assert touches(opened, "c1") == [touch, touch._replace(day=DAY + 1)]
    assert touches(opened, "c1", DAY + 3) == [touch]
    assert touches(opened, "c1", DAY) == []
    assert {t.reference for t in opened.touches(None, None)} == {"c1", "c2"}
    assert touches(opened, "nobody") == []


def test_an_answer_says_that_there_was_a_contact(opened: OutcomeStore) -> None:
    opened.add([outcome(1, kind=REFUSED), outcome(1, kind=COMPLAINED, instant=AT + 1)])
    assert [t.kind for t in touches(opened, "c1")] == [SHOWN, REFUSED, COMPLAINED]
    opened.add([outcome(1, kind=SHOWN, instant=AT - 1)])
    assert sorted(t.kind for t in touches(opened, "c1")) == [SHOWN, REFUSED, COMPLAINED]


def test_contacts_of_all_customers_are_counted_once_each(opened: OutcomeStore) -> None:
    opened.add([outcome(n) for n in range(4)])
    opened.add([outcome(n, kind=ACCEPTED, day=DAY + 1, known_day=DAY + 1) for n in range(6)])
    opened.add([outcome(9, action_id="wash")])
    assert opened.contacted("welcome", DAY, None) == 6
    # Of the answers of the day after, two say that there was a contact; the others' was the day before.
    assert opened.contacted("welcome", DAY + 1, None) == 2
    assert opened.contacted("welcome", DAY, DAY + 1) == 4
    assert opened.contacted("oil", DAY, None) == 0


def test_an_outcome_waits_for_its_decision(opened: OutcomeStore) -> None:
    waiting = outcome(1, customer_id=None, action_id="", channel="")
    assert opened.add([waiting]) == [True]
    assert touches(opened, "c1") == []
    assert list(opened.unmatched()) == [waiting]
    opened.records.add([record(1)])
    assert opened.join([record(1).decision_id, "x"]) == 1
    assert touches(opened, "c1") == [Touch("c1", DAY, AT, "welcome", "sms", SHOWN)]
    assert (list(opened.unmatched()), opened.join([record(1).decision_id])) == ([], 0)


def test_a_waiting_outcome_that_came_twice_is_joined_once(opened: OutcomeStore) -> None:
    nameless = outcome(1, customer_id=None, action_id="", channel="")
    named = outcome(1, customer_id=None, action_id="welcome", channel="")
    other = outcome(1, customer_id=None, action_id="wash", channel="")
    assert opened.add([nameless, named, other]) == [True] * 3
    opened.records.add([record(1)])
    assert opened.join_all() == 2
    assert sorted((t.action, t.channel) for t in touches(opened, "c1")) == [
        ("wash", "app"),
        ("welcome", "sms"),
    ]


def test_a_decision_that_is_there_is_found_by_who_adds(opened: OutcomeStore, tmp_path: Path) -> None:
    opened.records.add([record(1)])
    batch(opened.workspace, tmp_path / "out", [record(2, endpoint="batch")])
    opened.add([outcome(n, customer_id=None, action_id="", channel="") for n in (1, 2, 3)])
    assert [t.action for t in opened.touches(None, None)] == ["welcome", "welcome"]
    assert [o.decision_id for o in opened.unmatched()] == [record(3).decision_id]


def test_two_workers_miss_no_outcome_between_them(opened: OutcomeStore) -> None:
    def decide() -> None:
        mine = RecordStore.of(Workspace(opened.workspace.root))
        outcomes = OutcomeStore(mine, opened.workspace)
        for number in range(150):
            mine.add([record(number)])
            outcomes.join([record(number).decision_id])

    def report() -> None:
        mine = OutcomeStore.of(opened.workspace)
        for number in range(150):
            mine.add([outcome(number, customer_id=None, action_id="", channel="")])

    threads = [threading.Thread(target=each) for each in (decide, report)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(opened.unmatched()) == []
    assert len(list(opened.touches(None, None))) == 150
