"""Whether a challenger takes the place of the champion: whether it can, the gate, the comparison, the rule.

    refused     A challenger that does not load, its files damaged or its features declared otherwise, or
                whose validation rows are gone, is not looked at any further.
    the gate    Each probability that the challenger promises has to be calibrated on its validation rows
                (`gate`), or, on the rows it shares with a champion that fails the gate there as well, be no
                worse than that one's; a model let in so has a warning in its verdict.
                Where no champion can serve instead, a model that fails is let in with a warning, as long as
                any of its probabilities is worth more than the mean rate or it foretells amounts, too:
                without a model there is no decision at all. One without validation rows, or without a
                probability on them, is let in there as it is.
    the rule    By the paired household-bootstrap 95 % interval of the primary metric on the same rows
                (`comparison`). Better beyond chance: the challenger takes the place. Worse beyond chance: it
                does not. Undecided: the champion stays, unless fresher data speak against it (the challenger
                was trained as of a later day and its number is not the worse one) or the gate does (the
                challenger passes, the champion does not).
    redefined   Numbers of two labels say nothing of each other. Where the source's definition is now the
                challenger's and no longer the champion's, the gate alone decides; where it is not the
                challenger's, the champion stays.
    no rows     Without a row in common the champion stays, unless it can no longer be loaded or compared, or
                learned from a source that the challenger's has taken the place of and the challenger passes
                the gate.

The verdict stands in the registry as tags of the challenger's version. Baselines of a report are no versions:
one that wins is warned of (tag `warnings`), and nothing can give it the alias.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Final

from features.canonical import Canonical
from features.clock import to_date
from features.labels import LabelDefinitions
from features.workspace import Workspace
from training import tasks
from training.measuring.gate import Gate, promises, worst
from training.registry import champions, registry, store, tracking
from training.registry.comparison import Compared, choice_rows, compare
from training.registry.tracking import RunInfo
from training.task import Task

_MORE: Final = "Train it again once there are more records."
_LONGER: Final = "Train it again with more history, or define the label as before."


@dataclass(frozen=True)
class Verdict:
    """What came of an attempt to promote.

    Attributes:
        task: name of the task.
        run_id: run of the challenger.
        version: version of the challenger.
        promoted: whether the challenger is champion now and was not before.
        champion_version: version of the champion after the attempt; None when there is none.
        metric: name of the primary metric.
        challenger_value: its value for the challenger on the common rows; None without any.
        champion_value: its value for the earlier champion on them; None without any.
        difference, low, high: challenger minus champion and its 95 % interval; None without common rows.
        rows: number of common rows that the metric reads.
        gate: `passed`, `failed`, or `none` when the run has no validation rows.
        calibration_error, calibration_bound: what the gate goes by: of all that the model promises the one
            farthest out; None when there was nothing to check.
        calibration_of: which that is, within 14 days for one; empty: the task's label.
        sentence: the verdict in words.
        warnings: what the challenger's run warned of, a baseline that beats it for one.
        refused: why the challenger cannot be used at all; None when it can.
    """

    task: str
    run_id: str
    version: int
    promoted: bool
    champion_version: int | None
    metric: str
    challenger_value: float | None
    champion_value: float | None
    difference: float | None
    low: float | None
    high: float | None
    rows: int
    gate: str
    calibration_error: float | None
    calibration_bound: float | None
    calibration_of: str
    sentence: str
    warnings: str
    refused: str | None


@dataclass(frozen=True)
class Ruling:
    """The outcome, the words for it, and what it goes by; see `Verdict`.

    Attributes:
        weighed: whether the challenger was looked at, so that the verdict replaces what was written of it.
        refused: see `Verdict`.
    """

    promoted: bool
    sentence: str
    gate: Gate | None = None
    compared: Compared | None = None
    weighed: bool = True
    refused: str | None = None


def promote(workspace: Workspace, task: str, run_id: str | None = None) -> Verdict:
    """Make a version champion by the gate and the rule, and write the verdict into the registry.

    Args:
        workspace: where the versions are.
        task: name of the task.
        run_id: the challenger's run; default: the latest version.

    Raises:
        UserError: the task has no such version.
    """
    version, challenger = registry.challenger(workspace, task, run_id)
    info = tracking.run_info(workspace, challenger)
    current = registry.champion_version(workspace, task)
    ruling = _rule(workspace, info, version, current, named=run_id is not None)
    gate, compared = ruling.gate, ruling.compared
    verdict = Verdict(
        task=task,
        run_id=challenger,
        version=version,
        promoted=ruling.promoted,
        champion_version=version if ruling.promoted else None if current is None else current[0],
        metric=tasks.named(task, info.options).primary,
        challenger_value=compared.challenger if compared else None,
        champion_value=compared.champion if compared else None,
        difference=compared.difference.value if compared else None,
        low=compared.difference.low if compared else None,
        high=compared.difference.high if compared else None,
        rows=compared.rows if compared else 0,
        gate="none" if gate is None else "passed" if gate.passed else "failed",
        calibration_error=gate.error if gate else None,
        calibration_bound=gate.bound if gate else None,
        calibration_of=gate.what.strip() if gate else "",
        sentence=ruling.sentence,
        warnings=info.tags["warnings"],
        refused=ruling.refused,
    )
    if ruling.weighed:
        _write_down(workspace, verdict, current)
    if ruling.promoted:
        champions.crown(workspace, task, version)
    return verdict


def _rule(
    workspace: Workspace, info: RunInfo, version: int, current: tuple[int, str] | None, *, named: bool
) -> Ruling:
    """Decide by the gate and the rule of this file's head; `named`: the user asked for this very version."""
    new = f"{info.task} version {version}"
    if current is not None and current[0] == version:
        refused = registry.refusal(workspace, info.run_id)
        broken = f", but it cannot be used: {refused}. {_again(info.task)}" if refused else "."
        return Ruling(False, f"{new} is already champion{broken}", weighed=False, refused=refused)
    if not named and champions.WITHDRAWN in registry.version_tags(workspace, info.task, version):
        again = f"`nextbest promote {info.task} --run {info.run_id}`"
        said = f"{new} was withdrawn by a rollback; {again} compares it once more."
        return Ruling(False, said, weighed=False)
    if refused := registry.unfit(workspace, info.run_id):
        champion = f"version {current[0]} stays champion" if current else "there is no champion"
        said = f"{new} is not promoted, {champion}: it cannot be used: {refused}. {_again(info.task)}"
        return Ruling(False, said, refused=refused)
    task = tasks.named(info.task, info.options)
    rows = tracking.load_rows(workspace, info.run_id, tracking.CHOICE)
    longest = task.horizon_days(_labels(info))
    gates = promises(task.gate, rows, longest=longest, let_be=task.gate_bound)
    gate = worst(gates)
    if current is None:
        wins = f"{new} is champion: there was none before"
        return _unopposed(task, gates, new, wins, "there is no champion")
    old, run_id = current
    wins = f"{new} takes the place of version {old}"
    stays = f"{new} is not promoted, version {old} stays champion"
    usable = registry.refusal(workspace, run_id) is None
    theirs = tracking.run_info(workspace, run_id) if usable else None
    if theirs and (why := _redefined(task, _labels(info), _labels(theirs))):
        if other := _redefined(task, _labels(info), Canonical.open(workspace).source.labels):
            return Ruling(False, f"{stays}: {other} in the source now. {_again(info.task)}", gate)
        return _superseding(gate, wins, stays, f"{why} for version {old}", _LONGER)
    compared = compare(workspace, task, info.run_id, run_id) if usable else None
    if compared is not None and theirs is not None:
        promoted, why = _by_numbers(gates, compared, info.as_of, theirs.as_of)
        warned = gate.warning if promoted and gate else ""
        return Ruling(promoted, f"{wins if promoted else stays}: {why}.{warned}", gate, compared)
    if theirs and choice_rows(workspace, run_id) is not None:
        if why := task.supersedes(tasks.named(theirs.task, theirs.options)):
            return _superseding(gate, wins, stays, why, _MORE)
        as_of = to_date(theirs.as_of)
        hint = f"Train the challenger so that it has a validation cutoff on or after {as_of}."
        return Ruling(False, f"{stays}: their validation cutoffs have no row in common. {hint}", gate)
    reasons = "other feature declarations, or its files are gone or damaged"
    why = f"which can no longer be loaded or compared ({reasons})"
    return _unopposed(task, gates, new, f"{wins}, {why}", f"version {old}, {why}, stays champion")


