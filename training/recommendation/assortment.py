"""Everything a ranker needs beside the customer: the items of a day and how they go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation import inputs
from training.recommendation.candidates import SOURCES, Candidates, choose, covered
from training.recommendation.collaborative import Collaborative
from training.recommendation.context import Context, OwnItems
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
    """

    items: Items
    collaborative: Collaborative
    sources: tuple[str, ...] = SOURCES

    @classmethod
    def at(
        cls, ledger: Ledger, histories: Histories, as_of: int, sources: tuple[str, ...] = SOURCES
    ) -> Assortment:
        """As of a day, from what was known before it."""
        items = Items.at(ledger, as_of)
        own = OwnItems.of(items.recode(histories), as_of)
        best = covered(items)
        return cls(items, Collaborative.fit(best, own.matrices(best, len(items))), sources)

    def describe(
        self, coded: Histories, as_of: int, basket: Sequence[NDArray[np.int64]] | None = None
    ) -> tuple[Context, Candidates, NDArray[np.float32]]:
        """Customers in context, their candidates and the ranker's inputs.

        Args:
            coded: histories in the catalogue's codes (`items.recode`).
            as_of: the day.
            basket: items in each customer's hands.
        """
        own = OwnItems.of(coded, as_of)
        context = Context.of(own, self.items, self.collaborative, basket)
        candidates = choose(context, self.items, self.collaborative.covered, self.sources)
        return context, candidates, inputs.build(candidates, context, self.items, self.collaborative.covered)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For the model's artifact."""
        return {**self.items.arrays(), **self.collaborative.arrays()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], sources: Sequence[str] = SOURCES) -> Assortment:
        """From the model's artifact."""
        return cls(Items.of(arrays), Collaborative.of(arrays), tuple(sources))
