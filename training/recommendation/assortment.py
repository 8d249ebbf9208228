"""Everything a ranker needs beside the customer: the items of a day and how they go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation import inputs
from training.recommendation.candidates import DEFAULT, Candidates, choose, covered
from training.recommendation.collaborative import Collaborative
from training.recommendation.context import Context, OwnItems
from training.recommendation.here import Here
from training.recommendation.histories import Histories
from training.recommendation.items import Items
from training.recommendation.ledger import Ledger


@dataclass(frozen=True)
class Assortment:
    """Items and their collaborative factors as of one day.

    Attributes:
        items: the catalogue.
        collaborative: which items go together.
        sources: where candidates come from.
        here: what sells best by store, when that is a source.
    """

    items: Items
    collaborative: Collaborative
    sources: tuple[str, ...] = DEFAULT
    here: Here | None = None

    @classmethod
    def at(
        cls, ledger: Ledger, histories: Histories, as_of: int, sources: tuple[str, ...] = DEFAULT
    ) -> Assortment:
        """As of a day, from what was known before it."""
        items = Items.at(ledger, as_of)
        own = OwnItems.of(items.recode(histories), as_of)
        best = covered(items)
        here = Here.at(ledger, ledger.items(as_of), as_of) if "here" in sources else None
        return cls(items, Collaborative.fit(best, own.matrices(best)), sources, here)

    @cached_property
    def place(self) -> NDArray[np.int32]:
        """The place of each item among those with factors, -1 for one without."""
        covered = self.collaborative.covered
        place = np.full(len(self.items), -1, dtype=np.int32)
        place[covered] = np.arange(len(covered))
        return place

    def describe(
        self,
        coded: Histories,
        as_of: int,
        basket: Sequence[NDArray[np.int64]] | None = None,
        stocked: NDArray[np.bool_] | None = None,
        new_only: bool = False,
    ) -> tuple[Context, Candidates, NDArray[np.float32]]:
        """Customers in context, their candidates and the ranker's inputs.

        Args:
            coded: histories in the catalogue's codes (`items.recode`).
            as_of: the day.
            basket: items in each customer's hands.
            stocked: items that can be had; None: all.
            new_only: without items that a customer has bought.
        """
        own = OwnItems.of(coded, as_of)
        context = Context.of(own, self.items, self.collaborative, basket)
        here = None if self.here is None else self.here.lists(coded, as_of)
        covered = self.collaborative.covered
        candidates = choose(context, self.items, covered, self.sources, here, stocked, new_only)
        return context, candidates, inputs.build(candidates, context, self.items, covered)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For the model's artifact."""
        here = {} if self.here is None else self.here.arrays()
        return {**self.items.arrays(), **self.collaborative.arrays(), **here}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], sources: Sequence[str] = DEFAULT) -> Assortment:
        """From the model's artifact."""
        here = Here.of(arrays) if "here" in sources else None
        return cls(Items.of(arrays), Collaborative.of(arrays), tuple(sources), here)
