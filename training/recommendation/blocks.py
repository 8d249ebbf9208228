"""Candidates of the customers at one cutoff, what they then bought, and how good lists of them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from features.evaluators.offline import FeatureMatrix
from training.recommendation import lists
from training.recommendation.declarations import INPUTS
from training.recommendation.grouping import counted, places
from training.recommendation.lists import RULES, Rules


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
        kind: its product type.
        last_share: days since the customer bought it as a share of its usual gap; infinite for
            a new item and for what is bought again and again (`owned`).
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
    kind: NDArray[np.int32]
    last_share: NDArray[np.float32]
    inputs: NDArray[np.float32]
    label: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def report(self, score: NDArray[np.float64], model: str, rules: Rules = RULES) -> pd.DataFrame:
        """Report frame: the quality of the lists that a score makes, and what they promise.

        `promised10_b_all` is the mean score over the places of a list, one left empty counting 0;
        `bought10_b_all` the share of the places whose item was bought, also of customers who bought nothing.
        """
        fields: dict[str, NDArray[Any]] = {}
        offered = self.last_share >= rules.rest
        for kind in lists.KINDS:
            pool = np.flatnonzero(offered & self.new if kind == "new" else offered)
            chosen, rank = lists.best(
                self.row[pool], self.item[pool], score[pool], lists.TOP, self.kind[pool], rules.per_type
            )
            picked, customers = pool[chosen], len(self.truth.customer_id)
            row = self.row[picked]
            varied = lists.variety(row, self.item[picked], self.kind[picked], customers, kind)
            some = np.where(self.truth.sizes["b", "all"] > 0, 1.0, np.nan)
            fields |= {name: some * figure for name, figure in varied.items()}
            for part, each in (("promised", score), ("bought", self.label)):
                fields[lists.field(part, "b", kind)] = counted(row, each[picked], customers) / lists.TOP
            fields |= self.truth.qualities(row.astype(np.int64), self.item[picked], rank, kind, self.items)
        return everybody(
            self.truth, self.cutoff, {f"{model}.{name}": values for name, values in fields.items()}
        )

    def drawn(self, count: int, draw: np.random.Generator) -> Block:
        """So many candidates, each drawn as often as it stands for others; the same may come twice."""
        rows = np.sort(draw.choice(len(self.row), count, p=self.weight / self.weight.sum()))
        columns = ("row", "item", "new", "kind", "last_share", "inputs", "label")
        taken = {name: getattr(self, name)[rows] for name in columns}
        return replace(self, **taken, weight=np.ones(count))


def report_frame(truth: Truth, cutoff: int, columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
    """Rows of a report frame: the customers who bought an item in the window."""
    frame = everybody(truth, cutoff, columns)
    return frame[truth.sizes["b", "all"] > 0].reset_index(drop=True)


def everybody(truth: Truth, cutoff: int, columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
    """Rows of a report frame: all customers, the lists of those who bought nothing without quality (NaN)."""
    return pd.DataFrame({CUSTOMER_ID: truth.customer_id.astype(object), AS_OF: cutoff, **columns})


def matrix(blocks: Sequence[Block]) -> FeatureMatrix | None:
    """The inputs of candidates; a customer has many rows. None without blocks."""
    if not blocks:
        return None
    days = [np.full(len(block.row), block.cutoff, dtype=np.int32) for block in blocks]
    names = [block.truth.customer_id[block.row] for block in blocks]
    inputs = np.concatenate([block.inputs for block in blocks]).astype(np.float64)
    return FeatureMatrix(np.concatenate(names), np.concatenate(days), INPUTS, inputs)
