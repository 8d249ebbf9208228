"""What the ranker reads about a candidate, computed: see `declarations` for what each input means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.recommendation.candidates import Candidates
from training.recommendation.context import FREQUENCY, Context
from training.recommendation.declarations import INPUTS
from training.recommendation.grouping import places
from training.recommendation.items import GROUPS, LEAST, TYPE, Items

AT = {name: place for place, name in enumerate(INPUTS)}


def _from(first: str, last: str) -> slice:
    """The columns of inputs that stand side by side."""
    return slice(AT[first], AT[last] + 1)


OWN, CUSTOMER = _from("own_baskets", "own_overdue"), _from("visits_30", "tried")
ITEM = _from("item_popularity_7", "type_trend")
COLLABORATIVE, SCORE = _from("collaborative", "collaborative_trend"), AT["collaborative"]
BY_GROUP = _from(f"{GROUPS[0]}_amount", f"{GROUPS[-1]}_kinds")
# Of an item never bought: no baskets, share of visits or days, and no days since.
NEVER = (*[0.0] * 6, *[np.nan] * 4)


def build(
    candidates: Candidates, context: Context, items: Items, covered: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The inputs of each candidate (n x INPUTS); NaN where there is nothing to tell."""
    values = np.empty((len(candidates), len(INPUTS)), dtype=np.float32)
    values[:, OWN] = _own(context)[candidates.entry]
    values[:, CUSTOMER] = _customer(context)[candidates.row]
    values[:, ITEM] = items.facts[candidates.item]
    _collaborative(values, candidates, context, covered)
    _groups(values, candidates, context, items)
    return values


def _own(context: Context) -> NDArray[np.float64]:
    """The customers' rhythm with each own item, and at the end that with one never bought."""
    own = context.own
    gap = np.where(own.days > 1, (own.first - own.last) / np.maximum(1, own.days - 1), np.nan)
    often = own.decayed[:, FREQUENCY] / np.maximum(LEAST, own.visits[own.row, 1])
    columns = (own.baskets, *own.decayed.T, often, own.days, own.last, own.first, gap, own.last / gap)
    known = np.empty((len(own.row) + 1, len(columns)))
    for number, column in enumerate(columns):
        known[:-1, number] = column
    known[-1] = NEVER
    return known


def _customer(context: Context) -> NDArray[np.float64]:
    own = context.own
    return np.column_stack([own.visits, own.since_visit, context.tenure, context.tried])


def _collaborative(
    values: NDArray[np.float32], candidates: Candidates, context: Context, covered: NDArray[np.int64]
) -> None:
    """What similar customers buy; relative to the customer's best new item, and with the item's trend."""
    if not len(covered):
        values[:, COLLABORATIVE] = np.nan
        return
    row, at = candidates.row, places(covered, candidates.item)
    for column, scores in zip((SCORE, SCORE + 1), context.scores, strict=True):
        values[:, column] = np.where(at >= 0, scores[row, at], np.nan)
    score = values[:, SCORE]
    fresh = (candidates.entry < 0) & (at >= 0)
    best = np.full(context.own.customers, LEAST, dtype=np.float32)
    np.maximum.at(best, row[fresh], score[fresh])
    compared(values, best[row])


def compared(values: NDArray[np.float32], best: NDArray[np.float32]) -> None:
    """Fill in the collaborative score relative to the best one, and with the item's trend."""
    score = values[:, SCORE]
    values[:, AT["collaborative_relative"]] = score / best
    values[:, AT["collaborative_trend"]] = score * values[:, AT["item_trend"]]


def _groups(values: NDArray[np.float32], candidates: Candidates, context: Context, items: Items) -> None:
    """What the customer buys of the item's type, maker and so on, and at what price."""
    own, row, item = context.own, candidates.row, candidates.item
    whole = np.bincount(own.row, own.decayed[:, FREQUENCY], own.customers)[row]
    where = row[:, np.newaxis], items.member[item]
    amount, since = context.amounts[where], context.since[where]
    for number, columns in enumerate(
        (
            amount,
            amount / np.maximum(LEAST, whole)[:, np.newaxis],
            np.where(np.isinf(since), np.nan, since),
            context.kinds[where],
        )
    ):
        values[:, BY_GROUP.start + number : BY_GROUP.stop : 4] = columns
    usual, of_type = context.dearness[row, -1], context.dearness[row, items.level[item, TYPE]]
    expected(values, item, items, usual, of_type)


def expected(
    values: NDArray[np.float32],
    item: NDArray[np.int64],
    items: Items,
    usual: Any,
    of_type: NDArray[np.float64],
) -> None:
    """Fill in what follows from the amounts of the groups, and the item's price beside the usual ones."""
    type_amount = values[:, AT["product_type_amount"]]
    values[:, AT["type_expected"]] = type_amount * items.share_of_type[item]
    values[:, AT["type_due"]] = type_amount * values[:, AT["product_type_since"]]
    values[:, AT["line_expected"]] = values[:, AT["line_amount"]] * items.share_of_line[item]
    dearness = items.dearness[item]
    values[:, AT["dearness"]] = dearness / usual
    values[:, AT["dearness_of_type"]] = dearness / of_type
