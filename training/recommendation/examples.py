"""Labelled candidates at training and report cutoffs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.boosting import Binned
from training.recommendation import ranker
from training.recommendation.associations import Associations
from training.recommendation.assortment import Assortment
from training.recommendation.blocks import Block, Truth
from training.recommendation.candidates import DEFAULT
from training.recommendation.grouping import distinct, places
from training.recommendation.histories import Histories
from training.recommendation.items import TYPE
from training.recommendation.ledger import Ledger
from training.recommendation.owned import last_share

CHUNK = 128
# Fits learn from at most so many customers of a cutoff, from all that they bought, and from these shares of
# the candidates they did not buy; weights make up for what is left out, so probabilities stay what they are.
SAMPLED_CUSTOMERS = 1000
OWN_SHARE = 0.25
NEW_SHARE = 0.1
ASSORTMENTS_KEPT = 6
# Blocks with all candidates of all customers are large, and asked for once or twice.
COMPLETE_KEPT = 2
# Blocks built at once: each takes hundreds of megabytes while it is made.
BUILDERS = 2
TRAINING, VALIDATION, COMPLETE = "training", "validation", "complete"


K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class RankingExamples:
    """The customers of some cutoffs; their candidates are worked out when first asked for.

    Attributes:
        cutoffs: ascending.
        collector: where blocks and assortments come from.
    """

    cutoffs: tuple[int, ...]
    collector: Collector
    _binned: dict[int, dict[str, Binned]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return sum(len(block.row) for block in self.training)

    def at(self, cutoffs: Sequence[int]) -> RankingExamples:
        """The rows of these cutoffs only."""
        return RankingExamples(tuple(sorted(set(cutoffs) & set(self.cutoffs))), self.collector)

    @property
    def training(self) -> list[Block]:
        """A sample of the candidates of each cutoff, to fit on."""
        build = partial(self.collector.block, use=TRAINING)
        with ThreadPoolExecutor(BUILDERS) as pool:
            return list(pool.map(build, self.cutoffs))

    @property
    def validation(self) -> list[Block]:
        """All candidates of a sample of the customers of each cutoff, to choose settings by."""
        return [self.collector.block(cutoff, VALIDATION) for cutoff in self.cutoffs]

    @property
    def complete(self) -> Iterator[Block]:
        """All candidates of all customers of each cutoff, to make lists of; one after the other."""
        return (self.collector.block(cutoff, COMPLETE) for cutoff in self.cutoffs)

    def binned(self, limit: int) -> dict[str, Binned]:
        """About so many rows at most for fits to learn from, binned once for all fits on them."""
        with self._lock:
            if limit not in self._binned:
                self._binned[limit] = ranker.binned(self.training, limit)
        return self._binned[limit]

    def drawn(self, limit: int, seed: int) -> list[Block]:
        """At most so many candidates, as many of each cutoff; see `Block.drawn`."""
        draw = np.random.default_rng(seed)
        each = limit // max(1, len(self.cutoffs))
        return [block.drawn(each, draw) for block in self.training if len(block.row)]

    def forget(self) -> None:
        """Let go of the binned rows, and of what settings were chosen by."""
        self._binned.clear()
        self.collector.forget(self.cutoffs)


@dataclass
class Collector:
    """Builds assortments and blocks of one run, each once, also when several threads ask.

    Attributes:
        ledger: what the run may read.
        until: the run's as-of.
        sources: where candidates come from.
    """

    ledger: Ledger
    until: int
    sources: tuple[str, ...] = DEFAULT
    _assortments: dict[int, Assortment] = field(default_factory=dict, repr=False)
    _locks: dict[Any, threading.Lock] = field(default_factory=dict, repr=False)
    _builders: threading.Semaphore = field(default_factory=partial(threading.Semaphore, BUILDERS), repr=False)
    _blocks: dict[tuple[int, str], Block] = field(default_factory=dict, repr=False)
    _pairs: dict[int, Associations] = field(default_factory=dict, repr=False)

    def cut(self, until: int) -> Collector:
        """The collector of an earlier as-of. Nothing is built twice when no line ever arrived late."""
        if until == self.until:
            return self
        earlier = Collector(
            self.ledger.cut(until),
            until,
            self.sources,
            self._assortments,
            self._locks,
            self._builders,
            _pairs=self._pairs,
        )
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
        return self._kept(
            self._assortments,
            as_of,
            lambda: Assortment.at(self.ledger, self.histories, as_of, self.sources),
            lambda: [*self._assortments][:-ASSORTMENTS_KEPT],
        )

    def pairs(self, as_of: int) -> Associations:
        """Products that are bought together, as of a day; the latest few asked for are kept."""
        return self._kept(
            self._pairs,
            as_of,
            lambda: Associations.at(self.ledger, as_of),
            lambda: [*self._pairs][:-ASSORTMENTS_KEPT],
        )

    def examples(self, cutoffs: Sequence[int]) -> RankingExamples:
        """Blocks of these cutoffs."""
        return RankingExamples(tuple(sorted(set(cutoffs))), self)

    def block(self, cutoff: int, use: str) -> Block:
        """The block of a cutoff for one use: a sample to fit on, one to choose by, or complete."""
        return self._kept(
            self._blocks,
            (cutoff, use),
            partial(self._build, cutoff, use),
            lambda: [key for key in self._blocks if key[1] == COMPLETE][:-COMPLETE_KEPT],
        )

    def forget(self, cutoffs: Sequence[int]) -> None:
        """Let go of the blocks that settings were chosen by."""
        for cutoff in cutoffs:
            self._blocks.pop((cutoff, VALIDATION), None)

    def _kept(self, held: dict[K, V], key: K, make: Callable[[], V], old: Callable[[], list[K]]) -> V:
        """What is held under a key, made when it is not; the old ones are let go."""
        with self._locks.setdefault((id(held), key), threading.Lock()):
            found = held.get(key)
            if found is None:
                found = make()
            held[key] = found
            for each in old():
                held.pop(each, None)
        return found

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

    def _build(self, cutoff: int, use: str) -> Block:
        with self._builders:
            return self._made(cutoff, use)

    def _made(self, cutoff: int, use: str) -> Block:
        assortment = self.assortment(cutoff)
        customers = self.ledger.customers_at(cutoff)
        draw = np.random.default_rng(cutoff)
        if use != COMPLETE and len(customers) > SAMPLED_CUSTOMERS:
            customers = np.sort(draw.choice(customers, SAMPLED_CUSTOMERS, replace=False))
        truth = self.truth(cutoff, customers)
        coded = assortment.items.recode(self.histories.take(customers))
        size = len(assortment.items)
        parts = []
        for first in range(0, max(1, len(customers)), CHUNK):
            context, candidates, inputs = assortment.describe(coded.slice(first, first + CHUNK), cutoff)
            row, new = candidates.row + first, candidates.entry < 0
            label = places(truth.pairs, row * size + candidates.item) >= 0
            weight = np.ones(len(row))
            if use == TRAINING:
                weight = np.where(label, 1.0, 1.0 / np.where(new, NEW_SHARE, OWN_SHARE))
            kept = draw.random(len(row)) * weight < 1.0
            arrays = (
                row.astype(np.int32),
                candidates.item.astype(np.int32),
                new,
                assortment.items.level[candidates.item, TYPE],
                np.append(last_share(context.own, assortment.items), np.inf)[candidates.entry].astype(
                    np.float32
                ),
                inputs,
                label,
                weight,
            )
            parts.append([array[kept] for array in arrays])
        return Block(cutoff, truth, size, *_joined(parts))


def _joined(parts: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """The parts' columns, end to end. A part is let go once it is copied: both at once fill the memory."""
    end = sum(len(part[0]) for part in parts)
    columns = [np.empty((end, *array.shape[1:]), array.dtype) for array in parts[0]]
    while parts:
        part = parts.pop()
        start = end - len(part[0])
        for column, array in zip(columns, part, strict=True):
            column[start:end] = array
        end = start
    return columns
