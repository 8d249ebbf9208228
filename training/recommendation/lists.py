"""Lists of the best items per customer, and how good they were against what the customers then bought."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOP = 10
KINDS = ("all", "new")
TARGETS = ("a", "b")


def best(
    row: NDArray[Any], item: NDArray[Any], score: NDArray[Any], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The highest scores of each row.

    Returns:
        places of the chosen entries by row and rank, and their ranks from 0; of equal scores the lower `item`
        comes first.
    """
    order = np.lexsort((item, -score, row))
    ordered = row[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    kept = rank < limit
    return order[kept], rank[kept]


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
