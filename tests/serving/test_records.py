import sqlite3
import time
from pathlib import Path

import pytest

from features.errors import UserError
from serving import records
from serving.records import Record, Records


def record(number: int) -> Record:
    return Record(
        decision_id=f"{number:032x}",
        endpoint="next-best-action",
        request_id=None,
        customer_id="2375",
        as_of="2018-01-01",
        place="till",
        decided_at="2018-01-01T00:00:00.000+00:00",
        models={"churn": "3"},
        catalogue_version="abc",
        answer=[{"action_id": "welcome", "channel": "sms", "expected_value_cents": number}],
        considered=[{"action_id": "welcome", "channel": "sms", "propensity": 0.25}],
    )


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    store = Records(file)
    store.add(record(1))
    store.flush()
    assert list(records.read(file)) == [record(1)]
    store.add(record(2))
    store.close()
    store.close()
    assert list(records.read(file)) == [record(1), record(2)]
    assert list(records.read(file, record(2).decision_id)) == [record(2)]
    assert store.failed == 0


def test_closing_writes_what_is_left_and_opening_again_appends(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    for start in (0, 1000):
        store = Records(file, interval=0.01)
        for number in range(start, start + 1000):
            store.add(record(number))
        store.close()
    assert [r.answer[0]["expected_value_cents"] for r in records.read(file)] == list(range(2000))


def test_a_record_is_on_disk_within_the_interval_without_any_call(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    store = Records(file, interval=0.05)
    store.add(record(1))
    deadline = time.monotonic() + 20
    while not list(records.read(file)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    store.close()


def test_records_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    store = Records(file, interval=0.01)
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE decisions")
    store.add(record(1))
    store.flush()
    assert store.failed == 1
    store.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="format 99"):
        Records(file)


def test_no_file_holds_no_record(tmp_path: Path) -> None:
    assert list(records.read(tmp_path / "nothing.db")) == []
