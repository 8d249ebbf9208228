from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.errors import UserError
from serving.records.store import VARIABLE, RecordStore
from serving.records.tables import FORMAT, OUTCOMES
from tests.serving.recorded import outcome, record, store, workspace

ONCE = "UNIQUE (decision_id, action_id, kind, stated_at)"

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


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_outcomes_of_format_2_stay_and_are_told_apart_by_their_own_ids(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "postgresql":
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("postgres_database"))
    opened = store(tmp_path)
    with opened.records.writing() as connection:
        connection.exec_driver_sql("DROP INDEX outcome_stated_once")
        if kind == "sqlite":
            columns = ", ".join(f"{name} {column.type.compile()}" for name, column in OUTCOMES.c.items())
            columns = columns.replace("number BIGINT", "number INTEGER PRIMARY KEY")
            connection.exec_driver_sql("DROP TABLE outcomes")
            connection.exec_driver_sql(f"CREATE TABLE outcomes ({columns}, CONSTRAINT outcome_once {ONCE})")
            connection.exec_driver_sql("CREATE INDEX outcomes_by_customer ON outcomes (customer_id)")
            connection.exec_driver_sql("CREATE INDEX outcomes_by_action ON outcomes (action_id, day)")
            connection.exec_driver_sql("PRAGMA user_version = 2")
        else:
            connection.exec_driver_sql(f"ALTER TABLE outcomes ADD CONSTRAINT outcome_once {ONCE}")
            connection.exec_driver_sql("UPDATE records_format SET format = 2")
        connection.execute(sa.insert(OUTCOMES), vars(outcome(1, outcome_id="till-1")))
    again, name = store(tmp_path), outcome(1).decision_id
    given = [outcome(1), outcome(1, outcome_id="till-2"), outcome(1), outcome(1, outcome_id="till-1")]
    assert again.add(given) == [True, True, False, False]
    assert [each.outcome_id for each in again.of_decisions([name])[name]] == ["till-1", None, "till-2"]


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
