"""A basket added to what is known of a customer beforehand: the new candidates and the ranker's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from training.recommendation import inputs, lists, ranker
from training.recommendation.assortment import Assortment
from training.recommendation.beforehand import Beforehand, Bought, fixed
from training.recommendation.candidates import COLLABORATIVE, highest
from training.recommendation.collaborative import SETTINGS, Factors, whole_rows
from training.recommendation.declarations import INPUTS
from training.recommendation.grouping import counted, distinct, places
from training.recommendation.items import GROUPS, LEAST, TYPE, Items
from training.recommendation.lists import RULES, Rules


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
        baskets: baskets with each.
        at: places of these among the items with factors, -1 for one without.
        held: places of the basket's items that have factors, ascending.
    """

    assortment: Assortment
    before: Beforehand
    bought: Bought
    own: NDArray[np.int64]
    baskets: NDArray[np.float64]
    at: NDArray[np.int64]
    held: NDArray[np.int64]

    @classmethod
    def of(
        cls, assortment: Assortment, before: Beforehand, bought: Bought, basket: NDArray[np.int64]
    ) -> Added:
        """With items in the customer's hands, distinct and ascending."""
        covered, (own, baskets) = assortment.collaborative.covered, bought.items()
        held = places(covered, basket)
        return cls(assortment, before, bought, own, baskets, places(covered, own), held[held >= 0])

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
        chosen, _ = lists.best(np.zeros(len(item), np.int64), item, score, limit, kind, rules.per_type)
        return Listed(item[chosen].astype(np.int64), score[chosen], self._because(item[chosen]))

    def _because(self, item: NDArray[np.int64]) -> NDArray[np.int64]:
        """The own or basket item that adds most to the score of each, -1 when none adds."""
        covered, factors = self._collaborative
        where, baskets = self.at[self.at >= 0], self.baskets[self.at >= 0]
        if len(self.held):
            # Who has it in hand has bought it once more.
            where, baskets = np.append(where, self.held), np.append(baskets, np.ones(len(self.held)))
            pairs = distinct(where)
            where, baskets = pairs, counted(places(pairs, where), baskets, len(pairs))
        at = places(covered, item)
        found, some = np.full(len(item), -1), np.flatnonzero(at >= 0)
        if len(where):
            best = factors[0].strongest(at[some], where, whole_rows(baskets))
            found[some] = np.where(best >= 0, covered[where[best]], -1)
        return found

    def candidates(self, stocked: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The new candidates, ascending, and the ranker's inputs.

        Args:
            stocked: items that can be had; None: all.
        """
        items, (covered, factors) = self.assortment.items, self._collaborative
        fresh = np.ones(len(covered), dtype=np.bool_) if stocked is None else stocked[covered]
        fresh[self.at[self.at >= 0]] = False
        few = None if stocked is None else np.flatnonzero(fresh)
        found = [self.before.others if few is None else self._others(few, stocked)]
        sums, first = [], 0
        for number, each in enumerate(factors):
            graded = self.bought.graded(covered[self.held], SETTINGS[number])
            more = whole_rows(graded + 1.0) - whole_rows(graded)
            last = first + each.read.shape[1]
            sums.append(self.before.sums[first:last] + more @ each.read[self.held].astype(np.float64))
            first = last
            if "collaborative" in self.assortment.sources:
                found.append(covered[self._best(number, sums[-1], more, fresh, few)])
        item = distinct(np.concatenate(found))
        at = places(covered, item)
        known = at >= 0
        scores = np.full((len(factors), len(item)), np.nan)
        for number, each in enumerate(factors):
            scores[number, known] = each.scores(sums[number], at[known])
        return item, _inputs(item, scores, self.before, items)

    @property
    def _collaborative(self) -> tuple[NDArray[np.int64], tuple[Factors, ...]]:
        return self.assortment.collaborative.covered, self.assortment.collaborative.factors

    def _others(self, few: NDArray[np.int64], stocked: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """The candidates that the basket does not change, where not all items can be had."""
        items, fresh = self.assortment.items, self.assortment.collaborative.covered[few]
        amounts = np.zeros((1, sum(items.sizes)), dtype=np.float32)
        amounts[0, self.before.member] = self.before.groups[::4]
        return fixed(amounts, self.assortment, fresh, self.own, stocked)

    def _best(
        self,
        number: int,
        sums: NDArray[np.float64],
        more: NDArray[np.float64],
        fresh: NDArray[np.bool_],
        few: NDArray[np.int64] | None,
    ) -> NDArray[np.int64]:
        """Places of the best by one setting; of all items where the bound does not tell that they are."""
        factors = self.assortment.collaborative.factors[number]
        if few is not None and len(few) < len(fresh) // 2:
            return few[highest(factors.scores(sums, few).astype(np.float32), COLLABORATIVE[number])]
        wanted, pool, rest = COLLABORATIVE[number], self.before.pools[number], float(self.before.rest[number])
        if len(self.held):
            near = [factors.near(item) for item in self.held.tolist()]
            pool = np.concatenate([pool, *(each.items for each in near)])
            rest += float(more @ [each.rest for each in near]) + factors.rounded
        some = distinct(pool)
        some = some[fresh[some]]
        scores = factors.scores(sums, some).astype(np.float32)
        best = highest(scores, wanted)
        least = scores[best].min() if len(best) == wanted else np.float32(0.0)
        alone = np.count_nonzero(scores >= least) == wanted if len(best) == wanted else True
        if alone and (np.float32(rest) < least or (rest <= 0.0 and len(best) < wanted)):
            found: NDArray[np.int64] = some[best].astype(np.int64)
            return found
        scores = factors.scores(sums).astype(np.float32)
        scores[~fresh] = 0.0
        return highest(scores, wanted)


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
    """The list of new items that `recommender.recommend` makes of one customer with a basket.

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
        score = ranker.predict(boosters, values, np.ones(len(item), dtype=np.bool_), line)
    return added.listed(item, score, basket, limit, rules)
