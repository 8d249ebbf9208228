from __future__ import annotations

from zoneinfo import ZoneInfo

import duckdb
import pytest

from features.canonical import Canonical
from features.customer_store.events import Checker
from features.customer_store.journal import Journal
from features.customer_store.posted import Coverage, members_sql, values_of
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from tests.features import posting

CHECKER = Checker.now(ZoneInfo(posting.ZONE), lambda name: name)


def event(event_id: str, at: str, **given):
    return {
        "event_id": event_id,
        "table": "transactions",
        "customer_id": "a",
        "occurred_at": at,
        "amount": 1,
        **given,
    }


@pytest.fixture
def opened(tmp_path):
    """`opened(events, with_ids)`: the tables that have these events, and a journal."""

    def make(events, *, with_ids: bool):
        source = posting.write_source(tmp_path / f"source{with_ids}", events, with_ids=with_ids)
        workspace = Workspace(tmp_path / f"workspace{with_ids}")
        ingest(workspace, str(source))
        return Canonical.open(workspace), Journal(tmp_path / f"{with_ids}.db")

    return make


def counting(canonical: Canonical, journal: Journal) -> list[str]:
    with canonical.connect(references=True) as connection:
        found = Coverage(canonical, connection).counting(journal.after(0))
    return [one.event.event_id for one in found]


def test_with_ids_an_event_is_the_tables_as_soon_as_they_have_it(opened):
    canonical, journal = opened(
        [event("1", "2016-03-01T10:00Z"), event("2", "2016-03-05T10:00Z")], with_ids=True
    )
    posted = [("1", "2016-03-01T10:00Z"), ("3", "2016-03-02T10:00Z"), ("4", "2017-03-01T10:00Z")]
    journal.add([CHECKER.read(event(*one)) for one in posted], {"transactions": None})
    assert counting(canonical, journal) == ["3", "4"]


def test_without_ids_an_event_counts_until_the_table_goes_as_far(opened):
    canonical, journal = opened(
        [event("x", "2016-03-01T10:00Z"), event("y", "2016-03-05T10:00Z")], with_ids=False
    )
    with canonical.connect(references=True) as connection:
        end = Coverage(canonical, connection).end("transactions")
        assert Coverage(canonical, connection).end("stores") is None
    assert end is not None
    before = {"transactions": end.replace(day=3)}
    journal.add([CHECKER.read(event("1", "2016-03-04T10:00Z"))], before)
    journal.add([CHECKER.read(event("2", "2016-03-05T10:00Z"))], before)
    journal.add([CHECKER.read(event("3", "2016-03-05T10:01Z"))], before)
    journal.add([CHECKER.read(event("4", "2016-03-01T10:00Z", known_at="2016-03-06T00:00Z"))], before)
    # Posted when the tables went as far as now already: they do not have it.
    journal.add([CHECKER.read(event("5", "2016-03-02T10:00Z"))], {"transactions": end})
    assert counting(canonical, journal) == ["3", "4", "5"]


def test_an_event_has_the_local_hour_of_a_line():
    line = CHECKER.read(event("1", "2016-11-06T05:30:00Z"))
    assert values_of(line, ZoneInfo(posting.ZONE))["hour"] == 1
    care = CHECKER.read(
        {
            "event_id": "1",
            "table": "service_events",
            "customer_id": "a",
            "occurred_at": "2016-11-06T05:30:00Z",
            "kind": "visit",
        }
    )
    assert "hour" not in values_of(care, ZoneInfo(posting.ZONE))


def test_members_are_those_of_the_same_household_at_the_same_time():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE households AS SELECT * FROM (VALUES ('a', 'h', 0, 9), ('b', 'h', 5, 20), "
            "('c', 'h', 9, 20), ('d', 'i', 0, 9)) AS t(customer_id, household_id, from_day, to_day)"
        )
        rows = connection.execute(members_sql("customer_id IN ('a', 'd')")).fetchall()
    assert rows == [("a", "a", 0, 9), ("a", "b", 5, 9), ("d", "d", 0, 9)]
