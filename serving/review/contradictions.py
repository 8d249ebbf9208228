"""What in a valid catalogue contradicts another part of it, or is never used: found without any customer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from features import clock
from serving.catalogue.actions import Action, Catalogue
from serving.catalogue.file import Limit
from serving.catalogue.names import CONSENT
from serving.review.impossible import impossible
from serving.scoring import meanings

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that somebody should look at.

    Attributes:
        severity: "error": it cannot be meant so; "warning": it may; "note": it may well.
        rule: id of what was looked for.
        subject: action, place or other part of the catalogue.
        says: what is the matter and what to do, in one or two sentences.
        customers: how many it concerns; None when it concerns the catalogue alone.
    """

    severity: Severity
    rule: str
    subject: str
    says: str
    customers: int | None = None


def contradictions(catalogue: Catalogue) -> Iterator[Finding]:
    """Every contradiction in a catalogue, then what it states for nothing."""
    yield from _policy(catalogue)
    for action in catalogue.actions:
        yield from _condition(catalogue, action)
        yield from _limits(catalogue, action)
        yield from _days(catalogue, action)
        yield from _groups(catalogue, action)
        yield from _credible(catalogue, action)
    yield from _unused(catalogue)


def _policy(catalogue: Catalogue) -> Iterator[Finding]:
    policy = catalogue.policy
    if policy.refused_days and policy.refused_all_days >= policy.refused_days:
        yield Finding(
            "warning",
            "contradictory_limits",
            "policy",
            f"refused_days ({policy.refused_days}) never matters: after a refusal everything rests for "
            f"refused_all_days ({policy.refused_all_days}). Make refused_days the longer one.",
        )
    if policy.complaint_days and not any(action.exempt for action in catalogue.actions):
        kinds = ", ".join(policy.exempt_kinds) or "none"
        yield Finding(
            "warning",
            "complaint_without_answer",
            "policy",
            f"an open complaint stops everything for {policy.complaint_days} days and no action answers it: "
            f"there is none of an exempt kind ({kinds}). Add one.",
        )
    for name, channel in catalogue.channels.items():
        for limit in channel.limits:
            yield from _unreached(f"channel {name}", limit, "all channels together", policy.across)


def _condition(catalogue: Catalogue, action: Action) -> Iterator[Finding]:
    constants = {name: item.value for name, item in catalogue.assumptions.items()}
    name = impossible(action.eligible, constants, {**meanings.meanings(), **catalogue.meanings})
    if name is not None:
        yield Finding(
            "error",
            "impossible",
            f"action {action.id}",
            f"nobody can ever meet its condition ({action.eligible.text}): it leaves no value for {name}. "
            "Correct it.",
        )


def _limits(catalogue: Catalogue, action: Action) -> Iterator[Finding]:
    for limit in action.limits:
        if action.exempt:
            continue
        owner = f"action {action.id}"
        yield from _unreached(owner, limit, "all channels together", catalogue.policy.across)
        if len(action.channels) == 1:
            (channel,) = action.channels
            yield from _unreached(owner, limit, f"channel {channel}", catalogue.channels[channel].limits)


def _unreached(owner: str, limit: Limit, other: str, limits: Sequence[Limit]) -> Iterator[Finding]:
    """A limit that another one never lets anybody reach."""
    for tighter in limits:
        if tighter.days >= limit.days and tighter.contacts <= limit.contacts:
            yield Finding(
                "warning",
                "contradictory_limits",
                owner,
                f"its limit of {limit.contacts} in {limit.days} days is never reached: {other} may be used "
                f"{tighter.contacts} times in {tighter.days} days. Tighten it or take it away.",
            )
            return


def _days(catalogue: Catalogue, action: Action) -> Iterator[Finding]:
    if action.experiment is None:
        return
    experiment = catalogue.experiments[action.experiment.id]
    starts, ends = (None if d is None else clock.to_day(d) for d in (experiment.starts, experiment.ends))
    for first, last in ((action.starts, ends), (starts, action.ends)):
        if first is not None and last is not None and first > last:
            yield Finding(
                "error",
                "contradictory_days",
                f"action {action.id}",
                f"it and its experiment {action.experiment.id} have no day in common, so that it is never "
                "offered. Change the days of one of them.",
            )


def _groups(catalogue: Catalogue, action: Action) -> Iterator[Finding]:
    if action.exempt and action.control_share:
        yield Finding(
            "warning",
            "control_of_exempt",
            f"action {action.id}",
            f"its control_share ({action.control_share:g}) has no effect: nobody goes without an action of "
            f"kind {action.kind}. Take it away, or the kind out of exempt_kinds.",
        )
    elif action.control_share and action.effect is None:
        yield Finding(
            "warning",
            "control_without_effect",
            f"action {action.id}",
            f"its control group ({action.control_share:g} of customers) goes without it and nothing is "
            "compared: it names no effect to estimate. Name one, with sales where no visit shows it, or take "
            "control_share away.",
        )
    if action.experiment is not None:
        arms = catalogue.experiments[action.experiment.id].arms
        if arms.keys() <= set(action.experiment.arms):
            yield Finding(
                "warning",
                "experiment_without_others",
                f"action {action.id}",
                f"it is offered in every arm of experiment {action.experiment.id}, so that nothing is "
                "compared. Leave one arm out.",
            )


def _credible(catalogue: Catalogue, action: Action) -> Iterator[Finding]:
    """An effect so uncertain that no gain from it is ever credible."""
    effect = catalogue.effect(action)
    if effect is None or not effect.spread:
        return
    needed = NormalDist().inv_cdf(catalogue.credibility)
    if needed * effect.spread >= abs(effect.value):
        yield Finding(
            "error",
            "never_credible",
            f"action {action.id}",
            f"its effect {action.effect} is {effect.value:g} with a spread of {effect.spread:g}: no gain "
            f"is above zero with the probability of {catalogue.credibility:g} that is asked for. Lower the "
            f"spread below {abs(effect.value) / needed:.2g}, or the credibility.",
        )


def _unused(catalogue: Catalogue) -> Iterator[Finding]:
    actions = catalogue.actions
    reads = {name for action in actions for name in (*action.reads, *action.assumptions)}
    purposes = {
        *(action.purpose for action in actions),
        *(name.removeprefix(CONSENT) for name in reads if name.startswith(CONSENT)),
    }
    used: dict[str, tuple[Collection[str], Collection[str | None]]] = {
        "assumption": (catalogue.assumptions, reads),
        "trigger": (catalogue.triggers, reads),
        "purpose": (catalogue.purposes, purposes),
        "channel": (catalogue.channels, {name for action in actions for name in action.channels}),
        "experiment": (
            catalogue.experiments,
            {action.experiment.id for action in actions if action.experiment is not None},
        ),
    }
    for what, (declared, wanted) in used.items():
        for name in declared:
            if name not in wanted:
                yield Finding(
                    "warning",
                    "unused",
                    f"{what} {name}",
                    "no action uses it. Take it away, or use it.",
                )
