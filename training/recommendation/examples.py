"""Labelled candidates at training and report cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from training.recommendation import lists
from training.recommendation.assortment import Assortment
from training.recommendation.grouping import distinct, places
from training.recommendation.histories import Histories
from training.recommendation.ledger import Ledger

CHUNK = 256
# Fits learn from at most so many customers of a cutoff, from all that they bought, and from these shares of
# the candidates they did not buy; weights make up for what is left out, so probabilities stay what they are.
SAMPLED_CUSTOMERS = 800
OWN_SHARE = 0.5
NEW_SHARE = 0.15
ASSORTMENTS_KEPT = 6


@dataclass(frozen=True)
class Truth:
    """What n customers bought in the window after a cutoff.

    Attributes:
        customer_id: n ids, ascending.
        sizes: distinct items bought, by (target, kind): target a is the first basket, b the whole window;
            new are items never bought before the cutoff.
        pairs: keys customer place * items + item of target b, ascending.
        first: which of `pairs` are in target a.
    """

    customer_id: NDArray[np.str_]
    sizes: dict[tuple[str, str], NDArray[np.float64]]
    pairs: NDArray[np.int64]
    first: NDArray[np.bool_]

    def qualities(
        self, row: NDArray[Any], item: NDArray[Any], rank: NDArray[Any], kind: str, items: int
    ) -> dict[str, NDArray[np.float64]]:
        """Fields of a report frame for lists of one kind (entries in any order, rank from 0)."""
        key = row * items + item
        at = places(self.pairs, key)
        hits = {"a": np.append(self.first, False)[at], "b": at >= 0}
        return {
            lists.field(measure, target, kind): values
            for target in lists.TARGETS
            for measure, values in lists.quality(row, rank, hits[target], self.sizes[target, kind]).items()
        }


@dataclass(frozen=True)
class Block:
    """Candidates of the customers at one cutoff.

    Attributes:
        cutoff: the as-of.
        truth: what the customers then bought.
        items: number of items of the cutoff's catalogue.
        row: customer of each candidate.
        item: code of the item.
        new: whether the customer never bought it before.
        inputs: candidates x INPUTS.
        label: whether it was bought in the window.
        weight: how many candidates it stands for.
    """

    cutoff: int
    truth: Truth
    items: int
    row: NDArray[np.int32]
    item: NDArray[np.int32]
    new: NDArray[np.bool_]
    inputs: NDArray[np.float32]
    label: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def report(self, score: NDArray[np.float64], model: str) -> pd.DataFrame:
        """Report frame of the customers with a target, by the quality of the lists that a score makes."""
        fields: dict[str, NDArray[Any]] = {}
        for kind in lists.KINDS:
            pool = np.flatnonzero(self.new) if kind == "new" else np.arange(len(self.row))
            chosen, rank = lists.best(self.row[pool], self.item[pool], score[pool], lists.TOP)
            picked = pool[chosen]
            fields |= self.truth.qualities(
                self.row[picked].astype(np.int64), self.item[picked], rank, kind, self.items
            )
        return report_frame(
            self.truth, self.cutoff, {f"{model}.{name}": values for name, values in fields.items()}
        )


def report_frame(truth: Truth, cutoff: int, columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
    """Rows of a report frame: the customers who bought an item in the window."""
    frame = pd.DataFrame({CUSTOMER_ID: truth.customer_id.astype(object), AS_OF: cutoff, **columns})
    return frame[truth.sizes["b", "all"] > 0].reset_index(drop=True)


@dataclass(frozen=True)
class RankingExamples:
    """The customers of some cutoffs; their candidates are worked out when first asked for.

    Attributes:
        cutoffs: ascending.
        collector: where blocks and assortments come from.
    """

    cutoffs: tuple[int, ...]
    collector: Collector

    def __len__(self) -> int:
        return sum(len(block.row) for block in self.training)

    def at(self, cutoffs: Sequence[int]) -> RankingExamples:
        """The rows of these cutoffs only."""
        return RankingExamples(tuple(sorted(set(cutoffs) & set(self.cutoffs))), self.collector)

    @property
    def training(self) -> list[Block]:
        """A sample of the candidates of each cutoff, to fit on."""
        return [self.collector.block(cutoff, sample=True) for cutoff in self.cutoffs]

    @property
    def complete(self) -> list[Block]:
        """All candidates of all customers of each cutoff, to make lists of."""
        return [self.collector.block(cutoff, sample=False) for cutoff in self.cutoffs]


@dataclass
class Collector:
    """Builds assortments and blocks of one run, each once.

    Attributes:
        ledger: what the run may read.
        until: the run's as-of.
    """

    ledger: Ledger
    until: int
    _assortments: dict[int, Assortment] = field(default_factory=dict, repr=False)
    _blocks: dict[tuple[int, bool], Block] = field(default_factory=dict, repr=False)

    def cut(self, until: int) -> Collector:
        """The collector of an earlier as-of. Nothing is built twice when no line ever arrived late."""
        if until == self.until:
            return self
        earlier = Collector(self.ledger.cut(until), until, self._assortments)
        if (self.ledger.known_day == self.ledger.day).all():
            horizon = self.ledger.labels.recommendation.horizon_days
            earlier._blocks = {key: block for key, block in self._blocks.items() if key[0] + horizon <= until}
        return earlier

    @cached_property
    def histories(self) -> Histories:
        """The histories of all customers."""
        return self.ledger.histories()

    def assortment(self, as_of: int) -> Assortment:
        """Items and factors as of a day; the latest few asked for are kept."""
        found = self._assortments.pop(as_of, None) or Assortment.at(self.ledger, self.histories, as_of)
        self._assortments[as_of] = found
        while len(self._assortments) > ASSORTMENTS_KEPT:
            del self._assortments[next(iter(self._assortments))]
        return found

    def examples(self, cutoffs: Sequence[int]) -> RankingExamples:
        """Blocks of these cutoffs."""
        return RankingExamples(tuple(sorted(set(cutoffs))), self)

    def block(self, cutoff: int, *, sample: bool) -> Block:
        """The block of a cutoff, or the sample of it that fits learn from."""
        key = (cutoff, sample)
        if key not in self._blocks:
            self._blocks[key] = self._build(cutoff, sample=sample)
        return self._blocks[key]

    def truth(self, cutoff: int, customers: NDArray[np.int64]) -> Truth:
        """What the customers bought after a cutoff, in the codes of its catalogue."""
        ledger = self.ledger
        codes = ledger.items(cutoff)
        customer, product, first = ledger.bought(cutoff)
        kept = np.isin(customer, customers)
        customer, product, first = customer[kept], product[kept], first[kept]
        row = np.searchsorted(customers, customer)
        width = max(1, len(ledger.products))
        known = ledger.before(cutoff)
        owned = distinct(ledger.customer[known].astype(np.int64) * width + ledger.product[known])
        new = places(owned, customer * width + product) < 0

        def size(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
            return np.bincount(row[chosen], minlength=len(customers)).astype(np.float64)

        everything = np.ones(len(row), dtype=np.bool_)
        sizes = {("a", "all"): size(first), ("b", "all"): size(everything)}
        sizes |= {("a", "new"): size(first & new), ("b", "new"): size(new)}
        pairs = row * len(codes) + np.searchsorted(codes, product)
        return Truth(ledger.customers[customers], sizes, pairs, first)

    def _build(self, cutoff: int, *, sample: bool) -> Block:
        assortment = self.assortment(cutoff)
        customers = self.ledger.customers_at(cutoff)
        draw = np.random.default_rng(cutoff)
        if sample and len(customers) > SAMPLED_CUSTOMERS:
            customers = np.sort(draw.choice(customers, SAMPLED_CUSTOMERS, replace=False))
        truth = self.truth(cutoff, customers)
        coded = assortment.items.recode(self.histories.take(customers))
        size = len(assortment.items)
        parts = []
        for first in range(0, max(1, len(customers)), CHUNK):
            _, candidates, inputs = assortment.describe(coded.slice(first, first + CHUNK), cutoff)
            row, new = candidates.row + first, candidates.entry < 0
            label = places(truth.pairs, row * size + candidates.item) >= 0
            weight = np.ones(len(row))
            if sample:
                weight = np.where(label, 1.0, 1.0 / np.where(new, NEW_SHARE, OWN_SHARE))
            kept = draw.random(len(row)) * weight < 1.0
            arrays = (row.astype(np.int32), candidates.item.astype(np.int32), new, inputs, label, weight)
            parts.append([array[kept] for array in arrays])
        return Block(cutoff, truth, size, *(np.concatenate(column) for column in zip(*parts, strict=True)))
