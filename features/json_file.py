"""Small JSON files, written so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from features.errors import ExitCode, UserError


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty if there is no such file.

    Raises:
        UserError: the file cannot be read, or holds something else (exit code NOT_BUILT).
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, " ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise _unreadable(path, f"it holds a {type(content).__name__}, not an object")
    return content


def _unreadable(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} cannot be read as JSON ({reason}). Restore it, or move it away and run the command that "
        "makes it again.",
        ExitCode.NOT_BUILT,
    )


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object aside and rename it into place."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(content, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
    aside.replace(path)
