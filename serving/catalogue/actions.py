"""The action catalogue: what the platform may propose, to whom, through which channel, at what cost and gain.

A catalogue is a YAML file (`actions.yaml` beside this module, or the workspace's own). It is checked whole on
load, so that a decision never meets an unknown name; every refusal is one sentence with the file and the
action's id. Numbers that data cannot tell yet stand under `assumptions`, named, and every answer that rests
on them says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from features import clock
from features.errors import UserError, together, unknown
from serving.catalogue import action
from serving.catalogue import checks as catalogue_checks
from serving.catalogue import file as catalogue_file
from serving.catalogue import names as catalogue_names
from serving.catalogue.action import Action
from serving.catalogue.file import (
    KINDS,
    Assumption,
    CatalogueFile,
    Channel,
    Control,
    Experiment,
    Exploration,
    Place,
    Policy,
    Purpose,
    Trigger,
)
from serving.scoring import scores
from serving.scoring.meanings import Meaning

__all__ = ["KINDS", "NONE", "OWN", "PACKAGED", "Action", "Catalogue", "choose", "load"]

PACKAGED = Path(__file__).with_name("actions.yaml")
OWN = "actions.yaml"
NONE = catalogue_checks.NONE


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue; actions are ordered by id.

    Attributes:
        version: first 12 hex digits of the SHA-256 of the content, so that a decision says what it used.
        file: where it was read from.
        default_place: the place of a request that names none, and of the batch.
        channels: by name, with costs, reach, limits and quiet hours.
        places: by name.
        purposes: what customers may consent to; without any nobody is asked.
        policy: how often and when a customer is left alone.
        control: the customers who get nothing but exempt kinds.
        exploration: how often another credible action than the best stands first.
        credibility: least P(expected value > 0) of an action that is offered.
        context: place -> kind -> weight in the ranking.
        experiments: by name.
        triggers: by name.
        assumptions: by name.
        actions: by id.
        meanings: number columns of expressions that are this catalogue's own, in words.
    """

    version: str
    file: Path
    default_place: str
    channels: Mapping[str, Channel]
    places: Mapping[str, Place]
    purposes: Mapping[str, Purpose]
    policy: Policy
    control: Control
    exploration: Exploration
    credibility: float
    context: Mapping[str, Mapping[str, float]]
    experiments: Mapping[str, Experiment]
    triggers: Mapping[str, Trigger]
    assumptions: Mapping[str, Assumption]
    actions: tuple[Action, ...]
    meanings: Mapping[str, Meaning]

    @property
    def known_as(self) -> dict[str, list[str]]:
        """Its channels, each with the names that tables and events have for it beside its own."""
        return {name: channel.known_as for name, channel in self.channels.items()}

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
        for found in self.actions:
            if found.id == action_id:
                return found
        raise unknown("action", action_id, (each.id for each in self.actions))

    def tasks(self, place: str) -> frozenset[str]:
        """Training tasks whose scores an action at the place reads."""
        return self._tasks[place]

    def circumstances(self, place: str) -> frozenset[str]:
        """The columns of `serving.decisions.circumstances` that an action at the place reads."""
        return self._circumstances[place]

    def effect(self, action: Action) -> Assumption | None:
        """The assumption that outcomes of an action correct."""
        return None if action.effect is None else self.assumptions[action.effect]

    def weight(self, place: str, kind: str) -> float:
        """The context weight of a kind of action at a place."""
        return self.context.get(place, {}).get(kind, 1.0)

    @cached_property
    def trigger_days(self) -> Mapping[str, frozenset[int]]:
        """The days of each trigger."""
        return {
            name: frozenset(clock.to_day(day) for day in trigger.days)
            for name, trigger in self.triggers.items()
        }

    @cached_property
    def _tasks(self) -> Mapping[str, frozenset[str]]:
        read = {
            place: {name for action in self.actions if place in action.places for name in action.evidence}
            for place in self.places
        }
        return {
            place: frozenset(
                task for name in names & scores.BY_NAME.keys() for task in scores.BY_NAME[name].tasks
            )
            for place, names in read.items()
        }

    @cached_property
    def _circumstances(self) -> Mapping[str, frozenset[str]]:
        own = {*catalogue_names.TEXTS, *self.meanings}
        return {
            place: frozenset().union(*(a.reads & own for a in self.actions if place in a.places))
            for place in self.places
        }


def choose(workspace_root: Path, given: Path | None = None) -> Path:
    """The catalogue file to use: the one given, else the workspace's own, else the packaged one."""
    own = workspace_root / OWN
    return given or (own if own.exists() else PACKAGED)


def load(file: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        UserError: the file is not a valid catalogue; the sentence names the file and the action. What is
            wrong in expressions is said of all actions, one sentence a line.
    """
    parsed = catalogue_file.read(file)
    try:
        catalogue_checks.check(parsed)
        actions = _built(parsed)
    except UserError as error:
        raise error.under(str(file)) from None
    # Without defaults, so that a field which is added later changes no version.
    content = parsed.model_dump(mode="json", exclude_defaults=True)
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return Catalogue(
        version=hashlib.sha256(canonical.encode()).hexdigest()[:12],
        file=file,
        default_place=parsed.default_place,
        channels=parsed.channels,
        places=parsed.places,
        purposes=parsed.purposes,
        policy=parsed.policy,
        control=parsed.control,
        exploration=parsed.exploration,
        credibility=parsed.credibility,
        context=parsed.context,
        experiments=parsed.experiments,
        triggers=parsed.triggers,
        assumptions=parsed.assumptions,
        actions=actions,
        meanings=catalogue_names.meanings(parsed),
    )


def _built(parsed: CatalogueFile) -> tuple[Action, ...]:
    """The actions of a checked file by id; what is wrong in any of them is said together."""
    built, wrong = [], []
    for entry in parsed.actions:
        try:
            built.append(action.build(entry, parsed))
        except UserError as error:
            wrong.append(error)
    if wrong:
        raise together(wrong)
    return tuple(sorted(built, key=lambda each: each.id))
