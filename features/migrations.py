"""Bringing a workspace of an older layout up to date.

Procedure for a change of layout: raise `SCHEMA_VERSION`, add to `STEPS` the function that turns the
previous version into the new one, and add a test with a workspace of that version.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from features.errors import UserError
from features.json_file import read_json, write_json

SCHEMA_VERSION = 1
STEPS: dict[int, Callable[[Path], None]] = {}


def migrate(root: Path) -> None:
    """Apply the steps between a workspace's version and the current one, each recorded when done.

    Raises:
        UserError: the workspace is newer than this code.
    """
    file = root / "workspace.json"
    version = int(read_json(file).get("schema_version", 0))
    if version > SCHEMA_VERSION:
        raise UserError(
            f"workspace {root} has schema version {version}, newer than this nextbest ({SCHEMA_VERSION}). "
            "Upgrade nextbest, or give another --workspace."
        )
    if version == 0:
        write_json(file, {"schema_version": SCHEMA_VERSION})
        return
    for older in range(version, SCHEMA_VERSION):
        STEPS[older](root)
        write_json(file, {"schema_version": older + 1})
