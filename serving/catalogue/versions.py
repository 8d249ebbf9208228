"""Which catalogue is active, which were before, and how to go back.

The active catalogue is `actions.yaml` of the workspace, or the packaged one when there is none. It is
replaced in one atomic step, so that a reader has the old or the new; a service finds out by `stamp`, which
costs one look at the file. Every catalogue that was ever active is kept as it was, under its version, beside
a log that is only ever added to (`Change` is one line of it):

    catalogues/<version>.yaml
    catalogues/log.jsonl
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock

from features.errors import ExitCode, UserError, unknown
from serving.catalogue import actions

FOLDER: Final = "catalogues"
LOG: Final = "log.jsonl"
Event = Literal["found", "activated", "rolled back"]


@dataclass(frozen=True)
class Change:
    """One line of the log.

    Attributes:
        at: when, UTC.
        event: "activated", "rolled back", or "found": it was active without having been activated here.
        version: of the catalogue that is active from then on.
        previous: of the one before; None for what was found.
        note: why, in the words of whoever did it.
    """

    at: str
    event: Event
    version: str
    previous: str | None
    note: str


def stamp(file: Path) -> tuple[int, int, int]:
    """What differs once a file has been replaced or written: its inode, time in nanoseconds and size.

    Raises:
        UserError: there is no such file.
    """
    try:
        seen = file.stat()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}).", ExitCode.NOT_BUILT) from None
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def history(root: Path) -> list[Change]:
    """Every change, the oldest first.

    Args:
        root: folder of the workspace.

    Raises:
        UserError: the log cannot be read.
    """
    log = root / FOLDER / LOG
    found = []
    for number, line in enumerate(_lines(log), start=1):
        try:
            found.append(Change(**json.loads(line)))
        except (ValueError, TypeError):
            raise UserError(
                f"{log}: line {number} is not a change of the catalogue. Restore the file.",
                ExitCode.NOT_BUILT,
            ) from None
    return found


def _lines(log: Path) -> list[str]:
    """The lines of the log; one that a killed process has not ended says nothing."""
    return log.read_text(encoding="utf-8").split("\n")[:-1] if log.exists() else []


def kept(root: Path, version: str) -> Path:
    """The file of a version that was active once.

    Raises:
        UserError: none of that version is kept.
    """
    file = root / FOLDER / f"{version}.yaml"
    versions = {change.version for change in history(root)}
    if version not in versions or not file.exists():
        raise unknown("catalogue version", version, versions)
    return file


def activate(root: Path, file: Path, note: str = "") -> Change | None:
    """Make a catalogue the active one.

    Args:
        root: folder of the workspace.
        file: the catalogue; it is loaded, hence checked, first.
        note: why, for the log.

    Returns:
        The change, or None when the active catalogue already says the same.

    Raises:
        UserError: the file is not a valid catalogue.
    """
    wanted = actions.load(file).version
    with _writing(root):
        return _replace(root, file, wanted, "activated", note)


def rollback(root: Path, version: str | None = None, note: str = "") -> Change | None:
    """Make a catalogue active that was so before.

    Args:
        root: folder of the workspace.
        version: which; None: the one before the active one, step by step when it is called again.
        note: why, for the log.

    Returns:
        The change, or None when that version is active.

    Raises:
        UserError: there is none before, none of that version, or it is not valid for this code any more.
    """
    with _writing(root):
        wanted = version or _before(root)
        file = kept(root, wanted)
        actions.load(file)
        return _replace(root, file, wanted, "rolled back", note)


def _before(root: Path) -> str:
    """The version that was active before the present one was activated."""
    stack: list[str] = []
    for change in history(root):
        if change.event == "rolled back" and change.version in stack:
            del stack[stack.index(change.version) :]
        stack.append(change.version)
    present = _present(root)
    if not stack or stack == [present]:
        raise UserError("no catalogue was active before this one. `nextbest decide history` lists them.")
    # A file that was written by hand was never activated: what was is one step back.
    return stack[-2] if stack[-1] == present else stack[-1]


def _replace(root: Path, file: Path, version: str, event: Event, note: str) -> Change | None:
    present = _present(root)
    if present == version:
        return None
    logged = history(root)
    if present is not None and (not logged or logged[-1].version != present):
        _keep(root, actions.choose(root), present)
        previous = logged[-1].version if logged else None
        _log(root, Change(_now(), "found", present, previous, ""))
    own = root / actions.OWN
    if present is None and own.exists():
        _keep(root, own, f"not-valid-{hashlib.sha256(own.read_bytes()).hexdigest()[:12]}")
    _copy(_keep(root, file, version), own)
    change = Change(_now(), event, version, present, note)
    _log(root, change)
    return change


def _present(root: Path) -> str | None:
    """The version of the active catalogue; None when it is not valid, and can only be replaced."""
    try:
        return actions.load(actions.choose(root)).version
    except UserError:
        return None


def _keep(root: Path, file: Path, version: str) -> Path:
    held = root / FOLDER / f"{version}.yaml"
    if not held.exists():
        _copy(file, held)
    return held


def _copy(file: Path, target: Path) -> None:
    """Copy a file so that its content is on disk before anybody sees it."""
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    with aside.open("wb") as copied:
        copied.write(file.read_bytes())
        copied.flush()
        os.fsync(copied.fileno())
    aside.replace(target)


def _log(root: Path, change: Change) -> None:
    file = root / FOLDER / LOG
    ended = sum(len(line.encode()) + 1 for line in _lines(file))
    with file.open("ab") as log:
        log.truncate(ended)
        log.write((json.dumps(asdict(change), ensure_ascii=False) + "\n").encode())
        log.flush()
        os.fsync(log.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """One change at a time; a training run that holds the workspace does not hold up a rollback."""
    if not root.is_dir():
        raise UserError(
            f"there is no workspace {root}. Run `nextbest ingest` first, or give --workspace.",
            ExitCode.NOT_BUILT,
        )
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        yield
