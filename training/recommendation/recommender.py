"""A fitted recommendation model at work: one code for one customer and for the base, the same bits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from training.fitted import Fitted
from training.odds import AS_IT_IS
from training.recommendation import beforehand, lists, ranker
from training.recommendation.assortment import Assortment
from training.recommendation.beforehand import Beforehand
from training.recommendation.candidates import Candidates
from training.recommendation.context import Context
from training.recommendation.grouping import changes, places
from training.recommendation.histories import Histories
from training.recommendation.items import TYPE
from training.recommendation.lists import RULES, Rules
from training.recommendation.owned import last_share

NAME = "recommendation"
CHUNK = 256
KINDS = ("any", "new")
BOUGHT_BEFORE, BOUGHT_WITH, POPULAR = "bought_before", "bought_with", "popular"


@dataclass(frozen=True)
class Recommendations:
    """Listed items, m rows by customer, kind ("any" before "new") and rank.

    Attributes:
        known: n values: False for a customer of whom no purchase of an item is known; the list is then the
            best selling items and the scores are what an average customer does.
        row: place of the customer in the histories given.
        product_id: the item.
        rank: from 1.
        score: probability that the customer buys it within the model's horizon.
        kind: "any", or "new" for lists of items never bought before.
        reason: "bought_before", "bought_with" (customers who buy `because` buy it, too) or "popular".
        because: product id of the own or basket item that speaks most for it, "" unless "bought_with".
        baskets: baskets of this customer that held the item; 0 for a new one.
        days_since: days since the customer last bought it; -1 for a new one.
    """

    known: NDArray[np.bool_]
    row: NDArray[np.int64]
    product_id: NDArray[np.str_]
    rank: NDArray[np.int32]
    score: NDArray[np.float64]
    kind: NDArray[np.str_]
    reason: NDArray[np.str_]
    because: NDArray[np.str_]
    baskets: NDArray[np.int64]
    days_since: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def of(self, row: int, kind: str) -> slice:
        """The rows of one customer's list."""
        found = np.flatnonzero((self.row == row) & (self.kind == kind))
        return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


