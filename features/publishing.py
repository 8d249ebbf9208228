"""Publishing a folder whole: a reader sees the old content or the new, and a killed build leaves the old.

A generation is built aside, in `.<name>.generations/` beside the target, and a symbolic link is replaced in
one atomic step.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def generations(target: Path) -> Path:
    """The folder in which the generations of a target are built."""
    return target.parent / f".{target.name}.generations"


@contextmanager
def publish(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill; when the block ends well it becomes `target`, whatever stood there."""
    target = target.absolute()
    name = f"{target.name}-{uuid.uuid4().hex[:12]}"
    aside = generations(target) / name
    aside.mkdir(parents=True)
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if target.is_dir() and not target.is_symlink():
        target.rename(aside.with_suffix(".plain"))
    point(target, aside)
    sweep(target)


def sweep(target: Path) -> None:
    """Remove all generations but the published one: earlier ones, and what a killed build has left."""
    if not generations(target).exists():
        return
    published = target.readlink().name if target.is_symlink() else None
    for old in generations(target).iterdir():
        if old.is_symlink():
            old.unlink()
        elif old.name != published:
            shutil.rmtree(old, ignore_errors=True)


def point(target: Path, folder: Path) -> None:
    """Make `target` a link to `folder` in one atomic step."""
    link = folder.with_suffix(".link")
    link.symlink_to(os.path.relpath(folder, target.parent))
    link.replace(target)
