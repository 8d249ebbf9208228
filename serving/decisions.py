"""From features and scores to ranked actions: one implementation on arrays, for one customer or a million.

    expected_value_cents = round_half_even(propensity x reach x value_cents) - cost_cents

per (action, channel) pair: propensity is P(does it | notices it), reach the channel's share of contacts that
are noticed, value and cost are cents over the action's horizon. Per action the best channel stands; actions
above zero are ranked by expected value, then id. When none is above zero, doing nothing is the answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.actions import Action, Catalogue

Columns = Mapping[str, NDArray[np.float64]]

# Beyond 2**53 a double no longer holds every cent, so that a larger product is an error of the catalogue.
LARGEST = float(2**53)

OFFERED, NOT_ELIGIBLE, NO_PROPENSITY, NO_VALUE = range(4)


@dataclass(frozen=True)
class Choice:
    """One ranked proposal for one customer.

    Attributes:
        rank: 1 is the best.
        action: what to propose.
        channel: through what.
        expected_value_cents: net of the contact's cost, over the action's horizon.
        propensity: P(does it | contacted through this channel): the expression times the channel's reach.
        value_cents: gain if so, before cost.
    """

    rank: int
    action: Action
    channel: str
    expected_value_cents: int
    propensity: float
    value_cents: float


@dataclass(frozen=True)
class Dropped:
    """A pair, or a whole action (channel is None), that was considered and is not in the answer, and why."""

    action_id: str
    channel: str | None
    reason: str


@dataclass(frozen=True)
class Decisions:
    """Everything that was considered for n customers at one place: a actions, k (action, channel) pairs.

    Attributes:
        catalogue: the actions' catalogue.
        place: where the decision is asked for.
        columns: features, scores and assumptions that the expressions read, each of length n.
        actions: actions offered at the place, by id.
        pair_action: action index of each pair.
        pair_channel: channel of each pair.
        state: OFFERED or why not, n x a.
        propensity: the expression's value, n x a, NaN when unknown.
        value_cents: the expression's value, n x a, NaN when unknown.
        pair_expected: expected net value in cents, n x k; meaningless where the action is not offered.
        best_pair: the best pair of each action, n x a.
        expected: its expected value, n x a; the smallest int64 where the action is not offered.
        order: action indices, best first, n x a.
        chosen: how many of them are above zero, n.
    """

    catalogue: Catalogue
    place: str
    columns: Columns
    actions: tuple[Action, ...]
    pair_action: NDArray[np.int64]
    pair_channel: tuple[str, ...]
    state: NDArray[np.int8]
    propensity: NDArray[np.float64]
    value_cents: NDArray[np.float64]
    pair_expected: NDArray[np.int64]
    best_pair: NDArray[np.int64]
    expected: NDArray[np.int64]
    order: NDArray[np.int64]
    chosen: NDArray[np.int64]

    def ranked(self, row: int, limit: int | None = None) -> list[Choice]:
        """The proposals for one customer, best first; empty when nothing is better than nothing."""
        count = int(self.chosen[row])
        return [self._choice(row, rank) for rank in range(count if limit is None else min(limit, count))]

    def _choice(self, row: int, rank: int) -> Choice:
        index = int(self.order[row, rank])
        channel = self.pair_channel[int(self.best_pair[row, index])]
        return Choice(
            rank=rank + 1,
            action=self.actions[index],
            channel=channel,
            expected_value_cents=int(self.expected[row, index]),
            propensity=float(self.propensity[row, index]) * self.catalogue.channels[channel].reach,
            value_cents=float(self.value_cents[row, index]),
        )

    def dropped(self, row: int, limit: int | None = None) -> list[Dropped]:
        """What was considered for one customer and is not in `ranked`, by action id and channel."""
        found = []
        listed = {choice.action.id for choice in self.ranked(row, limit)}
        for index, action in enumerate(self.actions):
            state = int(self.state[row, index])
            if state != OFFERED:
                found.append(Dropped(action.id, None, self._why(row, action, state)))
                continue
            best = int(self.best_pair[row, index])
            for pair in np.flatnonzero(self.pair_action == index):
                value = int(self.pair_expected[row, pair])
                channel = self.pair_channel[pair]
                if value <= 0:
                    found.append(
                        Dropped(action.id, channel, f"its expected value is not above zero ({value} cents)")
                    )
                elif pair != best:
                    better = self.pair_channel[best]
                    found.append(
                        Dropped(action.id, channel, f"worth {value} cents; channel {better} is worth more")
                    )
                elif action.id not in listed:
                    why = f"worth {value} cents through {channel}; beyond the limit of {limit}"
                    found.append(Dropped(action.id, channel, why))
        return found

    def _why(self, row: int, action: Action, state: int) -> str:
        field = {NOT_ELIGIBLE: "eligible", NO_PROPENSITY: "propensity", NO_VALUE: "value_cents"}[state]
        names: frozenset[str] = getattr(action, field).names
        unknown = sorted(name for name in names if math.isnan(self.columns[name][row]))
        if state == NOT_ELIGIBLE:
            return f"not eligible ({'unknown: ' + ', '.join(unknown) if unknown else 'condition not met'})"
        if unknown:
            return f"{field} cannot be computed (unknown: {', '.join(unknown)})"
        wanted = "a probability" if state == NO_PROPENSITY else "a finite amount"
        return f"{field} is not {wanted}"

    def considered(self, row: int) -> list[dict[str, object]]:
        """Every (action, channel) pair of one customer with its numbers, for the decision record."""
        pairs: list[dict[str, object]] = []
        for pair, index in enumerate(self.pair_action.tolist()):
            state = int(self.state[row, index])
            entry: dict[str, object] = {
                "action_id": self.actions[index].id,
                "channel": self.pair_channel[pair],
            }
            if state == OFFERED:
                reach = self.catalogue.channels[self.pair_channel[pair]].reach
                entry["propensity"] = float(self.propensity[row, index]) * reach
                entry["value_cents"] = float(self.value_cents[row, index])
                entry["expected_value_cents"] = int(self.pair_expected[row, pair])
            else:
                entry["dropped"] = ("", "not_eligible", "no_propensity", "no_value")[state]
            pairs.append(entry)
        return pairs


def decide(catalogue: Catalogue, place: str, columns: Columns) -> Decisions:
    """Rank the catalogue's actions at a place for the n customers of `columns`.

    Args:
        catalogue: the checked catalogue.
        place: name of the place.
        columns: features, scores and `known`, each of length n; NaN is unknown.

    Raises:
        UserError: the catalogue has no such place.
    """
    open_channels = catalogue.at(place).channels
    offered = tuple(action for action in catalogue.actions if place in action.places)
    n = len(next(iter(columns.values())))
    full = {**columns, **{name: np.full(n, item.value) for name, item in catalogue.assumptions.items()}}
    state = np.full((n, len(offered)), OFFERED, dtype=np.int8)
    propensity = np.full((n, len(offered)), np.nan)
    value = np.full((n, len(offered)), np.nan)
    for index, action in enumerate(offered):
        propensity[:, index] = action.propensity.evaluate(full)
        value[:, index] = action.value_cents.evaluate(full)
        is_amount = np.abs(value[:, index]) <= LARGEST
        is_probability = (propensity[:, index] >= 0) & (propensity[:, index] <= 1)
        # The first reason that applies stands, so that the checks are written last to first.
        state[~is_amount, index] = NO_VALUE
        state[~is_probability, index] = NO_PROPENSITY
        state[~action.eligible.evaluate(full), index] = NOT_ELIGIBLE
    pairs = [
        (index, channel)
        for index, action in enumerate(offered)
        for channel in sorted(action.channels)
        if channel in open_channels
    ]
    pair_expected = _expected(catalogue, pairs, state, propensity, value)
    best_pair, expected = _best_channels(pairs, len(offered), state, pair_expected)
    return Decisions(
        catalogue=catalogue,
        place=place,
        columns=full,
        actions=offered,
        pair_action=np.array([index for index, _ in pairs], dtype=np.int64),
        pair_channel=tuple(channel for _, channel in pairs),
        state=state,
        propensity=propensity,
        value_cents=value,
        pair_expected=pair_expected,
        best_pair=best_pair,
        expected=expected,
        # Stable on the negated value, with actions in id order: ties go to the smaller id.
        order=np.argsort(-np.maximum(expected, -(2**62)), axis=1, kind="stable"),
        chosen=(expected > 0).sum(axis=1),
    )


def _expected(
    catalogue: Catalogue,
    pairs: Sequence[tuple[int, str]],
    state: NDArray[np.int8],
    propensity: NDArray[np.float64],
    value: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Expected net value of each pair in cents, n x k; 0 where the action is not offered."""
    expected = np.zeros((len(state), len(pairs)), dtype=np.int64)
    for pair, (index, channel) in enumerate(pairs):
        terms = catalogue.channels[channel]
        gain = np.where(state[:, index] == OFFERED, propensity[:, index] * terms.reach * value[:, index], 0.0)
        expected[:, pair] = np.rint(gain).astype(np.int64) - terms.cost_cents
    return expected


def _best_channels(
    pairs: Sequence[tuple[int, str]], actions: int, state: NDArray[np.int8], pair_expected: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Best pair of each action and its value, n x a; the first channel by name wins a tie."""
    lowest = np.iinfo(np.int64).min
    best_pair = np.zeros(state.shape, dtype=np.int64)
    expected = np.full(state.shape, lowest, dtype=np.int64)
    for index in range(actions):
        own = np.array([pair for pair, (action, _) in enumerate(pairs) if action == index], dtype=np.int64)
        best = pair_expected[:, own].argmax(axis=1)
        best_pair[:, index] = own[best]
        values = pair_expected[np.arange(len(state)), own[best]]
        expected[:, index] = np.where(state[:, index] == OFFERED, values, lowest)
    return best_pair, expected
