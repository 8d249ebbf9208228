"""The writer of decision records: an answer does not wait for the store.

Records go to a queue, and every `INTERVAL_SECONDS` one thread writes all that wait. `close` writes what is
left, so that a stop by SIGTERM loses none. A process killed by SIGKILL loses at most what it decided within
the last `INTERVAL_SECONDS` and the time of one write; how many they were is counted (`handed_over.py`), said
in the log and kept in the store when the workspace is next opened.

A store that is down stops no answer: up to `CAPACITY` records wait in memory until it is back, the rest is
counted in `failed`, and `hindrance` says so meanwhile.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from features.workspace import Workspace
from serving.records import handed_over
from serving.records.handed_over import HandedOver
from serving.records.record import Record
from serving.records.store import RecordsDownError, RecordStore

INTERVAL_SECONDS: Final = 0.2
CAPACITY: Final = 5_000
_BATCH: Final = 1_000
_AGAIN_SECONDS: Final = 0.5
# How long an answer may wait for room in the queue, seconds.
_PATIENCE: Final = 1.0

log = logging.getLogger("nextbest.serving")


class Records:
    """The open writer. Safe to share between threads.

    Args:
        store: where to.
        workspace: what has been handed over is counted in its folder `records`.
        interval: seconds for which records are gathered.
        written: told the ids of decisions that are in the store now.
        given_up: told how many decisions will not be, as soon as that is known.

    Attributes:
        failed: records that this writer has given up.
        lost: records that killed services did not write, found when this one was opened.
        hindrance: a sentence while the store is down; empty while it is not.
    """

    def __init__(
        self,
        store: RecordStore,
        workspace: Workspace,
        *,
        interval: float = INTERVAL_SECONDS,
        written: Callable[[list[str]], object] = lambda _ids: None,
        given_up: Callable[[int], object] = lambda _count: None,
    ) -> None:
        self.store = store
        self.failed = 0
        self.hindrance = ""
        self._interval, self._told, self._given_up = interval, written, given_up
        self.lost = _settle_dead(store, workspace)
        self._handed = HandedOver(workspace.records)
        self._adding = threading.Lock()
        self._queue: queue.Queue[Record] = queue.Queue(CAPACITY)
        self._pending: dict[str, Record] = {}
        self._closing = threading.Event()
        self._written = 0
        self._untold: list[str] = []
        self._thread = threading.Thread(target=self._write_all, name="decision-records", daemon=True)
        self._thread.start()

    def add(self, record: Record) -> None:
        """Hand over a record; waits only when thousands are unwritten and the store is not down."""
        if self._closing.is_set():
            self._give_up([record])
            return
        with self._adding:
            self._handed.add()
        self._pending[record.decision_id] = record
        try:
            self._queue.put(record, block=not self.hindrance, timeout=_PATIENCE)
        except queue.Full:
            self._give_up([record])

    def waiting(self, ids: Sequence[str]) -> dict[str, Record]:
        """Those of these decisions that are not in the store yet, by id."""
        return {name: record for name in ids if (record := self._pending.get(name)) is not None}

    def flush(self) -> None:
        """Wait until everything handed over so far is in the store, or the store is down."""
        while self._queue.unfinished_tasks and not self.hindrance:
            time.sleep(0.005)

    def close(self) -> None:
        """Write what is left and stop. Calling it twice is the same as once."""
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join()
            self._handed.close(settled=self._told_of_failed())

    def _told_of_failed(self) -> bool:
        """Keep in the store how many were given up; else whoever opens the workspace next does."""
        if self.failed:
            try:
                self.store.add_lost(self._handed.writer, self.failed)
            except RecordsDownError as error:
                log.warning("%d decisions have not been recorded: %s", self.failed, error)
                return False
        return True

    def _write_all(self) -> None:
        last = False
        while not last:
            # What is handed over before the stop is written after it.
            last = self._closing.wait(self._interval)
            while batch := self._waiting():
                self._write(batch)
                for _ in batch:
                    self._queue.task_done()
            self._tell()

    def _waiting(self) -> list[Record]:
        """The records that wait, up to a batch of them."""
        found: list[Record] = []
        while len(found) < _BATCH and not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def _write(self, records: list[Record]) -> None:
        """Write a batch, for as long as it takes; give it up only when asked to stop."""
        while True:
            try:
                self.store.add(records, self._handed.writer, self._written + len(records))
            except RecordsDownError as error:
                if not self.hindrance:
                    log.warning("decisions are not recorded at the moment: %s", error)
                self.hindrance = f"decisions are not recorded at the moment: {error}"
                if self._closing.wait(_AGAIN_SECONDS):
                    self._give_up(records)
                    return
            except Exception as error:  # noqa: BLE001 - `_write_singly` logs it
                self._write_singly(records, error)
                return
            else:
                break
        if self.hindrance:
            log.info("decisions are recorded again")
            self.hindrance = ""
        self._written += len(records)
        for record in records:
            self._pending.pop(record.decision_id, None)
            self._untold.append(record.decision_id)

    def _write_singly(self, records: list[Record], error: Exception) -> None:
        """One record that no store takes must not keep the others from it, or end this thread."""
        if len(records) > 1:
            for record in records:
                self._write([record])
        else:
            log.error("a decision cannot be recorded", exc_info=error)
            self._give_up(records)

    def _tell(self) -> None:
        """Tell of what has been written; again the next time if the store is down."""
        if self._untold:
            try:
                self._told(self._untold)
            except RecordsDownError as error:
                log.warning("outcomes are not joined at the moment: %s", error)
            else:
                self._untold = []

    def _give_up(self, records: list[Record]) -> None:
        with self._adding:
            self.failed += len(records)
        self._given_up(len(records))
        for record in records:
            self._pending.pop(record.decision_id, None)


def _settle_dead(store: RecordStore, workspace: Workspace) -> int:
    """Account for services that were killed: how many decisions they handed over and did not write."""
    lost = 0
    for writer, count in handed_over.dead(workspace.records):
        missing = max(count - store.written(writer), 0)
        store.add_lost(writer, missing)
        lost += missing
    if lost:
        log.warning("%d decisions of a service that was killed have not been recorded", lost)
    return lost