def _superseding(gate: Gate | None, wins: str, stays: str, why: str, hint: str) -> Ruling:
    """Where a challenger has learned from what counts more and cannot be compared: the gate decides."""
    if gate is None:
        return Ruling(False, f"{stays}: {why}, but it has no validation rows to be judged by. {hint}", gate)
    if gate.passed:
        return Ruling(True, f"{wins}, because {why}; {gate.sentence}.", gate)
    return Ruling(False, f"{stays}: {why}, but {gate.sentence}. {hint}", gate)


def _labels(info: RunInfo) -> LabelDefinitions:
    return LabelDefinitions.read(json.loads(info.tags.get("labels", "{}")))


def _redefined(task: Task[Any], ours: LabelDefinitions, theirs: LabelDefinitions) -> str:
    """How two definitions of a task's label differ, as a clause; empty when they are one."""
    here, there = task.definition(ours), task.definition(theirs)
    parts = [f"{name} is {here[name]}, but {there[name]}" for name in here if here[name] != there[name]]
    return f"where its label is defined, {' and '.join(parts)}" if parts else ""


def _again(task: str) -> str:
    return f"Restore its files, or run `nextbest train {task}` and `nextbest promote {task}`."


def _unopposed(task: Task[Any], gates: dict[str, Gate], new: str, wins: str, else_: str) -> Ruling:
    """Without a champion that could serve instead."""
    gate = worst(gates)
    if gate is None:
        return Ruling(True, f"{wins}.")
    if gate.passed:
        return Ruling(True, f"{wins}; {gate.sentence}.", gate)
    if task.amounts or any(each.useful for each in gates.values()):
        return Ruling(True, f"{wins}.{gate.warning}", gate)
    why = f"{gate.sentence}, and its probabilities are worth no more than the mean rate of everybody"
    hint = "Train with more history, or check the label definitions."
    return Ruling(False, f"{new} is not promoted, {else_}: {why}. {hint}", gate)