@dataclass(frozen=True)
class Recommender:
    """A fitted model made ready once: arrays indexed, factors widened.

    Attributes:
        assortment: items and factors.
        boosters: the rankers.
        line: what brings their log-odds to what a later window saw (`ranker.line`).
    """

    assortment: Assortment
    boosters: Mapping[str, xgb.Booster]
    line: NDArray[np.float64]

    @classmethod
    def of(cls, fitted: Fitted) -> Recommender:
        """The recommender of a fitted model; asked again for the same object it answers with the same one."""
        for known, ready in _READY:
            if known is fitted:
                return ready
        boosters = {name: _on_one_thread(booster) for name, booster in fitted.boosters.items()}
        line = fitted.arrays.get(ranker.LINE, AS_IT_IS)
        ready = cls(Assortment.of(fitted.arrays, fitted.meta["sources"]), boosters, line)
        _READY[:] = [*_READY[-3:], (fitted, ready)]
        return ready

    def recommend(
        self,
        histories: Histories,
        as_of: int,
        *,
        limit: int,
        exclude: Sequence[Collection[str]] | None,
        kinds: Sequence[str],
        basket: Sequence[str],
        rules: Rules,
        stocked: NDArray[np.bool_] | None,
        ahead: list[Beforehand | None] | None,
    ) -> Recommendations:
        """See `recommend`, the function."""
        items = self.assortment.items
        coded = items.recode(histories)
        inside = items.among(basket)
        parts = []
        for first in range(0, max(1, len(coded)), CHUNK):
            group = coded.slice(first, min(len(coded), first + CHUNK))
            barred = (
                [inside] * len(group)
                if exclude is None
                else [np.union1d(inside, items.among(exclude[first + at])) for at in range(len(group))]
            )
            part = self._group(
                group,
                as_of,
                limit=limit,
                barred=barred,
                kinds=kinds,
                basket=inside,
                rules=rules,
                stocked=stocked,
                ahead=ahead,
            )
            parts.append({**part, "row": part["row"] + first})
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return Recommendations(**joined)

    def beforehand(self, histories: Histories, as_of: int) -> Beforehand | None:
        """What is known of one customer beforehand; None for a stranger, or where the store is a source."""
        coded = self.assortment.items.recode(histories)
        context, candidates, inputs = self.assortment.describe(coded, as_of, new_only=True)
        score = ranker.predict(self.boosters, inputs, candidates.entry < 0, self.line)
        return next(beforehand.of_all(self.assortment, context, candidates, score))

    def _group(
        self,
        coded: Histories,
        as_of: int,
        *,
        limit: int,
        barred: Sequence[NDArray[np.int64]],
        kinds: Sequence[str],
        basket: NDArray[np.int64],
        rules: Rules,
        stocked: NDArray[np.bool_] | None,
        ahead: list[Beforehand | None] | None,
    ) -> dict[str, NDArray[Any]]:
        """The lists of a group of customers, as the fields of `Recommendations`."""
        items = self.assortment.items
        held = [basket] * len(coded) if len(basket) else None
        context, candidates, inputs = self.assortment.describe(
            coded, as_of, held, stocked, new_only=tuple(kinds) == ("new",)
        )
        score = ranker.predict(self.boosters, inputs, candidates.entry < 0, self.line)
        known = np.bincount(context.own.row, minlength=len(coded)) > 0
        if ahead is not None:
            ahead += beforehand.of_all(self.assortment, context, candidates, score)
        candidates, score = _with_priors(candidates, score, known, items.prior)
        keys = [row * len(items) + codes for row, codes in enumerate(barred)]
        barred_keys = np.concatenate([np.empty(0, np.int64), *keys])
        outside = places(barred_keys, candidates.row * len(items) + candidates.item) < 0
        bought = np.flatnonzero(candidates.entry >= 0)
        if len(bought):
            outside[bought] &= (last_share(context.own, items) >= rules.rest)[candidates.entry[bought]]
        if stocked is not None:
            outside &= stocked[candidates.item]
        types = items.level[candidates.item, TYPE]
        parts: list[tuple[NDArray[np.int64], ...]] = []
        for number, kind in enumerate(kinds):
            pool = np.flatnonzero(outside & (candidates.entry < 0) if kind == "new" else outside)
            chosen, rank = lists.best(
                candidates.row[pool], candidates.item[pool], score[pool], limit, types[pool], rules.per_type
            )
            parts.append((pool[chosen], rank, np.full(len(chosen), number)))
        place, rank, listed = (np.concatenate([part[field] for part in parts]) for field in range(3))
        order = np.lexsort((rank, listed, candidates.row[place]))
        place, rank, listed = place[order], rank[order], listed[order]
        entry = candidates.entry[place]
        because = self._because(context, candidates, place)
        reason = np.where(entry >= 0, BOUGHT_BEFORE, np.where(because >= 0, BOUGHT_WITH, POPULAR))
        mine, speaks = np.flatnonzero(entry >= 0), np.flatnonzero(because >= 0)
        own, who = context.own, np.full(len(place), "", dtype=items.product_id.dtype)
        who[speaks] = items.product_id[because[speaks]]
        baskets, days_since = np.zeros(len(place), np.int64), np.full(len(place), -1)
        baskets[mine], days_since[mine] = own.baskets[entry[mine]], own.last[entry[mine]]
        return {
            "known": known,
            "row": candidates.row[place],
            "product_id": items.product_id[candidates.item[place]],
            "rank": (rank + 1).astype(np.int32),
            "score": score[place],
            "kind": np.array(list(kinds), dtype=np.str_)[listed],
            "reason": reason,
            "because": who,
            "baskets": baskets,
            "days_since": days_since,
        }

    def _because(
        self, context: Context, candidates: Candidates, place: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """For each chosen new item the own or basket item that adds most to its score; -1 when none adds."""
        answer = np.full(len(place), -1)
        matrix, covered = context.rows, self.assortment.collaborative.covered
        at = places(covered, candidates.item[place])
        wanted = np.flatnonzero((candidates.entry[place] < 0) & (at >= 0))
        row = candidates.row[place[wanted]]
        edges = np.append(np.flatnonzero(changes(row)), len(row))
        for first, last in pairwise(edges):
            inside = slice(matrix.indptr[row[first]], matrix.indptr[row[first] + 1])
            owned, weight = matrix.indices[inside], matrix.data[inside]
            if not len(owned):
                continue
            best = self.assortment.collaborative.factors[0].strongest(at[wanted[first:last]], owned, weight)
            answer[wanted[first:last]] = np.where(best >= 0, covered[owned[best]], -1)
        return answer


_READY: list[tuple[Fitted, Recommender]] = []


def _on_one_thread(booster: xgb.Booster) -> xgb.Booster:
    """A copy without worker threads, which cost more than the few hundred rows of a customer."""
    copied = booster.copy()
    copied.set_param({"nthread": 1})
    return copied


def _with_priors(
    candidates: Candidates, score: NDArray[np.float64], known: NDArray[np.bool_], prior: NDArray[np.float64]
) -> tuple[Candidates, NDArray[np.float64]]:
    """Candidates in which customers of whom nothing is known have every item, with its prior."""
    if known.all():
        return candidates, score
    kept = known[candidates.row]
    strangers = np.flatnonzero(~known)
    row = np.concatenate([candidates.row[kept], np.repeat(strangers, len(prior))])
    item = np.concatenate([candidates.item[kept], np.tile(np.arange(len(prior)), len(strangers))])
    entry = np.concatenate([candidates.entry[kept], np.full(len(row) - kept.sum(), -1)])
    return Candidates(row, item, entry), np.concatenate([score[kept], np.tile(prior, len(strangers))])


def recommend(
    fitted: Fitted,
    histories: Histories,
    as_of: int,
    limit: int = 10,
    *,
    exclude: Sequence[Collection[str]] | None = None,
    kinds: Sequence[str] = KINDS,
    basket: Sequence[str] = (),
    rules: Rules = RULES,
    stocked: NDArray[np.bool_] | None = None,
    ahead: list[Beforehand | None] | None = None,
) -> Recommendations:
    """The best items of each customer.

    The answer for a customer does not depend on who else is asked about.

    Args:
        fitted: the model.
        histories: purchases of n customers; a customer may have none.
        as_of: day; purchases on it, after it, or known only then, are not read.
        limit: length of a list.
        exclude: per customer, products that must not be listed.
        kinds: lists wanted: "any", "new" or both.
        basket: products in the customer's hands (the same for all n, usually one): never listed, and counted
            as bought today when looking for what goes with them.
        rules: how many items of one product type a list has, and how long an own item rests.
        stocked: which of the model's items can be had; None: all.
        ahead: is added what `added.add` makes lists with a basket of, for each customer, None for one
            without purchases; then `basket` and `stocked` are not given.
    """
    return Recommender.of(fitted).recommend(
        histories,
        as_of,
        limit=limit,
        exclude=exclude,
        kinds=kinds,
        basket=basket,
        rules=rules,
        stocked=stocked,
        ahead=ahead,
    )
