from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.workspace import Workspace
from serving.records import store as record_store
from serving.records import writer as records
from serving.records.record import Record
from serving.records.store import RecordsDownError, RecordStore
from serving.records.writer import Records
from tests.serving.recorded import record, workspace

# Decides as fast as it can, and keeps by itself how many decisions it has handed over.
DECIDER = """
import mmap, signal, struct, sys
from pathlib import Path
from features.workspace import Workspace
from serving.records.store import RecordStore
from serving.records.writer import Records
from tests.serving.recorded import record

space = Workspace(Path(sys.argv[1]))
records = Records(RecordStore.of(space), space)
told = Path(sys.argv[2])
told.write_bytes(bytes(8))
with told.open("r+b") as opened:
    count = mmap.mmap(opened.fileno(), 8)

def stop(*_):
    global going
    going = False

going, number = True, 0
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while going:
    records.add(record(number))
    number += 1
    struct.pack_into("<Q", count, 0, number)
    if number % 20 == 0:
        import time; time.sleep(0.01)
records.close()
print(records.failed, flush=True)
"""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Records]:
    space = workspace(tmp_path)
    return lambda **options: Records(RecordStore.of(space), space, **{"interval": 0.01, **options})


def decide(tmp_path: Path, how: signal.Signals) -> tuple[int, str, Workspace]:
    """Let a process decide for a while and stop it; how many it handed over, what it said."""
    space, told = workspace(tmp_path), tmp_path / "told"
    process = subprocess.Popen(
        [sys.executable, "-c", DECIDER, str(space.root), str(told)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    query = "SELECT count(*) FROM decisions"
    with closing(sqlite3.connect(space.decisions)) as connection:
        until(lambda: connection.execute(query).fetchone()[0] > 300)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    return int.from_bytes(told.read_bytes(), "little"), said, space


def test_a_record_is_in_the_store_within_the_interval_without_any_call(opened) -> None:
    told: list[str] = []
    writer = opened(interval=0.05, written=told.extend)
    writer.add(record(1))
    assert writer.waiting([record(1).decision_id, "x"]) == {record(1).decision_id: record(1)}
    until(lambda: list(writer.store.read()))
    until(lambda: told)
    assert told == [record(1).decision_id]
    assert writer.waiting(told) == {}
    writer.close()


def test_closing_writes_what_is_left_and_opening_again_appends(opened) -> None:
    for start in (0, 3000):
        writer = opened(interval=60)
        for number in range(start, start + 3000):
            writer.add(record(number))
        writer.close()
        writer.close()
        assert (writer.failed, writer.lost) == (0, 0)
    writer.add(record(1))
    assert writer.failed == 1
    assert len(list(writer.store.read())) == 6000


def test_flushing_waits_for_what_was_handed_over(opened) -> None:
    writer = opened()
    for number in range(50):
        writer.add(record(number))
    writer.flush()
    assert len(list(writer.store.read())) == 50
    writer.close()


def test_a_stop_by_sigterm_loses_none(tmp_path: Path) -> None:
    handed, said, space = decide(tmp_path, signal.SIGTERM)
    assert said == "0\n"
    assert len(list(RecordStore.of(space).read())) == handed
    assert list(space.records.iterdir()) == []


def test_a_kill_loses_no_more_than_is_said_and_the_loss_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handed, _, space = decide(tmp_path, signal.SIGKILL)
    written = len(list(RecordStore.of(space).read()))
    # 20 every 10 ms at most, for the interval and a write that may take as long again.
    assert written >= handed - 1 - 2000 * records.INTERVAL_SECONDS * 5
    caplog.set_level("WARNING")
    writer = Records(RecordStore.of(space), space)
    # The process was killed between handing a record over and saying so, or it was not.
    assert writer.lost - (handed - written) in {0, 1}
    assert f"{writer.lost} decisions of a service that was killed" in caplog.text or not writer.lost
    assert writer.store.lost() == writer.lost
    writer.close()
    again = Records(RecordStore.of(space), space)
    assert (again.lost, again.store.lost()) == (0, writer.lost)
    again.close()


def test_a_store_that_comes_back_gets_what_waited(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = opened()
    whole = writer.store.add

    def down(*_: object) -> None:
        raise RecordsDownError("the record store is down.")

    monkeypatch.setattr(writer.store, "add", down)
    monkeypatch.setattr(records, "_AGAIN_SECONDS", 0.01)
    writer.add(record(1))
    until(lambda: writer.hindrance)
    assert writer.hindrance == "decisions are not recorded at the moment: the record store is down."
    writer.flush()
    writer.add(record(2))
    monkeypatch.setattr(writer.store, "add", whole)
    until(lambda: not writer.hindrance)
    writer.flush()
    assert list(writer.store.read()) == [record(1), record(2)]
    assert writer.failed == 0
    writer.close()


def test_what_a_store_that_stays_down_does_not_get_is_counted_and_no_answer_waits(
    opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CAPACITY", 10)
    writer = opened()

    def down(*_: object) -> None:
        raise RecordsDownError("the record store is down.")

    monkeypatch.setattr(writer.store, "add", down)
    writer.add(record(0))
    until(lambda: writer.hindrance)
    for number in range(1, 31):
        writer.add(record(number))
    assert writer.failed == 20
    writer.close()
    assert writer.failed == 31


def test_a_record_that_no_store_takes_costs_itself_only(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[int] = []
    writer = opened(interval=0.05, given_up=lost.append)
    whole = writer.store.add

    def picky(records: list[Record], *rest: Any) -> None:
        if any(each.request_id == "poison" for each in records):
            raise ValueError("no text for it")
        whole(records, *rest)

    monkeypatch.setattr(writer.store, "add", picky)
    for number in range(5):
        writer.add(record(number, request_id="poison" if number == 2 else None))
    writer.flush()
    writer.add(record(5))
    writer.flush()
    assert [each.decision_id for each in writer.store.read()] == [
        record(number).decision_id for number in (0, 1, 3, 4, 5)
    ]
    assert (lost, writer.failed, writer.waiting([record(2).decision_id])) == ([1], 1, {})
    writer.close()
    assert writer.store.lost() == 1


def test_what_cannot_be_told_is_told_later(opened) -> None:
    told: list[list[str]] = []

    def tell(ids: list[str]) -> None:
        told.append(list(ids))
        if len(told) == 1:
            raise RecordsDownError("the record store is down.")

    writer = opened(written=tell)
    writer.add(record(1))
    until(lambda: len(told) > 1)
    assert told == [[record(1).decision_id]] * 2
    writer.close()


def test_a_real_server_that_stops_and_comes_back(
    tmp_path: Path, own_postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(record_store.VARIABLE, own_postgres.address)
    monkeypatch.setattr(record_store, "PAUSE", 0.05)
    space = workspace(tmp_path)
    writer = Records(RecordStore.of(space), space, interval=0.01)
    writer.add(record(1))
    writer.flush()
    own_postgres.stop()
    writer.add(record(2))
    until(lambda: writer.hindrance)
    with pytest.raises(RecordsDownError):
        list(writer.store.read())
    own_postgres.start()
    until(lambda: not writer.hindrance)
    writer.flush()
    until(lambda: len(list(writer.store.read())) == 2)
    writer.close()
    assert writer.failed == 0
    assert json.dumps([r.decision_id for r in writer.store.read()]) == json.dumps(
        [record(1).decision_id, record(2).decision_id]
    )
