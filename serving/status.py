"""What a workspace holds: what is built, as of when, by which champions, and what is behind what.

Freshness is a chain: tables -> features -> champions -> scores. A link is fresh when made from what the
link before it has now; otherwise it says what is behind and which command brings it up to date.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import UserError
from features.migrations import SCHEMA_VERSION
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table

if TYPE_CHECKING:
    from rich.table import Table

    from features.canonical import Canonical
    from features.workspace import Workspace


@dataclass(frozen=True)
class Built:
    """One link of the chain.

    Attributes:
        name: tables, features, a task's champion, or scores.
        built: whether it is there. A task that the source cannot support has no champion and is not behind.
        as_of: the first day it knows nothing of; None when not built.
        says: what it is, in words.
        behind: why it is not fresh, and what to run unless it is a champion; None when it is fresh.
        run_id: the champion's MLflow run; None for anything else.
        champion: whether it is a task's champion, or its place; what to do about those is said once for all.
        unusable: whether it is a champion that does not load.
    """

    name: str
    built: bool
    as_of: str | None
    says: str
    behind: str | None
    run_id: str | None = None
    champion: bool = False
    unusable: bool = False


@dataclass(frozen=True)
class Status:
    """The state of a workspace.

    Attributes:
        workspace: its folder.
        exists: whether there is one.
        schema_version: of its layout; None when there is none.
        size_bytes: of all its files.
        writer: purpose, process and start of the command that is writing in it; None when nobody is.
        source: name, time zone and currency of what was ingested; None when nothing was.
        links: tables, features, champions, scores.
        fresh: whether there are links and none is behind.
        shifts: what of the last ingest's rows is further from those before than a bound allows.
        advice: what to do about the champions that are behind or cannot be used; None without any.
    """

    workspace: Path
    exists: bool
    schema_version: int | None
    size_bytes: int
    writer: Mapping[str, Any] | None
    source: Mapping[str, str] | None
    links: tuple[Built, ...]
    fresh: bool
    shifts: tuple[str, ...] = ()
    advice: str | None = None


def status(root: WorkspaceOption = DEFAULT_WORKSPACE, as_json: JsonOption = False) -> None:
    """Say what is built, as of when, by which champions, and whether it is fresh. Changes nothing."""
    from features.workspace import Workspace

    found = inspect(Workspace(root))
    emit(found, as_json=as_json, text=lines(found))


def inspect(space: Workspace) -> Status:
    """Look at a workspace without changing anything in it.

    Raises:
        UserError: it is a file, its layout is not this code's, or one of its files cannot be read.
    """
    version = space.check()
    if 0 < version < SCHEMA_VERSION:
        raise UserError(
            f"workspace {space.root} has schema version {version}, and this nextbest works with "
            f"{SCHEMA_VERSION}. Any other command brings it up to date, such as `nextbest models`."
        )
    links, source = _links(space) if version else ((), None)
    return Status(
        workspace=space.root,
        exists=space.root.exists(),
        schema_version=version or None,
        size_bytes=size_bytes(space.root),
        writer=writer(space),
        source=source,
        links=links,
        fresh=bool(links) and all(link.behind is None for link in links),
        shifts=_shifts(space) if version else (),
        advice=_advice(space, links),
    )


def _links(space: Workspace) -> tuple[tuple[Built, ...], Mapping[str, str] | None]:
    from features.canonical import SOURCE_FILE, Canonical
    from features.clock import to_date
    from training.tasks import TASKS

    if not (space.tables / SOURCE_FILE).exists():
        return (Built("tables", built=False, as_of=None, says="none", behind="run `nextbest ingest`"),), None
    canonical = Canonical.open(space)
    rows = canonical.profile["rows"]
    count = f"{rows['transactions']:,} transactions"
    span = f"{to_date(canonical.first_day)} to {to_date(canonical.last_day)}"
    tables = Built(
        name="tables",
        built=True,
        as_of=str(to_date(canonical.clock_day)),
        says=f"{count}, {span}; {len(rows)} tables, ingested {_written(space.tables / SOURCE_FILE)}",
        behind=None,
    )
    source = {
        "name": canonical.source.name,
        "time_zone": canonical.source.zone,
        "currency": canonical.source.currency,
    }
    champions = [_champion(space, canonical, task) for task in TASKS]
    return (tables, _features(space, canonical), *champions, _scores(space, canonical)), source


def _shifts(space: Workspace) -> tuple[str, ...]:
    from features.quality import review

    return tuple(shift.says for shift in review.last(space.tables))


def _features(space: Workspace, canonical: Canonical) -> Built:
    from features.build import NOTE, built_from, files
    from features.clock import to_date
    from features.json_file import read_json

    note = read_json(space.features / NOTE)
    if not note:
        return Built("features", built=False, as_of=None, says="none", behind="run `nextbest features build`")
    fresh = built_from(canonical) is not None
    lost = [file for file in files() if not (space.features / file).exists()]
    reason = f"{', '.join(lost)} is missing" if lost else "made from other tables"
    return Built(
        name="features",
        built=True,
        as_of=str(to_date(canonical.clock_day)) if fresh else None,
        says=f"{note['build']['customers']:,} customers, built {_written(space.features / NOTE)}",
        behind=None if fresh else f"{reason}: run `nextbest features build`",
    )


def _champion(space: Workspace, canonical: Canonical, task: str) -> Built:
    from features.clock import to_date
    from serving.scoring.scorer import impossible
    from training import tasks
    from training.registry import registry, tracking

    found = registry.champion_version(space, task)
    if found is None:
        never = impossible(canonical, task)
        says, behind = (never, None) if never else ("no champion", "not there yet")
        return Built(task, built=False, as_of=None, says=says, behind=behind, champion=True)
    version, run_id = found
    info = tracking.run_info(space, run_id)
    metric = tasks.named(task).primary
    says = f"champion is version {version}, {metric} {info.metrics[metric]:.4f}"
    behind = None
    refused = registry.refusal(space, run_id)
    if refused:
        behind = f"it cannot be used: {refused}"
    elif info.as_of < canonical.clock_day:
        behind = f"{canonical.clock_day - info.as_of} days behind the tables"
    elif info.tags["data_fingerprint"] != canonical.profile["fingerprint"]:
        behind = "trained on other tables"
    as_of, broken = str(to_date(info.as_of)), bool(refused)
    return Built(task, True, as_of, says, behind, run_id, champion=True, unusable=broken)


def _advice(space: Workspace, links: Sequence[Built]) -> str | None:
    """What to do about champions, once for all that are behind and once for all that cannot be used."""
    from training.measuring.evaluation import listed
    from training.registry import registry

    broken = [link.name for link in links if link.unusable]
    stale = [link.name for link in links if link.champion and link.behind and not link.unusable]
    said = []
    if stale:
        said.append(f"For champions of {listed(stale)} that are up to date: {_again(stale)}.")
    if broken:
        back = [name for name in broken if registry.restorable(space, name)]
        ways = [f"go back to a former one (`nextbest promote {name} --rollback`)" for name in back]
        ways = ["restore their files", *ways, _again(broken)]
        said.append(f"To have models that can be used in place of {listed(broken)}: {', or '.join(ways)}.")
    return " ".join(said) or None


def _again(tasks: Sequence[str]) -> str:
    promoted = tasks[0] if len(tasks) == 1 else "--all"
    return f"run `nextbest train {' '.join(tasks)}` and `nextbest promote {promoted}`"


def _scores(space: Workspace, canonical: Canonical) -> Built:
    from features.clock import to_date
    from features.json_file import read_json
    from serving.batch.nightly import lost
    from serving.publishing import MANIFEST
    from training.registry import registry
    from training.tasks import TASKS

    manifest = read_json(space.scores / MANIFEST)
    if not manifest:
        return Built("scores", built=False, as_of=None, says="none", behind="run `nextbest score`")
    used = {task: facts["run_id"] for task, facts in manifest["models"].items()}
    champions = {task: registry.champion_version(space, task) for task in TASKS}
    current = {task: found[1] for task, found in champions.items() if found is not None}
    behind = None
    if gone := lost(space.scores):
        behind = f"{', '.join(gone)} is missing: run `nextbest score`"
    elif used != current:
        behind = "made by other models than the champions: run `nextbest score`"
    elif manifest["as_of"] < str(to_date(canonical.clock_day)):
        behind = f"as of {manifest['as_of']}, before the tables' last day: run `nextbest score`"
    elif manifest["data_fingerprint"] != canonical.profile["fingerprint"]:
        behind = "made from other tables: run `nextbest score`"
    says = f"{manifest['counts']['customers']:,} customers, finished {manifest['times']['finished']}"
    return Built("scores", built=True, as_of=manifest["as_of"], says=says, behind=behind)


def writer(space: Workspace) -> Mapping[str, Any] | None:
    """Who is writing in a workspace now; a note left by a killed process does not count."""
    from features.json_file import read_json

    holder = read_json(space.root / "lock.json")
    return holder if holder and _alive(int(holder["pid"])) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def size_bytes(root: Path) -> int:
    """Size of all files under a folder, links not followed."""
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def lines(found: Status) -> list[str | Table]:
    """The status as a person reads it."""
    if found.schema_version is None:
        return [f"workspace {found.workspace}: nothing here yet. Run `nextbest run`, or `nextbest ingest`."]
    facts = f"schema {found.schema_version}, {found.size_bytes / 1e6:.0f} MB"
    head = [f"workspace {found.workspace}: {facts}, {'fresh' if found.fresh else 'not fresh'}"]
    if found.source:
        head.append(f"source {', '.join(filter(None, found.source.values()))}")
    if found.writer:
        writing = found.writer
        head.append(
            f"`nextbest {writing['purpose']}` is writing (process {writing['pid']}, since {writing['since']})"
        )
    rows = [(link.name, link.as_of or "-", link.says, _state(link)) for link in found.links]
    runs = [f"{link.name}: run {link.run_id}" for link in found.links if link.run_id]
    shifts = [f"warning: {says}" for says in found.shifts]
    advice = [found.advice] if found.advice else []
    return [*head, table("", ("part", "as of", "what", "state"), rows), *advice, *shifts, *runs]


def _state(link: Built) -> str:
    return link.behind or ("fresh" if link.built else "not needed")


def _written(file: Path) -> str:
    """When a file was written, as a UTC instant."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
