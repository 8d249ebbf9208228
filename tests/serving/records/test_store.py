from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from features.errors import UserError
from serving.records import store as record_store
from serving.records.store import RecordsDownError, RecordStore
from tests.serving.recorded import record, workspace


def test_records_come_back_as_they_were_in_their_order(records_store: RecordStore) -> None:
    given = [record(number) for number in range(5)]
    records_store.add(given[3:])
    records_store.add(given[:3])
    records_store.add(given[:1])
    assert list(records_store.read()) == given
    assert records_store.decisions([given[1].decision_id, "unknown"]) == {given[1].decision_id: given[1]}
    assert list(records_store.read(since=given[1].decided_at, until=given[3].decided_at)) == given[1:3]


def test_how_many_a_writer_has_written_stands_with_its_records(records_store: RecordStore) -> None:
    assert records_store.written("w") == 0
    records_store.add([record(1)], "w", 1)
    records_store.add([record(2), record(3)], "w", 3)
    # The same batch again, after an answer of the store was lost.
    records_store.add([record(2), record(3)], "w", 3)
    assert records_store.written("w") == 3
    records_store.add_lost("w", 2)
    records_store.add_lost("x", 4)
    assert records_store.lost() == 6


def test_several_may_open_and_write_at_once(records_store: RecordStore, tmp_path: Path) -> None:
    stores = [RecordStore.of(workspace(tmp_path)) for _ in range(4)]

    def write(part: int) -> None:
        for number in range(part, 200, 4):
            stores[part].add([record(number)])

    threads = [threading.Thread(target=write, args=[part]) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(records_store.read())) == 200


def test_plain_rows_see_what_others_have_written(records_store: RecordStore, tmp_path: Path) -> None:
    query = f"SELECT count(*) FROM decisions WHERE customer_id = {records_store.mark}"
    assert records_store.rows(query, ["c1"]) == [(0,)]
    RecordStore.of(workspace(tmp_path)).add([record(1), record(2), record(11)])
    assert records_store.rows(query, ["c1"]) == [(2,)]


def test_a_statement_that_fails_is_a_store_that_is_down(records_store: RecordStore) -> None:
    with pytest.raises(RecordsDownError, match="cannot be used"):
        records_store.rows("SELECT nothing FROM nowhere", [])
    assert records_store.is_sqlite == (records_store._pause_until == 0)


@pytest.mark.parametrize("address", ["mysql://u@h/d", "not an address", "postgresql+nodriver://u@h/d"])
def test_an_address_that_is_none_is_refused_in_a_sentence(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(record_store.VARIABLE, address)
    with pytest.raises(
        UserError, match=r"NEXTBEST_RECORDS is not a valid address .* postgresql\+psycopg2://"
    ):
        RecordStore.of(workspace(tmp_path))


def test_a_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(record_store.VARIABLE, "postgresql+psycopg2://u@h/d")
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(UserError, match="driver psycopg2 is not installed"):
        RecordStore.of(workspace(tmp_path))


def test_a_server_that_is_not_there_is_said_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg2")
    monkeypatch.setenv(record_store.VARIABLE, "postgresql+psycopg2://u:secret@127.0.0.1:1/d")
    with pytest.raises(RecordsDownError, match="cannot be used") as raised:
        RecordStore.of(workspace(tmp_path))
    assert "secret" not in str(raised.value)


def test_the_default_is_a_file_of_the_workspace(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    RecordStore.of(space).close()
    assert space.decisions.exists()
