"""The action catalogue: what the platform may propose, to whom, through which channel, at what cost and gain.

A catalogue is a YAML file (`actions.yaml` beside this module, or the workspace's own). It is checked whole on
load, so that a decision never meets an unknown name; every refusal is one sentence with the file and the
action's id. Numbers that data cannot tell yet stand under `assumptions`, named, and every answer that rests
on them says so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from features import catalogue as features_catalogue
from features.errors import UserError, unknown
from features.expressions import expression as expressions
from features.expressions.expression import Expression
from serving import catalogue_file, scores
from serving.catalogue_file import Assumption, CatalogueFile, Channel, Entry, Place, Text

PACKAGED = Path(__file__).with_name("actions.yaml")
NONE = "none"
KINDS = (
    "onboarding",
    "growth",
    "cross_sell",
    "retention",
    "win_back",
    "service",
    "partner",
    "referral",
    "seasonal",
)


@dataclass(frozen=True)
class Action:
    """One thing that can be proposed.

    Attributes:
        id: stable name, also the last tie-break of the ranking.
        kind: one of `KINDS`.
        name: short name.
        text: what to say to the customer.
        eligible: condition over features, scores, `known` and assumptions; unknown counts as no.
        propensity: P(the customer does it because of the contact | the contact is noticed), in [0, 1].
        value_cents: gain in cents over `horizon_days` if so, before the contact's cost.
        horizon_days: the days over which the gain is counted.
        places: where it may be proposed.
        channels: through what.
        cross_sell: the answer lists products with it.
        evidence: features and scores that its expressions read, the condition's first; reasons name them.
        assumptions: the stated assumptions that its expressions read.
    """

    id: str
    kind: str
    name: Text
    text: Text
    eligible: Expression
    propensity: Expression
    value_cents: Expression
    horizon_days: int
    places: tuple[str, ...]
    channels: tuple[str, ...]
    cross_sell: bool
    evidence: tuple[str, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue; actions are ordered by id.

    Attributes:
        version: first 12 hex digits of the SHA-256 of the content, so that a decision says what it used.
        file: where it was read from.
        default_place: the place of a request that names none, and of the batch.
    """

    version: str
    file: Path
    default_place: str
    channels: Mapping[str, Channel]
    places: Mapping[str, Place]
    assumptions: Mapping[str, Assumption]
    actions: tuple[Action, ...]

    def at(self, place: str) -> Place:
        """The place of that name.

        Raises:
            UserError: there is none.
        """
        if place not in self.places:
            raise unknown("place", place, self.places)
        return self.places[place]

    def action(self, action_id: str) -> Action:
        """The action of that id.

        Raises:
            UserError: there is none.
        """
        for action in self.actions:
            if action.id == action_id:
                return action
        raise unknown("action", action_id, (action.id for action in self.actions))

    def tasks(self, place: str) -> frozenset[str]:
        """Training tasks whose scores an action at the place reads."""
        return frozenset(
            task
            for action in self.actions
            if place in action.places
            for name in action.evidence
            if name in scores.BY_NAME
            for task in scores.BY_NAME[name].tasks
        )


def choose(workspace_root: Path, given: Path | None = None) -> Path:
    """The catalogue file to use: the one given, else the workspace's own, else the packaged one."""
    own = workspace_root / "actions.yaml"
    return given or (own if own.exists() else PACKAGED)


