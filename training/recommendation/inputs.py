"""What the ranker reads about a candidate, computed: see `declarations` for what each input means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.recommendation.candidates import Candidates
from training.recommendation.context import FREQUENCY, Context
from training.recommendation.declarations import INPUTS
from training.recommendation.grouping import places
from training.recommendation.items import GROUPS, TYPE, Items

POPULARITY = ("item_popularity_7", "item_popularity_28", "item_popularity_120")
TRIED = ("item_tried_7", "item_tried_28")
PROMOTED = ("item_promoted_7", "item_promoted_120")
COLLABORATIVE = ("collaborative", "collaborative_recent")
LEAST = 1e-9

Columns = dict[str, NDArray[np.float32]]


def build(
    candidates: Candidates, context: Context, items: Items, covered: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The inputs of each candidate (n x INPUTS); NaN where there is nothing to tell."""
    values = np.full((len(INPUTS), len(candidates)), np.nan, dtype=np.float32)
    column = {name: values[number] for number, name in enumerate(INPUTS)}
    _own(column, candidates, context)
    _item(column, candidates, items)
    _collaborative(column, candidates, context, covered)
    _groups(column, candidates, context, items)
    return np.ascontiguousarray(values.T)


def _own(column: Columns, candidates: Candidates, context: Context) -> None:
    """The customer, and the customer's rhythm with the item."""
    own, row = context.own, candidates.row
    bought = np.flatnonzero(candidates.entry >= 0)
    entry = candidates.entry[bought]
    for name in ("own_baskets", "own_15", "own_40", "own_120", "own_days", "own_rate_120"):
        column[name][:] = 0
    column["own_baskets"][bought] = own.baskets[entry]
    for number, name in enumerate(("own_15", "own_40", "own_120")):
        column[name][bought] = own.decayed[entry, number]
    visits = own.visits[row]
    column["own_rate_120"][bought] = own.decayed[entry, FREQUENCY] / np.maximum(LEAST, visits[bought, 1])
    column["own_days"][bought] = own.days[entry]
    column["own_last"][bought] = own.last[entry]
    column["own_first"][bought] = own.first[entry]
    gap = np.where(own.days > 1, (own.first - own.last) / np.maximum(1, own.days - 1), np.nan)[entry]
    column["own_gap"][bought] = gap
    column["own_overdue"][bought] = own.last[entry] / gap
    column["visits_30"][:] = visits[:, 0]
    column["visits_120"][:] = visits[:, 1]
    column["since_visit"][:] = own.since_visit[row]
    column["tenure"][:] = context.tenure[row]
    column["tried"][:] = context.tried[row]


def _item(column: Columns, candidates: Candidates, items: Items) -> None:
    """How the item sells."""
    item = candidates.item
    tables = ((POPULARITY, items.popularity), (TRIED, items.tried), (PROMOTED, items.promoted))
    for names, table in tables:
        for number, name in enumerate(names):
            column[name][:] = table[item, number]
    late, month, long = items.popularity[item].T
    column["item_trend"][:] = late / np.maximum(LEAST, long)
    column["item_surge"][:] = late / np.maximum(LEAST, month)
    column["item_price"][:] = items.price_cents[item]
    column["item_dearness"][:] = items.dearness[item]
    column["item_repeat"][:] = items.repeat[item]
    column["item_age"][:] = items.age[item]
    column["type_trend"][:] = items.trend_of_type[item]


def _collaborative(
    column: Columns, candidates: Candidates, context: Context, covered: NDArray[np.int64]
) -> None:
    """What similar customers buy; relative to the customer's best new item, and with the item's trend."""
    if not len(covered):
        return
    row, at = candidates.row, places(covered, candidates.item)
    for name, scores in zip(COLLABORATIVE, context.scores, strict=True):
        column[name][:] = np.where(at >= 0, scores[row, at], np.nan)
    score = column["collaborative"]
    fresh = (candidates.entry < 0) & (at >= 0)
    best = np.full(context.own.customers, LEAST, dtype=np.float32)
    np.maximum.at(best, row[fresh], score[fresh])
    column["collaborative_relative"][:] = score / best[row]
    column["collaborative_trend"][:] = score * column["item_trend"]


def _groups(column: Columns, candidates: Candidates, context: Context, items: Items) -> None:
    """What the customer buys of the item's type, maker and so on, and at what price."""
    own, row, item = context.own, candidates.row, candidates.item
    whole = np.bincount(own.row, own.decayed[:, FREQUENCY], own.customers)[row]
    for number, group in enumerate(GROUPS):
        member = items.level[item, number]
        amount = context.amounts[number][row, member]
        column[f"{group}_amount"][:] = amount
        column[f"{group}_share"][:] = amount / np.maximum(LEAST, whole)
        since = context.since[number][row, member]
        column[f"{group}_since"][:] = np.where(np.isinf(since), np.nan, since)
        column[f"{group}_kinds"][:] = context.kinds[number][row, member]
    column["type_expected"][:] = column["product_type_amount"] * items.share_of_type[item]
    column["type_due"][:] = column["product_type_amount"] * column["product_type_since"]
    column["line_expected"][:] = column["line_amount"] * items.share_of_line[item]
    dearness = items.dearness[item]
    column["dearness"][:] = dearness / context.dearness[row, -1]
    column["dearness_of_type"][:] = dearness / context.dearness[row, items.level[item, TYPE]]
