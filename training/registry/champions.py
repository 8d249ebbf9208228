"""Who was champion before: the last ones stay known, so that a promotion can be taken back.

The registered model's tag `former_champions` lists versions, the newest first. A rollback restores the first
of them and marks the one that leaves `withdrawn`, which is not promoted again unless its run is named. What
a version's verdict says of a rollback stays true whatever is promoted or rolled back after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from features.clock import to_date
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training.measuring.gate import Gate
from training.registry import registry, store, tracking

KEPT: Final = 5
VERDICT: Final = "verdict"
PROMOTED: Final = "verdict.promoted"
"""Whether a version became champion when it was last looked at, by the rule or by a rollback."""
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True)
class Rollback:
    """A champion restored.

    Attributes:
        task: name of the task.
        version: the champion now.
        run_id: its run.
        left: the version that was champion.
        former: champions that a further rollback can restore, the newest first.
        sentence: the same in words.
    """

    task: str
    version: int
    run_id: str
    left: int
    former: list[int]
    sentence: str


def crown(workspace: Workspace, task: str, version: int) -> None:
    """Make a version champion; the one before it heads the list of former ones."""
    client, current = store.client(workspace), registry.champion_version(workspace, task)
    before = registry.former(workspace, task)
    if current is not None:
        before = [current[0], *before]
    kept = [each for each in before if each != version][:KEPT]
    client.set_registered_model_tag(task, registry.FORMER, json.dumps(kept))
    if WITHDRAWN in registry.version_tags(workspace, task, version):
        client.delete_model_version_tag(task, str(version), WITHDRAWN)
    client.set_registered_model_alias(task, registry.ALIAS, str(version))


def rollback(workspace: Workspace, task: str, run_id: str | None = None) -> Rollback:
    """Restore the champion before the present one; done again, the one before that.

    Args:
        workspace: where the versions are.
        task: name of the task.
        run_id: restore the former champion that this run made, and forget those after it.

    Raises:
        UserError: there is no such former champion, or it can no longer be used.
    """
    client, current = store.client(workspace), registry.champion_version(workspace, task)
    if current is None:
        raise UserError(f"{task} has no champion, so there is nothing to roll back.", ExitCode.NOT_BUILT)
    runs = dict(registry.versions(workspace, task))
    before = [version for version in registry.former(workspace, task) if version in runs]
    chosen = [version for version in before if run_id in (None, runs[version])]
    if not chosen:
        if not before:
            raise UserError(
                f"{task} version {current[0]} is the only champion that is kept: no former one is left to "
                f"restore. Train and promote another: `nextbest train {task}`, `nextbest promote {task}`.",
                ExitCode.NOT_BUILT,
            )
        kept = ", ".join(f"version {version} (run {runs[version]})" for version in before)
        raise UserError(
            f"run {run_id} is not among the kept former champions of {task}: {kept}.", ExitCode.NOT_BUILT
        )
    version = chosen[0]
    as_of = to_date(_usable(workspace, task, version, before, runs))
    left = before[before.index(version) + 1 :]
    back = f"comes back only when its run is named: `nextbest promote {task} --run {current[1]}`."
    warning = _warning(registry.version_tags(workspace, task, version))
    sentence = (
        f"{task} version {version} (as of {as_of}) became champion again by a rollback from version "
        f"{current[0]}, which {back}{warning}"
    )
    withdrawn = f"{task} version {current[0]} was withdrawn by a rollback to version {version} and {back}"
    client.set_registered_model_tag(task, registry.FORMER, json.dumps(left))
    client.set_model_version_tag(task, str(version), VERDICT, sentence)
    client.set_model_version_tag(task, str(version), PROMOTED, str(True))
    client.set_model_version_tag(task, str(current[0]), VERDICT, withdrawn)
    client.set_model_version_tag(task, str(current[0]), WITHDRAWN, "true")
    client.set_registered_model_alias(task, registry.ALIAS, str(version))
    return Rollback(task, version, runs[version], current[0], left, sentence)


def _warning(tags: Mapping[str, str]) -> str:
    """What is said of a version that failed the gate when it was last looked at; empty for others."""
    if tags.get(f"{VERDICT}.gate") != "failed":
        return ""
    error, bound = (float(tags[f"{VERDICT}.calibration_{part}"]) for part in ("error", "bound"))
    of = tags.get(f"{VERDICT}.calibration_of", "")
    return Gate(error, bound, 0, useful=True, what=f" {of}" if of else "").warning


def _usable(workspace: Workspace, task: str, version: int, before: list[int], runs: dict[int, str]) -> int:
    """The as-of of a version that can still be loaded.

    Raises:
        UserError: it cannot, with the reason and what else can be restored.
    """
    if reason := registry.refusal(workspace, runs[version]):
        others = before[before.index(version) + 1 :]
        other = f"restore version {others[0]}: --rollback --run {runs[others[0]]}" if others else ""
        again = f"train another: `nextbest train {task}` and `nextbest promote {task}`"
        hint = f"{other}, or {again}" if other else again
        raise UserError(
            f"{task} version {version} cannot be restored: {reason}. {hint[0].upper()}{hint[1:]}.",
            ExitCode.NOT_BUILT,
        )
    return tracking.run_info(workspace, runs[version]).as_of
