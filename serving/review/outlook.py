"""What a catalogue would do for the whole base on one day, counted: what lint judges and a preview compares.

The catalogue's own decisions, by the code that decides everywhere. Only chance is left out: nobody is in a
control group and nothing is explored, so that two catalogues differ by what they say and not by a draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.output import progress
from serving.batch.population import Chunk, Population, reads_products
from serving.catalogue.actions import Catalogue
from serving.catalogue.file import Exploration
from serving.contacts.standing import Standing
from serving.decisions import arbitration as decisions
from serving.decisions.decided import Decisions
from serving.decisions.effects import Effects
from serving.decisions.rules import IDS, Rule

NOTHING: Final = -1
# Who is dropped by one of these is not meant by the action at all; the other rules hold back somebody who is.
OUTSIDE: Final = tuple(rule.id for rule in (Rule.NOT_STARTED, Rule.ENDED, Rule.WRONG_ARM, Rule.NOT_ELIGIBLE))


@dataclass(frozen=True)
class Count:
    """What comes of one action at one place.

    Attributes:
        action: its id.
        place: the place.
        eligible: customers who meet its condition on a day on which it is offered.
        offered: customers to whom it is offered, first or not.
        first: customers for whom it stands first.
        expected_cents: expected value of these.
        dropped: customers who are not offered it, by the rule that held back its best channel.
    """

    action: str
    place: str
    eligible: int
    offered: int
    first: int
    expected_cents: int
    dropped: Mapping[str, int]


@dataclass
class AtPlace:
    """The n customers of the base at one place.

    Attributes:
        place: the place.
        actions: ids of its a actions.
        first: position of the action that stands first for each customer, `NOTHING` without any, int64[n].
        expected: its expected value in cents, 0 without any, int64[n].
        offered: actions that a customer is offered, int64[n].
        rules: customers by action and rule, int64[a, rules].
    """

    place: str
    actions: tuple[str, ...]
    first: NDArray[np.int64]
    expected: NDArray[np.int64]
    offered: NDArray[np.int64]
    rules: NDArray[np.int64]

    @classmethod
    def empty(cls, catalogue: Catalogue, place: str, customers: int) -> AtPlace:
        """Of customers who have not been decided for yet."""
        actions = tuple(action.id for action in catalogue.actions if place in action.places)
        return cls(
            place=place,
            actions=actions,
            first=np.full(customers, NOTHING, dtype=np.int64),
            expected=np.zeros(customers, dtype=np.int64),
            offered=np.zeros(customers, dtype=np.int64),
            rules=np.zeros((len(actions), len(IDS)), dtype=np.int64),
        )

    def take(self, rows: NDArray[np.int64], found: Decisions) -> None:
        """Count what was decided for some of the customers."""
        some = np.flatnonzero(found.chosen > 0)
        first = found.order[some, 0]
        self.first[rows[some]] = first
        self.expected[rows[some]] = found.expected[some, found.best_pair[some, first]]
        self.offered[rows] = found.chosen
        owner = found.offers.pair_action
        for index in range(len(self.actions)):
            own = found.rule[:, owner == index]
            # The channel that came furthest says why the action is not offered.
            furthest = np.where((own == Rule.OFFERED).any(axis=1), Rule.OFFERED, own.max(axis=1))
            self.rules[index] += np.bincount(furthest, minlength=len(IDS))

    @property
    def counts(self) -> list[Count]:
        """Each action's count."""
        found = []
        for index, action in enumerate(self.actions):
            by_rule = self.rules[index]
            mine = self.first == index
            found.append(
                Count(
                    action=action,
                    place=self.place,
                    eligible=int(by_rule.sum() - by_rule[[IDS.index(rule) for rule in OUTSIDE]].sum()),
                    offered=int(by_rule[Rule.OFFERED]),
                    first=int(mine.sum()),
                    expected_cents=int(self.expected[mine].sum()),
                    dropped={IDS[rule]: int(by_rule[rule]) for rule in np.flatnonzero(by_rule) if rule},
                )
            )
        return found


