"""An output folder of the user's choice: only one that an earlier run made is ever replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features import publishing
from features.errors import UserError
from features.json_file import read_json

MANIFEST = "manifest.json"


@contextmanager
def publish(target: Path, kind: str) -> Iterator[Path]:
    """Give an empty folder to fill; when the block ends well it becomes `target`.

    Args:
        target: where readers look.
        kind: the `kind` that the manifest of an earlier output has to have for the target to be replaced.

    Raises:
        UserError: the target is something else's.
    """
    check(target, kind)
    with publishing.publish(target) as folder:
        yield folder


def check(target: Path, kind: str) -> None:
    """Refuse a target that was not made by an earlier run.

    Raises:
        UserError: it is a file, or a folder with other content.
    """
    if not target.exists() and not target.is_symlink():
        return
    ours = target.is_dir() and (read_json(target / MANIFEST).get("kind") == kind or not any(target.iterdir()))
    if not ours:
        raise UserError(
            f"{target} exists and was not made by this command. Move it away or name another --out."
        )
