"""The command `models`: who is champion of each task, why, and who was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.clock import to_date
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from features.workspace import Workspace


@dataclass(frozen=True)
class Standing:
    """What the registry holds of a task.

    Attributes:
        task: its name.
        title: what it predicts, in words.
        champion: version that serves; None when there is none, and then the next seven are None, too.
        run_id: its run.
        as_of: date it was trained as of.
        metric: name of the primary metric.
        value, low, high: of it in the champion's report, with the 95 % interval; None where it is undefined.
        verdict: how it came to be champion, in words.
        gate: how its probabilities stood at the calibration gate: `passed`, `failed` or `none`; None where it
            was not asked.
        refused: why it cannot be used here, other feature declarations for one; None when it can.
        former: versions that were champion before and can be restored, the newest first.
        latest: the newest version; None when nothing is registered.
        latest_verdict: what came of it; None when it was never compared, or is the champion.
    """

    task: str
    title: str
    champion: int | None
    run_id: str | None
    as_of: str | None
    metric: str
    value: float | None
    low: float | None
    high: float | None
    verdict: str | None
    gate: str | None
    refused: str | None
    former: list[int]
    latest: int | None
    latest_verdict: str | None


def models(root: WorkspaceOption = DEFAULT_WORKSPACE, *, as_json: JsonOption = False) -> None:
    """Say for each task which model is champion, since when and why, and what can be restored."""
    from training import tasks

    space = workspace(root)
    found = [standing(space, name) for name in tasks.TASKS]
    emit(found, as_json=as_json, text=_lines(found))


def standing(space: Workspace, task: str) -> Standing:
    """What the registry holds of a task; a workspace without a store is not given one."""
    from training import tasks
    from training.registry import registry, tracking

    chosen = tasks.named(task)
    known = registry.versions(space, task)
    current = registry.champion_version(space, task)
    info = tracking.run_info(space, current[1]) if current else None
    metrics = info.metrics if info else {}
    latest = known[-1][0] if known else None
    open_ = latest is not None and (current is None or latest != current[0])
    return Standing(
        task=task,
        title=chosen.title,
        champion=current[0] if current else None,
        run_id=current[1] if current else None,
        as_of=str(to_date(info.as_of)) if info else None,
        metric=chosen.primary,
        value=metrics.get(chosen.primary),
        low=metrics.get(f"{chosen.primary}.low"),
        high=metrics.get(f"{chosen.primary}.high"),
        verdict=_verdict(space, task, current[0]) if current else None,
        gate=_verdict(space, task, current[0], ".gate") if current else None,
        refused=registry.refusal(space, current[1]) if current else None,
        former=registry.former(space, task) if known else [],
        latest=latest,
        latest_verdict=_latest(space, task, latest, current) if open_ and latest else None,
    )


def _verdict(space: Workspace, task: str, version: int, part: str = "") -> str | None:
    from training.registry import champions, registry

    return registry.version_tags(space, task, version).get(champions.VERDICT + part)


def _latest(space: Workspace, task: str, version: int, current: tuple[int, str] | None) -> str | None:
    """What came of the newest version, unless its verdict is about a champion that is so no more."""
    from training.registry import champions, registry

    tags = registry.version_tags(space, task, version)
    said = tags.get(champions.VERDICT)
    if said is None or current is None or champions.WITHDRAWN in tags:
        return said
    if tags.get(champions.PROMOTED) == str(True):
        return f"{task} version {version} was champion before; now version {current[0]} is."
    if tags.get(f"{champions.VERDICT}.against") == str(current[0]):
        return said
    again = f"`nextbest promote {task}` compares them"
    return f"{task} version {version} was not compared with version {current[0]}, the champion: {again}."


def _lines(found: list[Standing]) -> list[Any]:
    rows = [
        (
            each.task,
            each.champion or "-",
            each.as_of or "-",
            _value(each),
            {"passed": "passed", "failed": "FAILED"}.get(each.gate or "", "-"),
            ", ".join(map(str, each.former)) or "-",
            each.latest or "-",
        )
        for each in found
    ]
    columns = ("task", "champion", "as of", "report", "gate", "before", "latest")
    notes = []
    for each in found:
        notes += [each.verdict] if each.verdict else []
        notes += [f"  it cannot be used: {each.refused}"] if each.refused else []
        if each.latest_verdict:
            notes.append(each.latest_verdict)
        elif each.latest and each.latest != each.champion:
            notes.append(f"{each.task} version {each.latest} waits: run `nextbest promote {each.task}`.")
    return [table("Models", columns, rows), *notes]


def _value(each: Standing) -> str:
    if each.value is None:
        return "-"
    ends = "" if each.low is None or each.high is None else f" ({each.low:.4f} to {each.high:.4f})"
    return f"{each.metric} {each.value:.4f}{ends}"