def load(file: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        UserError: the file is not a valid catalogue; the sentence names the file and the action.
    """
    parsed = catalogue_file.read(file)
    try:
        _check_names(parsed)
        actions = tuple(sorted((_action(entry, parsed) for entry in parsed.actions), key=lambda a: a.id))
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    canonical = json.dumps(parsed.model_dump(), sort_keys=True, ensure_ascii=False)
    return Catalogue(
        version=hashlib.sha256(canonical.encode()).hexdigest()[:12],
        file=file,
        default_place=parsed.default_place,
        channels=parsed.channels,
        places=parsed.places,
        assumptions=parsed.assumptions,
        actions=actions,
    )


def _check_names(parsed: CatalogueFile) -> None:
    """Every name that one part of the file uses of another is there, and no name means two things."""
    if parsed.default_place not in parsed.places:
        raise UserError(f"default_place: {unknown('place', parsed.default_place, parsed.places)}")
    for place_id, place in parsed.places.items():
        _check_channels(f"place {place_id!r}", place.channels, parsed)
    for name in parsed.assumptions:
        if name in {*features_catalogue.NAMES, *scores.NAMES, scores.KNOWN}:
            raise UserError(f"assumption {name!r}: a feature or score already has this name. Choose another.")
    seen: set[str] = set()
    for entry in parsed.actions:
        if entry.id in seen or entry.id == NONE:
            why = "is reserved for doing nothing" if entry.id == NONE else "is there twice"
            raise UserError(f"action {entry.id!r}: this id {why}. Give every action its own.")
        seen.add(entry.id)
        _check_entry(entry, parsed)


def _check_entry(entry: Entry, parsed: CatalogueFile) -> None:
    if entry.kind not in KINDS:
        raise UserError(f"action {entry.id!r}: {unknown('kind', entry.kind, KINDS)}")
    _check_channels(f"action {entry.id!r}", entry.channels, parsed)
    for place_id in entry.places:
        if place_id not in parsed.places:
            raise UserError(f"action {entry.id!r}: {unknown('place', place_id, parsed.places)}")
        there = parsed.places[place_id].channels
        if not set(entry.channels) & set(there):
            raise UserError(
                f"action {entry.id!r}: none of its channels ({', '.join(entry.channels)}) is open at place "
                f"{place_id!r} (there: {', '.join(there)})."
            )


def _check_channels(owner: str, channels: list[str], parsed: CatalogueFile) -> None:
    for channel in channels:
        if channel not in parsed.channels:
            raise UserError(f"{owner}: {unknown('channel', channel, parsed.channels)}")


def _action(entry: Entry, parsed: CatalogueFile) -> Action:
    known = {*features_catalogue.NAMES, *scores.NAMES, scores.KNOWN, *parsed.assumptions}
    parts: dict[str, Expression] = {}
    kinds: dict[str, Literal["boolean", "number"]] = {
        "eligible": "boolean",
        "propensity": "number",
        "value_cents": "number",
    }
    for field, kind in kinds.items():
        try:
            parts[field] = expressions.parse(getattr(entry, field), known, kind=kind)
        except UserError as error:
            raise UserError(f"action {entry.id!r}: {field}: {error}") from None
    _check_probability(entry, parts["propensity"], parsed)
    unique = tuple(
        dict.fromkeys(name for field in parts for name in _in_order(parts[field], getattr(entry, field)))
    )
    return Action(
        id=entry.id,
        kind=entry.kind,
        name=entry.name,
        text=entry.text,
        eligible=parts["eligible"],
        propensity=parts["propensity"],
        value_cents=parts["value_cents"],
        horizon_days=entry.horizon_days,
        places=tuple(entry.places),
        channels=tuple(dict.fromkeys(entry.channels)),
        cross_sell=entry.cross_sell,
        evidence=tuple(name for name in unique if name not in parsed.assumptions),
        assumptions=tuple(name for name in unique if name in parsed.assumptions),
    )


def _check_probability(entry: Entry, propensity: Expression, parsed: CatalogueFile) -> None:
    """A propensity that is the same for every customer is known now."""
    if not propensity.names <= parsed.assumptions.keys():
        return
    columns = {name: np.array([item.value]) for name, item in parsed.assumptions.items()}
    value = float(propensity.evaluate(columns)[0])
    if not 0 <= value <= 1:
        raise UserError(
            f"action {entry.id!r}: propensity: {entry.propensity} is {value:g}, not a probability. "
            "Give a number from 0 to 1."
        )


def _in_order(expression: Expression, text: str) -> list[str]:
    """The names of an expression as they first appear in its text."""
    words = re.findall(r"\w+", text.lower())
    return sorted(expression.names, key=lambda name: words.index(name) if name in words else len(words))
