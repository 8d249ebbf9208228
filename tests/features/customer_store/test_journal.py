from __future__ import annotations

from datetime import datetime

from features.customer_store.events import Event
from features.customer_store.journal import Journal

AT = datetime.fromisoformat("2018-01-03T12:30:00.000005")
ENDS = {"transactions": datetime.fromisoformat("2018-01-01"), "responses": None}


def event(event_id: str, customer_id: str = "a", table: str = "transactions", day: int = 5) -> Event:
    return Event(table, event_id, customer_id, AT, AT, day, day + 1, {"amount_cents": 7, "channel": "喂"})


def test_events_come_back_as_they_were_in_their_order(tmp_path):
    journal = Journal(tmp_path / "events.db")
    assert journal.add([event("1"), event("2", table="responses")], ENDS) == [True, True]
    first, second = journal.after(0)
    assert (first.event, first.table_end) == (event("1"), ENDS["transactions"])
    assert (second.event, second.table_end) == (event("2", table="responses"), None)
    assert [one.number for one in journal.after(0, 1)] == [first.number]
    assert journal.after(first.number) == [second]
    assert journal.after(second.number) == []


def test_an_instant_among_the_values_comes_back_as_one(tmp_path):
    given = Event("service_events", "1", "a", AT, AT, 5, 6, {"kind": "complaint", "deadline_at": AT})
    journal = Journal(tmp_path / "events.db")
    journal.add([given], {"service_events": None})
    assert journal.after(0)[0].event == given


def test_an_id_counts_once_in_its_table_also_after_a_restart(tmp_path):
    journal = Journal(tmp_path / "events.db")
    assert journal.add([event("1"), event("1", "b"), event("1", table="responses")], ENDS) == [
        True,
        False,
        True,
    ]
    journal.close()
    again = Journal(tmp_path / "events.db")
    assert again.id == journal.id
    assert again.add([event("1"), event("2")], ENDS) == [False, True]
    assert [one.event.event_id for one in again.after(0)] == ["1", "1", "2"]
    other = Journal(tmp_path / "other.db")
    other.add([event("1")], ENDS)
    assert other.id not in {journal.id, ""}


def test_nothing_is_made_before_the_first_event(tmp_path):
    journal = Journal(tmp_path / "events.db")
    assert (journal.id, journal.last, journal.after(0), journal.known_day(["a"])) == ("", 0, [], None)
    assert list(tmp_path.iterdir()) == []
    journal.add([event("1"), event("2")], ENDS)
    assert journal.last == 2


def test_events_of_some_references_in_some_tables_are_found(tmp_path):
    journal = Journal(tmp_path / "events.db")
    assert journal.of_customers(["a"], ["responses"]) == []
    given = [event("1"), event("2", table="responses"), event("3", "b", "responses"), event("4", "c")]
    journal.add(given, ENDS)
    found = journal.of_customers(["a", "b"], ["responses", "exposures"])
    assert [one.event.event_id for one in found] == ["2", "3"]


def test_a_day_of_some_references_is_found(tmp_path):
    journal = Journal(tmp_path / "events.db")
    journal.add([event("1"), event("2", "b"), event("3", "c"), event("4", day=6), event("5")], ENDS)
    numbers = {one.event.event_id: one.number for one in journal.after(0)}
    found = journal.of_day(["a", "b"], 5, numbers["4"])
    assert [one.event.event_id for one in found] == ["1", "2"]
    assert journal.known_day(["a"]) == 7
    assert journal.known_day(["b", "c"]) == 6
    assert journal.known_day(["nobody"]) is None