def _by_numbers(
    gates: dict[str, Gate], compared: Compared, as_of: int, champion_as_of: int
) -> tuple[bool, str]:
    """Whether the challenger takes the place, and why: the gate, then the rule."""
    failed = {what: gate for what, gate in gates.items() if not gate.passed}
    if gate := worst({what: gate for what, gate in failed.items() if not _excused(what, compared)}):
        return False, f"{gate.sentence}, so its probabilities may not be multiplied by money"
    theirs = worst(compared.gates[1])
    numbers = compared.sentence
    if compared.difference.verdict != "undecided":
        return compared.difference.verdict == "better", numbers
    if gates and not failed and theirs and not theirs.passed:
        return True, f"{numbers}; it is calibrated, the champion is not ({theirs.error:.4f})"
    later = as_of > champion_as_of
    days = f"it was trained as of {to_date(as_of)}, the champion as of {to_date(champion_as_of)}"
    if later and compared.not_worse:
        return True, f"{numbers}; {days}, and fresher data decide"
    return False, numbers if later else f"{numbers}; {days}, and no fresher data speak for it"


def _excused(what: str, compared: Compared) -> bool:
    """Whether the champion fails the gate there, too, and is no better on the same rows."""
    ours, theirs = (gates.get(what) for gates in compared.gates)
    return bool(ours and theirs and not theirs.passed and ours.error <= theirs.error)


def _write_down(workspace: Workspace, verdict: Verdict, current: tuple[int, str] | None) -> None:
    """The verdict as tags of the challenger's version: the sentence, and each fact under its own name."""
    client = store.client(workspace)
    facts = dataclasses.asdict(verdict) | {"against": current[0] if current else None}
    left_out = {"task", "run_id", "version", "sentence", "champion_version"}
    tags: dict[str, Any] = {champions.VERDICT: verdict.sentence}
    tags |= {f"{champions.VERDICT}.{name}": facts[name] for name in facts if name not in left_out}
    before, version = registry.version_tags(workspace, verdict.task, verdict.version), str(verdict.version)
    for name, value in tags.items():
        if value is not None:
            client.set_model_version_tag(verdict.task, version, name, str(value))
        elif name in before:
            client.delete_model_version_tag(verdict.task, version, name)
