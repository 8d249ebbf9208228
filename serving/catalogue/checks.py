"""What the shape of a catalogue cannot say: names that have to exist, shares that add up, limits that agree.

Each complaint is one sentence with the name, the value, what is expected and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from features import catalogue as features_catalogue
from features.errors import UserError, unknown
from serving.catalogue import names as catalogue_names
from serving.catalogue.file import KINDS, CatalogueFile, Entry, Experiment, Limit
from serving.scoring import scores

NONE: Final = "none"
_HAIR: Final = 1e-9


def check(parsed: CatalogueFile) -> None:
    """Every name that one part of a file uses of another is there, and no name means two things.

    Raises:
        UserError: something does not fit; the sentence names the part.
    """
    if parsed.default_place not in parsed.places:
        raise UserError(f"default_place: {unknown('place', parsed.default_place, parsed.places)}")
    for place_id, place in parsed.places.items():
        _known(f"place {place_id!r}", "channel", place.channels, parsed.channels)
    _check_own_names(parsed)
    _check_policy(parsed)
    for place_id, weights in parsed.context.items():
        _known("context", "place", [place_id], parsed.places)
        _known(f"context: {place_id}", "kind", weights, KINDS)
    for name, experiment in parsed.experiments.items():
        _check_experiment(name, experiment)
    seen: set[str] = set()
    for entry in parsed.actions:
        if entry.id in seen or entry.id == NONE:
            why = "is reserved for doing nothing" if entry.id == NONE else "is there twice"
            raise UserError(f"action {entry.id!r}: this id {why}. Give every action its own.")
        seen.add(entry.id)
        _check_entry(entry, parsed)


def _check_own_names(parsed: CatalogueFile) -> None:
    """Assumptions and triggers are read like features: their names have to be nobody else's."""
    taken = {*features_catalogue.NAMES, *scores.NAMES, scores.KNOWN}
    others = parsed.model_copy(update={"triggers": {}})
    stated = {*catalogue_names.TEXTS, *catalogue_names.meanings(others)}
    for name in (*parsed.assumptions, *parsed.triggers):
        what = "assumption" if name in parsed.assumptions else "trigger"
        if name in taken or name in stated or (name in parsed.assumptions and name in parsed.triggers):
            raise UserError(
                f"{what} {name!r}: a feature, score or other name of expressions is already called so. "
                "Choose another."
            )


def _check_policy(parsed: CatalogueFile) -> None:
    policy = parsed.policy
    if policy.purpose is not None:
        _known("policy: purpose", "purpose", [policy.purpose], parsed.purposes)
    _known("policy: exempt_kinds", "kind", policy.exempt_kinds, KINDS)
    if (policy.ignored_times == 0) != (policy.ignored_days == 0):
        raise UserError(
            f"policy: ignored_times is {policy.ignored_times} and ignored_days is {policy.ignored_days}. "
            "Give both, or neither."
        )
    _check_limits("policy: across", policy.across)
    for name, channel in parsed.channels.items():
        _check_limits(f"channel {name!r}: limits", channel.limits)
        quiet = channel.quiet_hours
        if quiet is not None and quiet.begins == quiet.ends:
            raise UserError(
                f"channel {name!r}: quiet_hours begin and end at {quiet.begins}. Give two times, "
                "or leave them out."
            )


def _check_limits(owner: str, limits: Sequence[Limit]) -> None:
    """A longer period has to allow more than a shorter one, or the shorter one's limit means nothing."""
    ordered = sorted(limits, key=lambda limit: (limit.days, limit.contacts))
    for short, long in pairwise(ordered):
        if short.days == long.days or short.contacts >= long.contacts:
            raise UserError(
                f"{owner}: {short.contacts} contacts in {short.days} days contradict {long.contacts} in "
                f"{long.days} days. A longer period has to allow more; keep one of the two."
            )


def _check_experiment(name: str, experiment: Experiment) -> None:
    total = math.fsum(experiment.arms.values())
    if abs(total - 1) > _HAIR:
        shares = ", ".join(f"{arm} {share:g}" for arm, share in experiment.arms.items())
        raise UserError(
            f"experiment {name!r}: the shares of its arms ({shares}) add up to {total:g}. Make it 1."
        )
    _check_days(f"experiment {name!r}", experiment.starts, experiment.ends)


def _check_days(owner: str, starts: date | None, ends: date | None) -> None:
    if starts is not None and ends is not None and ends < starts:
        raise UserError(f"{owner}: ends on {ends}, before it starts on {starts}. Exchange the two days.")


def _check_entry(entry: Entry, parsed: CatalogueFile) -> None:
    owner = f"action {entry.id!r}"
    _known(owner, "kind", [entry.kind], KINDS)
    _known(owner, "channel", entry.channels, parsed.channels)
    _known(owner, "place", entry.places, parsed.places)
    for place_id in entry.places:
        there = parsed.places[place_id].channels
        if not set(entry.channels) & set(there):
            raise UserError(
                f"{owner}: none of its channels ({', '.join(entry.channels)}) is open at place "
                f"{place_id!r} (there: {', '.join(there)})."
            )
    if entry.purpose is not None:
        _known(owner, "purpose", [entry.purpose], parsed.purposes)
    _check_limits(f"{owner}: limits", entry.limits)
    _check_days(owner, entry.starts, entry.ends)
    if entry.experiment is not None:
        _known(owner, "experiment", [entry.experiment.id], parsed.experiments)
        arms = parsed.experiments[entry.experiment.id].arms
        _known(f"{owner}: experiment {entry.experiment.id!r}", "arm", entry.experiment.arms, arms)
    if entry.effect is not None:
        _known(f"{owner}: effect", "assumption", [entry.effect], parsed.assumptions)
        if parsed.assumptions[entry.effect].spread is None:
            raise UserError(
                f"{owner}: effect {entry.effect!r} has no spread, so that outcomes could not correct it. "
                f"Give the assumption a spread: the standard deviation of what you believe."
            )
    if entry.sales is not None:
        _check_sales(owner, entry, parsed)


def _check_sales(owner: str, entry: Entry, parsed: CatalogueFile) -> None:
    assert entry.sales is not None
    if entry.effect is None:
        raise UserError(
            f"{owner}: sales measure nothing, for it names no effect. Name one, or take sales away."
        )
    named = [name for name in (entry.sales.margin, entry.sales.reward) if name is not None]
    _known(f"{owner}: sales", "assumption", named, parsed.assumptions)
    margin = parsed.assumptions[entry.sales.margin].value
    if not 0 < margin <= 1:
        raise UserError(
            f"{owner}: sales: margin {entry.sales.margin!r} is {margin:g}, not a share of sales. Name an "
            "assumption above 0 and at most 1."
        )


def _known(owner: str, what: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{owner}: {unknown(what, name, known)}")
