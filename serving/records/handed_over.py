"""How many decisions a running service has handed over to be recorded, counted where a kill cannot undo it.

The number stands in a small file that is mapped into memory: adding to it costs no call of the system, which
keeps it even when the process is killed. Whoever opens the workspace next compares it with what the killed
process had written, so that a loss is not only bounded but counted.
"""

from __future__ import annotations

import mmap
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_SIZE: Final = 8
_SUFFIX: Final = ".count"


class HandedOver:
    """The count of one writer.

    Args:
        folder: where the workspace's counts stand; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.writer = uuid.uuid4().hex
        self.count = 0
        self._file = folder / f"{self.writer}{_SUFFIX}"
        # The lock is there before the file, so that nobody takes this writer for a dead one.
        self._lock = _lock(self._file)
        self._lock.acquire()
        self._file.write_bytes(bytes(_SIZE))
        with self._file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _SIZE)

    def add(self) -> None:
        """Count one more."""
        self.count += 1
        struct.pack_into("<Q", self._map, 0, self.count)

    def close(self, *, settled: bool) -> None:
        """Stop counting; what is settled needs no account by who comes next."""
        self._map.close()
        if settled:
            self._file.unlink()
        _end(self._lock)


def dead(folder: Path) -> Iterator[tuple[str, int]]:
    """Writers that ended without settling, and their counts; each is told once, to one process."""
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        lock = _lock(file)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        # Another process may have told it in the meantime.
        if file.exists():
            content = file.read_bytes()
            yield file.name.removesuffix(_SUFFIX), struct.unpack("<Q", content)[0] if content else 0
            file.unlink()
        _end(lock)


def _lock(file: Path) -> FileLock:
    return FileLock(file.with_suffix(".lock"), thread_local=False)


def _end(lock: FileLock) -> None:
    """Let go of a lock that nobody will ask for again."""
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
