"""The items worth ranking for each customer, from several sources.

    own            what the customer bought, by decayed frequency
    collaborative  what customers with similar baskets bought
    types          what sells best of the product types that the customer buys
    lines          the same of a maker's products of one type
    popular        what sells best now
    tried          what most customers lately bought for the first time
    promoted       what sells at a discount, more of late than it used to
    here           what sells best now in the customer's store

The last two are there for who asks for them, and are not among the default ones: they find more of what a
customer buys next, and the lists do not get better by it (docs/attempts.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import unknown
from training.recommendation.context import FREQUENCY, Context
from training.recommendation.grouping import distinct, places
from training.recommendation.items import LINE, TYPE, Items

COVERED = 8000
DEFAULT = ("own", "collaborative", "types", "lines", "popular", "tried")
SOURCES = (*DEFAULT, "promoted", "here")
OWN = 100
# So many that about 200 of them are new to a customer: a fifth more made no better lists
# (docs/attempts.md).
COLLABORATIVE = (130, 50)
TYPES, LINES = 45, 45
POPULAR, TRIED, PROMOTED = 35, 35, 40


@dataclass(frozen=True)
class Candidates:
    """Pairs of customer and item, ascending, each once.

    Attributes:
        row: place of the customer in the context.
        item: code of the item.
        entry: place of the pair among the customer's own items, -1 when never bought.
    """

    row: NDArray[np.int64]
    item: NDArray[np.int64]
    entry: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


def checked(sources: Collection[str]) -> tuple[str, ...]:
    """Names of sources in their own order.

    Raises:
        UserError: a name is unknown.
    """
    for name in sources:
        if name not in SOURCES:
            raise unknown("candidate source", name, SOURCES)
    return tuple(name for name in SOURCES if name in sources)


def covered(items: Items) -> NDArray[np.int64]:
    """Codes of the best selling items, which have collaborative scores; ascending."""
    return np.sort(items.popular[:COVERED])


def choose(  # noqa: PLR0917 (what candidates are made from)
    context: Context,
    items: Items,
    covered: NDArray[np.int64],
    sources: Collection[str] = DEFAULT,
    here: NDArray[np.int64] | None = None,
    stocked: NDArray[np.bool_] | None = None,
    new_only: bool = False,
) -> Candidates:
    """The candidates of these sources.

    Args:
        context: the customers.
        items: the catalogue.
        covered: codes of the items that have collaborative scores, ascending.
        sources: of `SOURCES`.
        here: items of each customer's store, -1 for none (n x any).
        stocked: items that can be had; every source gives its best of these. None: all.
        new_only: without items that a customer has bought.
    """
    own, size = context.own, len(items)
    everyone = np.arange(own.customers)[:, np.newaxis] * size
    keys = [np.empty(0, dtype=np.int64)]
    if "own" in sources and not new_only:
        often = own.decayed[:, FREQUENCY]
        if stocked is not None:
            often = np.where(stocked[own.item], often, -1.0)
        frequent = _best(own.row, often, OWN)
        keys.append(own.row[frequent] * size + own.item[frequent])
    if here is not None:
        keys.append((everyone + here)[here >= 0])
    keys += [(everyone + best).ravel() for best in for_everyone(items, sources, stocked)]
    place = places(covered, own.item)
    bought = own.row[place >= 0], place[place >= 0]
    similar = zip(context.scores, COLLABORATIVE, strict=True) if "collaborative" in sources else ()
    copied = ((scores.astype(np.float32), wanted) for scores, wanted in similar)
    for scores, wanted in chain(copied, by_groups(context.amounts, items, covered, sources)):
        scores[bought] = 0.0
        if stocked is not None:
            scores[:, ~stocked[covered]] = 0.0
        keys += [row * size + covered[highest(part, wanted)] for row, part in enumerate(scores)]
    key = distinct(np.concatenate(keys))
    if stocked is not None:
        key = key[stocked[key % max(1, size)]]
    entry = places(own.row * size + own.item, key)
    if new_only:
        key, entry = key[entry < 0], entry[entry < 0]
    return Candidates(key // max(1, size), key % max(1, size), entry)


def for_everyone(
    items: Items, sources: Collection[str], stocked: NDArray[np.bool_] | None
) -> Iterator[NDArray[np.int64]]:
    """The items of each source that gives all customers the same."""
    for name, best, count in (
        ("popular", items.popular, POPULAR),
        ("tried", items.most_tried, TRIED),
        ("promoted", items.most_promoted, PROMOTED),
    ):
        if name in sources:
            # Nearly always enough of the first can be had; of all is looked at otherwise.
            some = best if stocked is None else best[: 64 * count]
            found = some if stocked is None else some[stocked[some]]
            if stocked is not None and len(found) < count:
                found = best[stocked[best]]
            yield found[:count]


def by_groups(
    amounts: NDArray[np.float64], items: Items, covered: NDArray[np.int64], sources: Collection[str]
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Scores of the covered items (n x m), 0 for what nothing speaks for, and how many are wanted of each."""
    shares = (("types", TYPE, items.share_of_type, TYPES), ("lines", LINE, items.share_of_line, LINES))
    for name, group, share, wanted in shares:
        if name in sources:
            amount = items.part(amounts, group).astype(np.float32)
            yield amount[:, items.level[covered, group]] * share[covered].astype(np.float32), wanted


def highest(scores: NDArray[np.floating[Any]], count: int) -> NDArray[np.int64]:
    """Places of the highest scores, `count` at most, of those over 0."""
    # Most are 0, and with so many equal ones to choose among a partition takes ten times as long.
    some = np.flatnonzero(scores > 0)
    return some[np.argpartition(-scores[some], count)[:count]] if len(some) > count else some


def _best(row: NDArray[np.int64], value: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of the `count` largest values of each row; ties go to the earlier place."""
    order = np.lexsort((-value, row))
    ordered = row[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < count]
