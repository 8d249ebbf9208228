"""Steps of a long job that are done again only when something they depend on has changed.

A step's key is a hash of the content of its inputs, the code it runs and its settings. The last
time's key is kept in the workspace; a step whose key is the same and whose outputs are there is reused.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from features.json_file import read_json, write_json
from features.output import plain
from features.workspace import Workspace

CODE_SUFFIXES = (".py", ".yaml", ".toml", ".html")
LIBRARIES = ("duckdb", "numpy", "optuna", "pandas", "scikit-learn", "scipy", "xgboost")


@dataclass(frozen=True)
class Step:
    """One step of a job.

    Attributes:
        name: what it is called in the summary and in the workspace's list.
        floors: packages whose code it runs.
        depends: what else its outcome depends on: fingerprints of inputs, settings. Plain JSON.
        ready: whether its outputs of the last time, described by `work`'s result, are still there.
        work: does it and returns a small plain result, kept for the next time.
    """

    name: str
    floors: tuple[str, ...]
    depends: Mapping[str, Any]
    ready: Callable[[Mapping[str, Any]], bool]
    work: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Done:
    """A step that is done: how long it took now, and whether the earlier outcome was reused."""

    name: str
    seconds: float
    reused: bool
    result: Mapping[str, Any]


def perform(workspace: Workspace, step: Step) -> Done:
    """Do a step, or reuse its outcome when nothing it depends on has changed."""
    started = time.perf_counter()
    key = step_key(step)
    past = read_json(workspace.steps).get(step.name, {})
    reused = past.get("key") == key and step.ready(past["result"])
    result = past["result"] if reused else plain(step.work())
    if not reused:
        write_json(workspace.steps, {**read_json(workspace.steps), step.name: {"key": key, "result": result}})
    return Done(step.name, time.perf_counter() - started, reused, result)


def step_key(step: Step) -> str:
    """Hash of everything a step's outcome depends on."""
    parts = {
        "depends": plain(step.depends),
        "code": {floor: code_hash(floor) for floor in step.floors},
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def code_hash(floor: str) -> str:
    """Hash of a package's source files."""
    spec = find_spec(floor)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    return content_hash(
        (str(file.relative_to(folder)), file)
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.suffix in CODE_SUFFIXES
    )


def folder_hash(folder: Path, *, without: str = "") -> str:
    """Hash of the names and the content of a folder's files, but for those of the folder `without` in it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if without:
        files = [file for file in files if file.relative_to(folder).parts[0] != without]
    return content_hash((str(file.relative_to(folder)), file) for file in files)


def content_hash(files: Iterable[tuple[str, Path]]) -> str:
    """Hash of named files, each read as a stream."""
    whole = hashlib.sha256()
    for name, path in files:
        with path.open("rb") as stream:
            whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
