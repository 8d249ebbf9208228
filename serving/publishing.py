"""Publishing an output folder of the user's choice whole: a reader sees the old content or the new.

The content is built beside the target, in `.<name>.generations`, and a symbolic link is replaced in one step.
Only a folder that an earlier run made is ever replaced.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    target = target.absolute()
    check(target, kind)
    home = target.parent / f".{target.name}.generations"
    aside = home / uuid.uuid4().hex[:12]
    aside.mkdir(parents=True)
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if target.is_dir() and not target.is_symlink():
        target.rename(home / f"{aside.name}.plain")
    link = aside.with_suffix(".link")
    link.symlink_to(os.path.relpath(aside, target.parent))
    link.replace(target)
    for old in home.iterdir():
        if old != aside:
            shutil.rmtree(old, ignore_errors=True)


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