@dataclass(frozen=True)
class Outlook:
    """A catalogue's decisions for the base.

    Attributes:
        catalogue: it, without control groups and exploration.
        as_of: the day.
        customer_id: object[n].
        places: by name.
        never_known: names that its expressions read and that are unknown for every customer.
        effects: beliefs after outcomes; None: the catalogue's own.
        strange: channels that it does not know, and how many customers have refused each for some purpose.
    """

    catalogue: Catalogue
    as_of: int
    customer_id: NDArray[Any]
    places: Mapping[str, AtPlace]
    never_known: set[str]
    effects: Effects | None
    strange: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def blank(cls, catalogue: Catalogue, population: Population, effects_file: Path | None) -> Outlook:
        """Of customers who have not been decided for yet; arguments as of `outlooks`."""
        bare = replace(
            catalogue,
            control=catalogue.control.model_copy(update={"share": 0.0}),
            exploration=Exploration(),
            actions=tuple(replace(action, control_share=0.0) for action in catalogue.actions),
        )
        size = len(population)
        reads: set[str] = set().union(*(action.reads for action in catalogue.actions))
        return cls(
            catalogue=bare,
            as_of=population.job.as_of,
            customer_id=population.matrix.customer_id,
            places={place: AtPlace.empty(bare, place, size) for place in bare.places},
            never_known=reads,
            effects=Effects.read(effects_file, catalogue).at(population.job.as_of) if effects_file else None,
            strange=_strange(catalogue, population.standings[catalogue.version]),
        )

    def take(self, chunk: Chunk) -> None:
        """Decide for some of the customers at every place that has actions."""
        for place, seen in self.places.items():
            if not seen.actions:
                continue
            columns = chunk.columns(self.catalogue, place)
            self.never_known.difference_update(
                name for name in tuple(self.never_known) if name in columns and _any_known(columns[name])
            )
            found = decisions.decide(
                self.catalogue,
                place,
                columns,
                customers=chunk.matrix.customer_id,
                as_of=self.as_of,
                standing=chunk.standings[self.catalogue.version],
                effects=self.effects,
            )
            seen.take(chunk.rows, found)

    @property
    def without(self) -> NDArray[np.bool_]:
        """Customers who are offered nothing anywhere, bool[n]."""
        nothing: NDArray[np.bool_] = np.all([seen.offered == 0 for seen in self.places.values()], axis=0)
        return nothing

    def winners(self, place: str) -> Counter[str]:
        """Customers by what stands first at a place."""
        return Counter({count.action: count.first for count in self.places[place].counts if count.first})


def outlooks(
    population: Population, catalogues: Sequence[Catalogue], effects_file: Path | None = None
) -> list[Outlook]:
    """The outlook of each of some catalogues, from one pass over the base.

    Args:
        population: the base.
        catalogues: what to decide by.
        effects_file: what outcomes have said; None: the catalogues' own beliefs.
    """
    found = [Outlook.blank(catalogue, population, effects_file) for catalogue in catalogues]
    with progress() as bar:
        task = bar.add_task("deciding for customers", total=len(population))
        for chunk in population.chunks(products=reads_products(catalogues), kinds=("new",), items=1):
            for outlook in found:
                outlook.take(chunk)
            bar.advance(task, len(chunk.rows))
    return found


def _strange(catalogue: Catalogue, standing: Standing) -> dict[str, int]:
    known = {name.lower() for own, others in catalogue.known_as.items() for name in (own, *others)}
    refused: dict[str, int] = {}
    for (_, channel), stated in standing.consent.items():
        if channel and channel.lower() not in known:
            refused[channel] = max(refused.get(channel, 0), int((stated == 0).sum()))
    return refused


def _any_known(values: NDArray[Any]) -> bool:
    if values.dtype == object:
        return any(value is not None for value in values)
    return not np.isnan(values).all()
