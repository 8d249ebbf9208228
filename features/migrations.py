"""Bringing a workspace of an older layout up to date.

Procedure for a change of layout: raise `SCHEMA_VERSION`, add to `STEPS` the function that turns the
previous version into the new one, and add a test with a workspace of that version.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from features import publishing
from features.errors import UserError
from features.json_file import read_json, write_json

SCHEMA_VERSION = 4


def _own_generations(root: Path) -> None:
    """1 to 2: each published folder has a folder of generations of its own, no longer a shared one."""
    shared = root / ".generations"
    for target in (root / "tables", root / "quarantine", root / "features"):
        if not target.is_symlink():
            continue
        old = root / target.readlink()
        new = publishing.generations(target) / old.name
        # A step that was killed half way is taken again: what has been moved is not there any more.
        if old.parent == shared and old.exists():
            new.parent.mkdir(exist_ok=True)
            old.rename(new)
        publishing.point(target, new)
    shutil.rmtree(shared, ignore_errors=True)


def _wider_tables(root: Path) -> None:
    """2 to 3: contacts have a propensity and service events a deadline; what is stored has neither."""
    before_id = "* EXCLUDE (event_id), CAST(NULL AS {}) AS {}, event_id"
    _widen(root, "exposures", "propensity", before_id.format("DOUBLE", "propensity"))
    _widen(root, "service_events", "deadline_at", before_id.format("TIMESTAMP", "deadline_at"))


def _zones(root: Path) -> None:
    """3 to 4: customers have a time zone; of those stored nobody has said it."""
    _widen(root, "customers", "time_zone", "*, CAST(NULL AS VARCHAR) AS time_zone")


def _widen(root: Path, table: str, column: str, wider: str) -> None:
    """Write a table anew with one more column where it lacks it, that which features were built from, too."""
    from features.session import connect, parquet, write_parquet

    for folder in (root / "tables", root / "features" / "tables"):
        file = folder / f"{table}.parquet"
        if not file.exists():
            continue
        aside = file.with_suffix(".wider")
        with connect() as opened:
            names = [row[0] for row in opened.execute(f"DESCRIBE FROM {parquet(file)}").fetchall()]
            # A step that was killed half way is taken again: what has been widened stays as it is.
            if column not in names:
                write_parquet(opened, f"SELECT {wider} FROM {parquet(file)}", aside)
                aside.replace(file)


STEPS: dict[int, Callable[[Path], None]] = {1: _own_generations, 2: _wider_tables, 3: _zones}


def stated_version(root: Path) -> int:
    """The schema version that a workspace states; 0 when it states none.

    Raises:
        UserError: it is newer than this code, or `workspace.json` cannot be read.
    """
    stated = read_json(root / "workspace.json").get("schema_version", 0)
    if not isinstance(stated, int):
        raise UserError(f"{root / 'workspace.json'} states schema_version {stated!r}: it has to be a number.")
    if stated > SCHEMA_VERSION:
        raise UserError(
            f"workspace {root} has schema version {stated}, newer than this nextbest ({SCHEMA_VERSION}). "
            "Upgrade nextbest, or give another --workspace."
        )
    return stated


def migrate(root: Path) -> None:
    """Apply the steps between a workspace's version and the current one, each recorded when done.

    Raises:
        UserError: as `stated_version`.
    """
    file = root / "workspace.json"
    version = stated_version(root)
    if version == 0:
        write_json(file, {"schema_version": SCHEMA_VERSION})
        return
    if version < SCHEMA_VERSION:
        with FileLock(root / ".migrating"):
            for older in range(stated_version(root), SCHEMA_VERSION):
                STEPS[older](root)
                write_json(file, {"schema_version": older + 1})
