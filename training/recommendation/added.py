"""A basket added to what is known of a customer beforehand: the new candidates and the ranker's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from training.recommendation import inputs, lists, ranker
from training.recommendation.assortment import Assortment
from training.recommendation.beforehand import Beforehand, Bought, fixed
from training.recommendation.candidates import COLLABORATIVE, highest
from training.recommendation.collaborative import Factors, whole_rows
from training.recommendation.declarations import INPUTS
from training.recommendation.grouping import counted, distinct, places
from training.recommendation.items import GROUPS, LEAST, TYPE, Items
from training.recommendation.lists import RULES, Rules

# New candidates with a basket, and how many of them it brings at most: the lists are those of the best by the
# scores with it, but for 2 in 1,000 (docs/attempts.md).
CANDIDATES: Final = 200
BROUGHT: Final = 50


class Listed(NamedTuple):
    """A list, best first.

    Attributes:
        item: codes of n items.
        score: probability of each.
        because: code of the own or basket item that speaks most for it, -1 for none.
    """

    item: NDArray[np.int64]
    score: NDArray[np.float64]
    because: NDArray[np.int64]


@dataclass(frozen=True)
class Added:
    """One customer with a basket.

    Attributes:
        assortment: the items.
        before: what is known of the customer.
        bought: what it was made from.
        own: the customer's items, ascending.
        baskets: baskets with each of the items that have factors, the one in hand too.
        held: places of the basket's items that have factors, ascending.
    """

    assortment: Assortment
    before: Beforehand
    bought: Bought
    own: NDArray[np.int64]
    baskets: NDArray[np.float64]
    held: NDArray[np.int32]

    @classmethod
    def of(
        cls, assortment: Assortment, before: Beforehand, bought: Bought, basket: NDArray[np.int64]
    ) -> Added:
        """With items in the customer's hands, distinct and ascending."""
        own, baskets = bought.items()
        held = assortment.place[basket]
        held = held[held >= 0]
        at = np.concatenate([assortment.place[own], held])
        # Who has it in hand has bought it once more.
        weights = np.concatenate([baskets, np.ones(len(held))])
        counts = counted(at[at >= 0], weights[at >= 0], len(assortment.collaborative.covered))
        return cls(assortment, before, bought, own, counts, held)

    def listed(
        self,
        item: NDArray[np.int64],
        score: NDArray[np.float64],
        basket: NDArray[np.int64],
        limit: int,
        rules: Rules,
    ) -> Listed:
        """The best of the new candidates.

        Args:
            item: the candidates, ascending.
            score: probability of each.
            basket: items that are not listed, ascending.
            limit: length of the list.
            rules: what keeps it from being more of the same.
        """
        if len(basket):
            outside = places(basket, item) < 0
            item, score = item[outside], score[outside]
        kind = self.assortment.items.level[item, TYPE]
        chosen = lists.best_of_one(score, limit, kind, rules.per_type)
        return Listed(item[chosen].astype(np.int64), score[chosen], self._because(item[chosen]))

    def _because(self, item: NDArray[np.int64]) -> NDArray[np.int64]:
        """The own or basket item that adds most to the score of each, -1 when none adds."""
        covered, factors = self._collaborative
        where, at = np.flatnonzero(self.baskets), self.assortment.place[item]
        found, some = np.full(len(item), -1), np.flatnonzero(at >= 0)
        if len(where):
            best = factors[0].strongest(at[some], where, whole_rows(self.baskets[where]))
            found[some] = np.where(best >= 0, covered[where[best]], -1)
        return found

    def candidates(self, stocked: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The new candidates, ascending, and the ranker's inputs.

        Args:
            stocked: items that can be had; None: all.
        """
        items, (covered, factors) = self.assortment.items, self._collaborative
        graded = self.bought.graded(covered[self.held])
        more = [whole_rows(each + 1.0) - whole_rows(each) for each in graded]
        sums, first = [], 0
        for units, each in zip(more, factors, strict=True):
            last = first + each.read.shape[1]
            sums.append(self.before.sums[first:last] + units @ each.read[self.held].astype(np.float64))
            first = last
        item = self._likely(more[0]) if stocked is None else self._stocked(stocked, sums)
        at = self.assortment.place[item]
        known = at >= 0
        scores = np.full((len(factors), len(item)), np.nan)
        for number, each in enumerate(factors):
            scores[number, known] = each.scores(sums[number], at[known])
        return item, _inputs(item, scores, self.before, items)

    @property
    def _collaborative(self) -> tuple[NDArray[np.int64], tuple[Factors, ...]]:
        return self.assortment.collaborative.covered, self.assortment.collaborative.factors

    def _likely(self, more: NDArray[np.float64]) -> NDArray[np.int64]:
        """The items that the basket speaks most for, and the likeliest of the candidates without it.

        Args:
            more: by how many units each of `held` adds to the customer's row of the first setting.
        """
        covered, factors = self._collaborative
        near = [factors[0].near(item) for item in self.held.tolist()]
        adds = np.concatenate([units * each.adds for units, each in zip(more, near, strict=True)])
        speaks = counted(np.concatenate([each.items for each in near]), adds, len(covered))
        speaks[self.baskets > 0] = 0.0
        brought = covered[np.sort(highest(speaks, BROUGHT))]
        rest = places(brought, self.before.listed) < 0
        item, score = self.before.listed[rest], self.before.score[rest]
        kept = CANDIDATES - len(brought)
        if len(item) > kept:
            item = item[np.argpartition(-score, kept)[:kept]]
        found: NDArray[np.int64] = np.sort(np.concatenate([brought, item]))
        return found

    def _stocked(self, stocked: NDArray[np.bool_], sums: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
        """The best of what can be had by each source, the basket's items counted."""
        items, (covered, factors) = self.assortment.items, self._collaborative
        can = stocked.copy()
        can[self.own] = False
        few = np.flatnonzero(can[covered])
        amounts = np.zeros((1, sum(items.sizes)), dtype=np.float32)
        amounts[0, self.before.member] = self.before.groups[::4]
        found = [fixed(amounts, self.assortment, covered[few], self.own, stocked)]
        if "collaborative" in self.assortment.sources:
            for each, profile, wanted in zip(factors, sums, COLLABORATIVE, strict=True):
                found.append(covered[few[highest(each.scores(profile, few).astype(np.float32), wanted)]])
        return distinct(np.concatenate(found))


def _inputs(
    item: NDArray[np.int64], scores: NDArray[np.float64], before: Beforehand, items: Items
) -> NDArray[np.float32]:
    """The inputs of the new candidates of one customer of whom more is known beforehand.

    Args:
        item: the candidates.
        scores: of each by each collaborative setting, NaN for an item without factors (settings x n).
        before: what is known.
        items: the catalogue.
    """
    values = np.empty((len(item), len(INPUTS)), dtype=np.float32)
    values[:, inputs.OWN] = inputs.NEVER
    values[:, inputs.CUSTOMER] = before.facts
    values[:, inputs.ITEM] = items.facts.take(item, axis=0)
    values[:, inputs.SCORE : inputs.SCORE + 2] = scores.T
    inputs.compared(values, np.fmax.reduce(values[:, inputs.SCORE], initial=np.float32(LEAST)))
    nothing = np.array([0.0, 0.0, np.nan, 0.0], dtype=np.float32)
    groups = np.concatenate([nothing, before.groups]).reshape(-1, len(nothing))
    at = np.zeros(sum(items.sizes), dtype=np.int32)
    at[before.member] = np.arange(1, len(groups))
    of_item = at.take(items.member.take(item, axis=0))
    values[:, inputs.BY_GROUP] = groups.take(of_item, axis=0).reshape(len(item), len(nothing) * len(GROUPS))
    of_type = np.full(items.sizes[TYPE], np.nan)
    of_type[items.types_among(before.member)] = before.dearness[:-1]
    inputs.expected(values, item, items, before.dearness[-1], of_type[items.level[item, TYPE]])
    return values


def add(  # noqa: PLR0917 (a model, a customer and a basket)
    assortment: Assortment,
    boosters: Mapping[str, xgb.Booster],
    line: NDArray[np.float64],
    before: Beforehand,
    bought: Bought,
    basket: NDArray[np.int64],
    limit: int,
    stocked: NDArray[np.bool_] | None,
    rules: Rules = RULES,
) -> Listed:
    """The list of new items of one customer with a basket.

    Args:
        assortment: the items.
        boosters: the rankers.
        line: what brings their log-odds to what a later window saw.
        before: what is known of the customer.
        bought: what it was made from.
        basket: items in the customer's hands, distinct and ascending.
        limit: length of the list.
        stocked: which of the items can be had; None: all.
        rules: see `recommend`.
    """
    added = Added.of(assortment, before, bought, basket)
    item, score = before.listed.astype(np.int64), before.score
    if stocked is not None or len(added.held):
        item, values = added.candidates(stocked)
        score = ranker.predict_new(boosters, values, line)
    return added.listed(item, score, basket, limit, rules)
