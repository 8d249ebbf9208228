"""A catalogue at one place, made ready once: its pairs, their numbers and expressions, as arrays.

A decision about one customer takes microseconds only if nothing about the catalogue is worked out again, so
everything that does not depend on the customer stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.catalogue import NAMES
from features.expressions.formulas import together
from features.life_cycle import stages
from serving.catalogue.actions import Action, Catalogue
from serving.decisions.contact_policy import Mask, Terms
from serving.decisions.effects import Effects
from serving.decisions.rules import Rule

_KEPT: Final = 256


@dataclass(frozen=True)
class Believed:
    """What the catalogue's numbers are after the outcomes in `effects`.

    Attributes:
        effects: the beliefs.
        assumptions: every assumption's value, effects at their mean.
        factor: what each action's propensity is multiplied by, float64[a]; None: nothing.
        spread: standard deviation of each pair's gain as a share of it, float64[k]; None: all are certain.
        multiplier: what of each action's propensity outcomes correct, float64[a]: its effect, or without one
            the factor. The propensity divided by it does not depend on earlier outcomes.
    """

    effects: Effects
    assumptions: Mapping[str, float]
    factor: NDArray[np.float64] | None
    spread: NDArray[np.float64] | None
    multiplier: NDArray[np.float64]


@dataclass(frozen=True)
class Offers:
    """The a actions that are offered at a place, and their k (action, channel) pairs.

    Attributes:
        catalogue: the actions' catalogue.
        place: the place.
        actions: by id.
        pair_action: action of each pair, ascending, intp[k].
        pair_channel: channel of each pair, by name within an action.
        table: pairs of each action, a x (most channels of an action), filled up with its first.
        reach: share of contacts that are noticed, float64[k].
        cost: cents a contact, int64[k].
        weight: context weight x lever, float64[k].
        terms: the contact policy.
        controlled: actions that some customers go without so that their effect can be measured.
        control_share: their shares of customers, float64[controlled].
        control: which of them each pair belongs to, the first where to none, intp[k].
        is_controlled: pairs that belong to one, bool[k].
    """

    catalogue: Catalogue
    place: str
    actions: tuple[Action, ...]
    pair_action: NDArray[np.intp]
    pair_channel: tuple[str, ...]
    table: NDArray[np.intp]
    reach: NDArray[np.float64]
    cost: NDArray[np.int64]
    weight: NDArray[np.float64]
    terms: Terms
    controlled: tuple[str, ...]
    control_share: NDArray[np.float64]
    control: NDArray[np.intp]
    is_controlled: Mask
    _latest: dict[str, Believed] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def at(cls, catalogue: Catalogue, place: str) -> Offers:
        """The offers of a place; made once for a catalogue.

        Raises:
            UserError: the catalogue has no such place.
        """
        key = (catalogue.version, place)
        found = _made.get(key)
        # The version speaks of the file; a catalogue that was altered in memory is another one.
        if found is None or found.catalogue is not catalogue:
            if len(_made) >= _KEPT:
                _made.clear()
            found = _made[key] = cls._of(catalogue, place)
        return found

    @classmethod
    def _of(cls, catalogue: Catalogue, place: str) -> Offers:
        there = catalogue.at(place).channels
        actions = tuple(action for action in catalogue.actions if place in action.places)
        pairs = [(action, name) for action in actions for name in sorted(action.channels) if name in there]
        index = {action.id: position for position, action in enumerate(actions)}
        owners = np.array([index[action.id] for action, _ in pairs], dtype=np.intp)
        own = [np.flatnonzero(owners == position).tolist() for position in range(len(actions))]
        widest = max(map(len, own), default=1)
        controlled = [action for action in actions if action.control_share and not action.exempt]
        ids = [action.id for action in controlled]
        return cls(
            catalogue=catalogue,
            place=place,
            actions=actions,
            pair_action=owners,
            pair_channel=tuple(name for _, name in pairs),
            table=np.array([p + p[:1] * (widest - len(p)) for p in own], dtype=np.intp).reshape(-1, widest),
            reach=np.array([catalogue.channels[name].reach for _, name in pairs]),
            cost=np.array([catalogue.channels[name].cost_cents for _, name in pairs], dtype=np.int64),
            weight=np.array([catalogue.weight(place, action.kind) * action.lever for action, _ in pairs]),
            terms=Terms.of(catalogue, pairs),
            controlled=tuple(ids),
            control_share=np.array([action.control_share for action in controlled]),
            control=np.array(
                [ids.index(action.id) if action.id in ids else 0 for action, _ in pairs], dtype=np.intp
            ),
            is_controlled=np.array([action.id in ids for action, _ in pairs], dtype=np.bool_),
        )

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The columns that the expressions read."""
        return tuple(sorted(frozenset().union(*(action.reads for action in self.actions))))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features among them, and those that the stage of one who has a history follows from."""
        wanted = {*self.reads, stages.VISITS, *(name for each in stages.STAGES for name in each.rule.names)}
        return tuple(name for name in NAMES if name in wanted)

    @cached_property
    def prior(self) -> Believed:
        """The catalogue's own beliefs."""
        return self._believed(Effects.prior(self.catalogue))

    def believed(self, effects: Effects | None) -> Believed:
        """The numbers under some beliefs; those asked for last are kept."""
        if effects is None:
            return self.prior
        found = self._latest.get("")
        if found is None or found.effects is not effects:
            found = self._latest[""] = self._believed(effects)
        return found

    def _believed(self, effects: Effects) -> Believed:
        values = {name: item.value for name, item in self.catalogue.assumptions.items()}
        values |= {name: belief.used for name, belief in effects.beliefs.items()}
        factor = np.array([effects.factors.get(action.id, 1.0) for action in self.actions])
        beliefs = [effects.of(self.actions[index]) for index in self.pair_action]
        # The gain is the effect times something, so that it is spread as widely as the effect is.
        spread = np.array([0.0 if b is None or not b.used else b.spread / b.used for b in beliefs])
        return Believed(
            effects=effects,
            assumptions=values,
            factor=factor if (factor != 1).any() else None,
            spread=spread if spread.any() else None,
            multiplier=np.array(
                [
                    own if belief is None else belief.used
                    for own, belief in zip(factor, map(effects.of, self.actions), strict=True)
                ]
            ),
        )

    def evaluate(
        self, columns: Mapping[str, NDArray[Any]], assumptions: Mapping[str, float], customers: int
    ) -> tuple[Mask, NDArray[np.float64], NDArray[np.float64]]:
        """Eligibility, propensity and value of each action for n customers, n x a each.

        Args:
            columns: at least the `reads`, each of length n.
            assumptions: the numbers of all assumptions.
            customers: n.
        """
        if customers == 1:
            size, row = len(self.actions), [columns[name].item() for name in self.reads]
            found = self._together(row, [assumptions[name] for name in self.catalogue.assumptions])
            numbers = np.array(found[size:]).reshape(2, 1, size)
            return np.array([found[:size]], dtype=np.bool_), numbers[0], numbers[1]
        full: dict[str, Any] = {**columns, **assumptions}
        shape = (customers, len(self.actions))
        can, may, worth = np.empty(shape, dtype=np.bool_), np.empty(shape), np.empty(shape)
        for index, action in enumerate(self.actions):
            can[:, index] = action.eligible.evaluate(full)
            may[:, index] = action.propensity.evaluate(full)
            worth[:, index] = action.value_cents.evaluate(full)
        return can, may, worth

    @cached_property
    def _together(self) -> Callable[..., list[Any]]:
        """Every action's eligibility, then propensities, then values, of one customer's plain values."""
        parts = [
            *(action.eligible for action in self.actions),
            *(action.propensity for action in self.actions),
            *(action.value_cents for action in self.actions),
        ]
        named = {f"part {position}": part.root for position, part in enumerate(parts)}
        return together(named, [self.reads, list(self.catalogue.assumptions)], list(named))

    def out_of_time(self, as_of: int) -> Iterator[tuple[Rule, Mask]]:
        """The pairs whose time has not come on a day, and those whose time is over, each k wide.

        An action in an experiment is offered while both it and the experiment run.
        """
        for index, starts, ends in self._periods:
            if ends is not None and as_of > ends:
                yield Rule.ENDED, self.pair_action == index
            if starts is not None and as_of < starts:
                yield Rule.NOT_STARTED, self.pair_action == index

    @cached_property
    def _periods(self) -> list[tuple[int, int | None, int | None]]:
        """First and last day of each action, and of its experiment, that has any."""
        found = [(index, action.starts, action.ends) for index, action in enumerate(self.actions)]
        for index, action in enumerate(self.actions):
            if action.experiment is not None:
                experiment = self.catalogue.experiments[action.experiment.id]
                found.append((index, _day(experiment.starts), _day(experiment.ends)))
        return [period for period in found if period[1:] != (None, None)]


def _day(when: date | None) -> int | None:
    return None if when is None else clock.to_day(when)


_made: dict[tuple[str, str], Offers] = {}
