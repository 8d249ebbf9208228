"""Shares out over the whole base what there is not enough of, by raising a bar per action.

Everybody asks for what would stand first. An action that more ask for than it can still serve admits those
for whom it scores highest, ties by a hash of the customer; the others ask for their next best, of which there
may now be too little in turn. Bars only rise, each time past a customer at least, so that it ends: the
deferred acceptance of Gale and Shapley (1962), where actions rank customers by the score of arbitration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.contacts.standing import Standing
from serving.decisions import arbitration as decisions
from serving.decisions import capacity
from serving.decisions.capacity import Bar
from serving.decisions.decided import Decisions
from serving.decisions.offers import Offers

# Customers for whom an action stands first, and its scores for them, by action id.
Firsts = dict[str, tuple[NDArray[Any], NDArray[np.float64]]]


@dataclass(frozen=True)
class Asked:
    """What n customers could be offered at a place.

    Attributes:
        offers: the a actions.
        customers: ids, object[n].
        as_of: the day.
        best: each action's best score, 0 where it is not offered, n x a.
    """

    offers: Offers
    customers: NDArray[Any]
    as_of: int
    best: NDArray[np.float64]

    @classmethod
    def of(cls, decided: Decisions, as_of: int) -> Asked:
        """By decisions that no bar has been applied to."""
        best = decisions.best_scores(decided.offers, decided.rule, decided.score)
        return cls(decided.offers, decided.customers, as_of, best.max(axis=2))

    def firsts(self, bars: Mapping[str, Bar]) -> Firsts:
        """For whom each scarce action stands first under some bars."""
        out = capacity.below(self.offers, self.customers, self.best, bars)
        best = np.where(out, 0.0, self.best)
        order, chosen, _ = decisions.ranked(self.offers, self.customers, self.as_of, best)
        found = {}
        for index, action in enumerate(self.offers.actions):
            if action.id in bars:
                rows = np.flatnonzero((order[:, 0] == index) & (chosen > 0))
                found[action.id] = self.customers[rows], best[rows, index]
        return found

    def offered(self, action: str) -> int:
        """How many could be offered an action, first or not."""
        return sum(
            int((self.best[:, index] > 0).sum())
            for index, one in enumerate(self.offers.actions)
            if one.id == action
        )


def remaining(offers: Sequence[Offers], standing: Standing) -> dict[str, int]:
    """How many more contacts each limited action of some places allows, by id."""
    return {
        name: max(0, contacts - standing.contacts_of(name, days))
        for each in offers
        for name, contacts, days, _ in each.terms.capacities
    }


def bars(asked: Sequence[Asked], room: Mapping[str, int]) -> dict[str, Bar]:
    """The bar of each action that would be proposed more often than there is room for, by id.

    Args:
        asked: the base, some customers at a place at a time; a proposal at each of two places counts twice.
        room: contacts that limited actions still allow, by id.
    """
    wanted = {name: sum(each.offered(name) for each in asked) for name in room}
    found = {name: Bar(0.0, 0.0) for name in sorted(room) if wanted[name] > room[name]}
    while True:
        raised, firsts = {}, [each.firsts(found) for each in asked]
        for name in found:
            mine = [first[name] for first in firsts if name in first]
            customers, scores = (np.concatenate(part) for part in zip(*mine, strict=True))
            if len(customers) > room[name]:
                raised[name] = _bar(name, customers, scores, room[name], asked[0].offers)
        if not raised:
            return found
        found |= raised


def _bar(action: str, customers: NDArray[Any], scores: NDArray[np.float64], room: int, offers: Offers) -> Bar:
    """The first of more than `room` customers that is not admitted."""
    score = float(-np.partition(-scores, room)[room])
    tied = customers[scores == score]
    drawn = np.sort(capacity.draws(action, tied, offers.catalogue))
    return Bar(score, float(drawn[room - int((scores > score).sum())]))
