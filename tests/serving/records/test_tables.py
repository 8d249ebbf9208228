from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from features.errors import UserError
from serving.records.store import RecordStore
from serving.records.tables import FORMAT, OUTCOMES
from tests.serving.recorded import record, workspace

FORMAT_1 = """CREATE TABLE decisions (decision_id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, request_id TEXT,
customer_id TEXT NOT NULL, as_of TEXT NOT NULL, place TEXT NOT NULL, decided_at TEXT NOT NULL,
models TEXT NOT NULL, catalogue_version TEXT NOT NULL, answer TEXT NOT NULL,
considered TEXT NOT NULL) STRICT"""


def test_a_store_of_a_newer_format_is_refused(records_store: RecordStore, tmp_path: Path) -> None:
    with records_store.writing() as connection:
        newer = (
            "PRAGMA user_version = 99" if records_store.is_sqlite else "UPDATE records_format SET format = 99"
        )
        connection.exec_driver_sql(newer)
    with pytest.raises(UserError, match="format 99"):
        RecordStore.of(workspace(tmp_path))


def test_a_file_of_format_1_is_brought_up_to_date(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    old = ("1", "cross-sell", None, "7", "2018-01-01", "till", "2018-01-01T00:00:00+00:00")
    nested = [json.dumps(each) for each in ({"churn": "3"}, [{"action_id": "wash", "channel": "app"}], [])]
    with closing(sqlite3.connect(space.decisions)) as connection, connection:
        connection.execute(FORMAT_1)
        connection.execute("PRAGMA user_version = 1")
        row = (*old, nested[0], "abc", nested[1], nested[2])
        connection.execute(f"INSERT INTO decisions VALUES ({','.join('?' * 11)})", row)
    store = RecordStore.of(space)
    (read,) = store.read()
    assert (read.customer_id, read.models, read.first) == ("7", {"churn": "3"}, ("wash", "app"))
    assert (read.arms, read.controls, read.selection_probability, read.features) == ({}, (), None, "")
    assert store.rows("SELECT first_action, first_channel FROM decisions", []) == [("wash", "app")]
    store.add([record(1)])
    assert store.rows("PRAGMA user_version", []) == [(FORMAT,)]
    assert len(list(RecordStore.of(space).read())) == 2
    assert store.rows(f"SELECT count(*) FROM {OUTCOMES.name}", []) == [(0,)]
