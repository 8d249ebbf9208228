"""What is known of a group of customers as of a day, in the terms of a catalogue of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.recommendation.collaborative import SETTINGS, Collaborative, whole_rows
from training.recommendation.decay import Decay
from training.recommendation.grouping import changes, counted, distinct, places
from training.recommendation.histories import Histories
from training.recommendation.items import GROUPS, TYPE, Items

OWN_HALF_LIVES = (15, 40, 120)
FREQUENCY = 2
VISIT_HALF_LIVES = (30, 120)


@dataclass(frozen=True)
class OwnItems:
    """Items that n customers bought before a day: one entry per (customer, item), ascending.

    Attributes:
        customers: n.
        row: place of the customer.
        item: code of the item.
        baskets: baskets with the item.
        decayed: the same with half-lives of 15, 40 and 120 days (entries x 3).
        graded: weights of the collaborative settings (entries x settings).
        days: distinct days on which it was bought.
        first: days since the first time.
        last: days since the last time.
        visits: days with an item, decayed with half-lives of 30 and 120 days, per customer (n x 2).
        since_visit: days since the last such day, NaN for a customer without any (n).
    """

    customers: int
    row: NDArray[np.int64]
    item: NDArray[np.int64]
    baskets: NDArray[np.float64]
    decayed: NDArray[np.float64]
    graded: NDArray[np.float64]
    days: NDArray[np.float64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    visits: NDArray[np.float64]
    since_visit: NDArray[np.float64]

    @classmethod
    def of(cls, histories: Histories, as_of: int) -> OwnItems:
        """From histories in the catalogue's codes; what was not known before the day is left out."""
        item = histories.product.astype(np.int64)
        customers = len(histories)
        row = np.repeat(np.arange(customers), np.diff(histories.start))
        kept = (item >= 0) & (histories.day < as_of) & (histories.known_day < as_of) & (histories.baskets > 0)
        row, item, age = row[kept], item[kept], as_of - histories.day[kept].astype(np.int64)
        baskets = histories.baskets[kept].astype(np.float64)
        pair = row * (1 + item.max(initial=0)) + item
        order = np.argsort(pair * (1 + age.max(initial=0)) - age, kind="stable")
        row, item, age, baskets, pair = row[order], item[order], age[order], baskets[order], pair[order]

        fresh = changes(pair)
        entry = np.cumsum(fresh) - 1
        starts = np.flatnonzero(fresh)
        ends = np.append(starts[1:], len(row))[: len(starts)] - 1

        def total(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            return counted(entry, weights * baskets, len(starts))

        visit_row, visit_age = _visits(row, age)
        since = np.full(customers, np.inf)
        np.minimum.at(since, visit_row, visit_age)
        return cls(
            customers=customers,
            row=row[starts],
            item=item[starts],
            baskets=total(np.ones(len(row))),
            decayed=np.stack([total(Decay(days)(age)) for days in OWN_HALF_LIVES], axis=1),
            graded=np.stack([total(setting.weights(age)) for setting in SETTINGS], axis=1),
            days=counted(entry, changes(pair, age), len(starts)),
            first=age[starts].astype(np.float64),
            last=age[ends].astype(np.float64),
            visits=np.stack(
                [counted(visit_row, Decay(days)(visit_age), customers) for days in VISIT_HALF_LIVES],
                axis=1,
            ),
            since_visit=np.where(np.isinf(since), np.nan, since),
        )

    def matrices(
        self, covered: NDArray[np.int64], context: Sequence[NDArray[np.int64]] | None = None
    ) -> list[sparse.csr_matrix]:
        """Rows of whole numbers for each collaborative setting (n x covered items).

        Args:
            covered: codes of the items that have factors, ascending.
            context: items per customer that count as bought once more, today (the basket being filled).
        """
        column = places(covered, self.item)
        kept = column >= 0
        row, column, graded = self.row[kept], column[kept], self.graded[kept]
        if context is not None:
            more = [distinct(place[place >= 0]) for place in (places(covered, items) for items in context)]
            row = np.concatenate([row, np.repeat(np.arange(self.customers), [len(part) for part in more])])
            column = np.concatenate([column, *more])
            graded = np.concatenate([graded, np.ones((len(row) - len(graded), graded.shape[1]))])
        width = max(1, len(covered))
        key = row * width + column
        pairs = distinct(key)
        at = places(pairs, key)
        start = np.searchsorted(pairs, np.arange(self.customers + 1) * width)
        column = pairs % width
        return [
            sparse.csr_matrix(
                (whole_rows(counted(at, weights, len(pairs))), column, start),
                shape=(self.customers, len(covered)),
            )
            for weights in graded.T
        ]


@dataclass(frozen=True)
class Context:
    """A group of n customers as of a day.

    Attributes:
        own: what they bought.
        rows: whole numbers of the first collaborative setting (n x covered items), basket included.
        sums: what their collaborative profiles are made of (`Factors.sums`), one matrix per setting.
        scores: collaborative scores of the m covered items, one matrix (n x m) per setting.
        amounts: decayed baskets (half-life 120 days) of each member of any kind of group (n x members, as
            `Items.member` counts them).
        since: days since a customer last bought from a member, infinite if never.
        kinds: how many distinct items of a member a customer has bought.
        dearness: what a customer pays over what a product type costs, weighted by decayed baskets, by
            product type and in all (n x types + 1); NaN where nothing was bought.
        tried: items bought for the first time per day of visit, decayed with a half-life of 30 days (n).
        tenure: days since the first purchase, NaN without any (n).
    """

    own: OwnItems
    rows: sparse.csr_matrix
    sums: tuple[NDArray[np.float64], ...]
    scores: tuple[NDArray[np.float64], ...]
    amounts: NDArray[np.float64]
    since: NDArray[np.float64]
    kinds: NDArray[np.float64]
    dearness: NDArray[np.float64]
    tried: NDArray[np.float64]
    tenure: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        own: OwnItems,
        items: Items,
        collaborative: Collaborative,
        context: Sequence[NDArray[np.int64]] | None = None,
    ) -> Context:
        """Work out what the candidates' inputs need."""
        matrices = own.matrices(collaborative.covered, context)
        sums = tuple(
            factors.sums(matrix) for factors, matrix in zip(collaborative.factors, matrices, strict=True)
        )
        scores = tuple(
            factors.scores(each) for factors, each in zip(collaborative.factors, sums, strict=True)
        )
        shape = (own.customers, sum(items.sizes))
        size = shape[0] * shape[1]
        key = (own.row[:, np.newaxis] * shape[1] + items.member[own.item]).ravel()
        amounts = counted(key, np.repeat(own.decayed[:, FREQUENCY], len(GROUPS)), size).reshape(shape)
        kinds = counted(key, np.ones(len(key)), size).reshape(shape)
        since = np.full(size, np.inf)
        np.minimum.at(since, key, np.repeat(own.last, len(GROUPS)))
        tried = counted(own.row, Decay(VISIT_HALF_LIVES[0])(own.first.astype(np.int64)), own.customers)
        tenure = np.full(own.customers, -np.inf)
        np.maximum.at(tenure, own.row, own.first)
        return cls(
            own,
            matrices[0],
            sums,
            scores,
            amounts,
            since.reshape(shape),
            kinds,
            _dearness(own, items, items.part(amounts, TYPE)),
            tried / np.maximum(1e-9, own.visits[:, 0]),
            np.where(np.isinf(tenure), np.nan, tenure),
        )


def _dearness(own: OwnItems, items: Items, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    members = amounts.shape[1]
    weight = own.decayed[:, FREQUENCY]
    key = own.row * members + items.level[own.item, TYPE]
    paid = counted(key, weight * items.dearness[own.item], amounts.size).reshape(amounts.shape)
    whole = counted(own.row, weight * items.dearness[own.item], own.customers)
    amount = counted(own.row, weight, own.customers)
    paid, amount = (
        np.append(paid, whole[:, np.newaxis], axis=1),
        np.append(amounts, amount[:, np.newaxis], axis=1),
    )
    dearness: NDArray[np.float64] = np.divide(paid, amount, out=np.full(paid.shape, np.nan), where=paid > 0)
    return dearness


def _visits(row: NDArray[np.int64], age: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct (customer, age) pairs."""
    tall = 1 + int(age.max(initial=0))
    pairs = distinct(row * tall + age)
    return pairs // tall, pairs % tall
