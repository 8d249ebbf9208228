from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.canonical import Canonical
from features.clock import to_day
from features.customer_store.events import TABLES, Checker, EventError, fields
from features.errors import ExitCode
from features.ingestion.ingest import ingest
from features.tables import TABLES as CONTRACTS
from features.workspace import Workspace

NOW = datetime(2018, 2, 1, tzinfo=UTC)
CHECKER = Checker(ZoneInfo("America/New_York"), lambda name: f"<{name}>", NOW)
LINE: dict[str, Any] = {
    "event_id": "1",
    "customer_id": "a",
    "occurred_at": "2018-01-03T23:30:00-05:00",
    "amount": 1,
}


def utc(*parts: int) -> datetime:
    """An instant as tables store it: UTC, without an offset."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


def line(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in {**LINE, **given}.items() if value != "absent"}


def test_a_consent_is_true_or_false_for_a_purpose():
    read = CHECKER.read(line(table="consents", amount="absent", purpose="marketing", granted=False))
    assert read.values == {"purpose": "marketing", "granted": False}
    with pytest.raises(EventError, match="granted: 'no' is not true or false"):
        CHECKER.read(line(table="consents", amount="absent", purpose="marketing", granted="no"))


def test_an_event_is_read_as_its_table_stores_it():
    event = CHECKER.read(
        line(table="transactions", basket_id=" b ", quantity=2, discount="0.125", channel="  ", store_id=None)
    )
    assert (event.table, event.event_id, event.customer_id) == ("transactions", "1", "<a>")
    assert event.occurred_at == event.known_at == utc(2018, 1, 4, 4, 30)
    assert event.day == event.known_day == to_day(date(2018, 1, 3))
    assert dict(event.values) == {
        "amount_cents": 100,
        "basket_id": "b",
        "quantity": 2.0,
        "discount_cents": 12,
    }
    assert set(event.stored()) <= set(CONTRACTS["transactions"].stored)


def test_the_other_tables_take_their_instant_as_occurred_at():
    contact = CHECKER.read(
        line(table="exposures", cost=0.5, channel="sms", amount="absent", known_at="2018-01-05T08:00Z")
    )
    assert contact.stored()["contacted_at"] == utc(2018, 1, 4, 4, 30)
    assert contact.known_day == contact.day + 2
    care = CHECKER.read(line(table="service_events", kind=" Complaint ", amount="absent"))
    assert care.values == {"kind": "complaint"}
    for table in TABLES:
        assert {"event_id", "customer_id", "occurred_at", "known_at"} <= set(fields(CONTRACTS[table]))


def test_a_deadline_may_lie_ahead_and_is_kept_in_utc():
    care = line(table="service_events", kind="complaint", amount="absent")
    care["deadline_at"] = "2018-03-01T10:00:00-05:00"
    assert CHECKER.read(care).values["deadline_at"] == utc(2018, 3, 1, 15)
    with pytest.raises(EventError, match="lies in the future"):
        CHECKER.read({**care, "deadline_at": "2200-01-01T00:00:00Z"})


def test_it_is_never_known_before_it_happened():
    event = CHECKER.read(line(known_at="2017-01-01T00:00:00Z"))
    assert event.known_at == event.occurred_at


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"event_id": "absent"}, "event_id", "is missing"),
        ({"customer_id": " "}, "customer_id", "is missing"),
        ({"amount": "absent"}, "amount", "is missing"),
        ({"occurred_at": "2018-01-03T10:00:00"}, "occurred_at", "is not an instant with its offset"),
        ({"occurred_at": 1514764800}, "occurred_at", "is not an instant"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at", "is before 1970"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "is not an instant"),
        ({"occurred_at": "2018-02-01T00:00:00Z"}, "occurred_at", "lies in the future"),
        ({"known_at": "2018-02-01T00:00:00Z"}, "known_at", "lies in the future"),
        ({"amount": "twelve"}, "amount", "is not an amount of money"),
        ({"amount": True}, "amount", "is not an amount of money"),
        ({"amount": 1e17}, "amount", "is not an amount of money"),
        ({"amount": 10**5000}, "amount", "is not an amount of money"),
        ({"amount": "NaN"}, "amount", "is not an amount of money"),
        ({"discount": -0.01}, "discount", "is below 0"),
        ({"quantity": "2"}, "quantity", "is not a number"),
        ({"quantity": True}, "quantity", "is not a number"),
        ({"quantity": 10**400}, "quantity", "is not a number"),
        ({"product_id": 17}, "product_id", "is not a text"),
        ({"product_id": "x" * 1001}, "product_id", "is not a text of at most 1000"),
        ({"store_id": "a\0b"}, "store_id", "is not a text"),
        ({"table": "products"}, "table", "is not one of transactions, exposures"),
        ({"table": "service_events", "amount": "absent"}, "kind", "is missing"),
        ({"table": "service_events", "amount": "absent", "kind": "rant"}, "kind", "is not one of complaint"),
        ({"occured_at": "2018"}, "occured_at", "did you mean 'occurred_at'"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_field(changed, field, words):
    with pytest.raises(EventError, match=words) as error:
        CHECKER.read(line(**changed))
    assert error.value.field == field
    assert str(error.value).startswith(f"{field}: ")
    assert error.value.exit_code is ExitCode.BAD_DATA
    assert len(str(error.value)) < 300
    assert error.value.within(3).field == f"3.{field}"


def test_what_is_no_object_is_refused_and_a_personal_value_is_not_repeated():
    with pytest.raises(EventError, match=r"^an event is a JSON object, not \[1\]") as error:
        CHECKER.read([1])
    assert str(error.value.within(2)).startswith("2: an event")
    with pytest.raises(EventError, match="customer_id: the value is not a text") as error:
        CHECKER.read(line(customer_id=13800138000))
    assert "13800138000" not in str(error.value)


AMOUNTS = st.one_of(
    st.floats(-1e9, 1e9).map(lambda x: x + 0.0),
    st.decimals(-10_000, 10_000, places=3, allow_nan=False).map(str),
    st.integers(-(10**9), 10**9),
)
INSTANTS = st.datetimes(utc(2015, 1, 1), utc(2018, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, INSTANTS), min_size=1, max_size=40))
def test_the_door_reads_amounts_and_days_as_ingest_does(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("source")
    (folder / "source.toml").write_text('name = "door"\ntime_zone = "America/New_York"\n')
    events = [line(event_id=str(i), amount=a, occurred_at=t.isoformat()) for i, (a, t) in enumerate(pairs)]
    text = "\n".join(json.dumps(event["amount"]).strip('"') + "," + event["occurred_at"] for event in events)
    ids = [f"{event['event_id']},a" for event in events]
    rows = "\n".join(f"{one},{rest}" for one, rest in zip(ids, text.splitlines(), strict=True))
    (folder / "transactions.csv").write_text(f"event_id,customer_id,amount,occurred_at\n{rows}\n")
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    ingest(workspace, str(folder))
    with Canonical.open(workspace).connect() as connection:
        query = "SELECT event_id, amount_cents, occurred_at, day FROM transactions"
        stored = {row[0]: row[1:] for row in connection.execute(query).fetchall()}
    read = [CHECKER.read(event) for event in events]
    assert stored == {e.event_id: (e.values["amount_cents"], e.occurred_at, e.day) for e in read}
