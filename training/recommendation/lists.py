"""Lists of the best items per customer, and how good they were against what the customers then bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation.grouping import changes, counted, distinct

TOP = 10
KINDS = ("all", "new")
TARGETS = ("a", "b")
ONE_MORE = 0.5
LOOKED_AT = 5


@dataclass(frozen=True)
class Rules:
    """What keeps a list from being more of the same.

    Attributes:
        per_type: a list's items of one product type beyond so many stay only where nothing else comes to half
            their probability (of the best LOOKED_AT items per place); None: they all stay.
        rest: own items that last are left out until this share of their usual gap has passed (`owned`).
    """

    per_type: int | None = 4
    rest: float = 0.5


RULES = Rules()


def best(  # noqa: PLR0917 (columns of one table)
    row: NDArray[Any],
    item: NDArray[Any],
    score: NDArray[Any],
    limit: int,
    kind: NDArray[Any] | None = None,
    most: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The highest scores of each row.

    Args:
        row: place of the customer of each entry.
        item: its item.
        score: its score.
        limit: entries of a row at most.
        kind: product type of each entry.
        most: entries of one kind after which a score, not negative, counts half; None: none does.

    Returns:
        places of the chosen entries by row and rank, and their ranks from 0; of equal scores the lower `item`
        comes first.
    """
    order = np.lexsort((item, -score, row))
    if kind is not None and most is not None:
        order = order[_ranks(row[order]) < LOOKED_AT * limit]
        whose, what, worth = row[order], kind[order], score[order].copy()
        alike = np.lexsort((what, whose))
        worth[alike[_ranks(whose[alike], what[alike]) >= most]] *= ONE_MORE
        first = np.lexsort((-worth, whose))
        order = order[np.sort(first[_ranks(whose[first]) < limit])]
    rank = _ranks(row[order])
    kept = rank < limit
    return order[kept], rank[kept]


def best_of_one(
    score: NDArray[np.float64], limit: int, kind: NDArray[Any], most: int | None
) -> NDArray[np.int64]:
    """The places that `best` gives for the entries of one row, which stand by `item`."""
    order = np.argsort(-score, kind="stable")
    if most is not None:
        order = order[: LOOKED_AT * limit]
        worth, seen = score[order], dict[int, int]()
        for at, what in enumerate(kind[order].tolist()):
            seen[what] = seen.get(what, 0) + 1
            if seen[what] > most:
                worth[at] *= ONE_MORE
        order = order[np.sort(np.argsort(-worth, kind="stable")[:limit])]
    return order[:limit]


def _ranks(*keys: NDArray[Any]) -> NDArray[np.int64]:
    """Place of each row among those of equal keys, from 0; equal keys stand side by side."""
    starts = np.flatnonzero(changes(*keys))
    sizes = np.diff(np.append(starts, len(keys[0])))
    return np.arange(len(keys[0])) - np.repeat(starts, sizes)


def quality(
    row: NDArray[Any], rank: NDArray[Any], hit: NDArray[np.bool_], target: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """NDCG, recall, precision and hit rate at 10 of each customer; NaN for one with an empty target.

    Gain 1 / log2(rank + 1), rank from 1; the ideal list has min(|target|, 10) hits. A list shorter than 10
    counts its missing places as misses.

    Args:
        row: customer of each listed item.
        rank: its rank from 0, under 10.
        hit: whether it is in the target.
        target: size of each customer's target.
    """
    discounts = 1.0 / np.log2(np.arange(2, TOP + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discounts)])[np.minimum(target, TOP).astype(np.int64)]
    gains = np.bincount(row, weights=hit * discounts[rank], minlength=len(target))
    hits = np.bincount(row, weights=hit, minlength=len(target))
    some = np.where(target > 0, 1.0, np.nan)
    return {
        "ndcg": gains / ideal,
        "recall": hits / np.where(target > 0, target, np.nan),
        "precision": hits / TOP * some,
        "hit": (hits > 0) * some,
    }


def field(measure: str, target: str, kind: str) -> str:
    """Name of a quality in a report frame, like `ndcg10_b_new`."""
    return f"{measure}{TOP}_{target}_{kind}"


def variety(
    row: NDArray[Any], item: NDArray[Any], kind: NDArray[Any], customers: int, which: str
) -> dict[str, NDArray[np.float64]]:
    """How different the listed items are, per customer; the mean over customers is the figure.

    `types10_all`: product types in the list. `catalogue10_all`: each listed item counts 1 over the number of
    lists that hold it, so that the mean times the customers is the number of items that some list holds.
    """
    size = 1 + int(max(kind.max(initial=0), item.max(initial=0)))
    types = distinct(row.astype(np.int64) * size + kind)
    lists_with = np.bincount(item, minlength=size)
    kinds = counted(types // size, np.ones(len(types)), customers)
    return {
        f"types{TOP}_{which}": kinds,
        f"catalogue{TOP}_{which}": counted(row, 1.0 / lists_with[item], customers),
    }
