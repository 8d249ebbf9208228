"""What the ranker reads about a candidate: the customer's rhythm with it, the customer, the item, both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.recommendation.candidates import Candidates
from training.recommendation.context import FREQUENCY, Context
from training.recommendation.items import Items
from training.recommendation.ledger import LEVELS

INPUTS: tuple[str, ...] = (
    "own_baskets",
    "own_15",
    "own_40",
    "own_120",
    "own_rate_120",
    "own_days",
    "own_last",
    "own_first",
    "own_gap",
    "own_overdue",
    "visits_30",
    "visits_120",
    "since_visit",
    "item_popularity_7",
    "item_popularity_28",
    "item_popularity_120",
    "item_trend",
    "item_price",
    "item_repeat",
    "item_age",
    "collaborative",
    "collaborative_recent",
    *(f"{level}_{what}" for level in LEVELS for what in ("amount", "share", "since", "kinds")),
    "type_expected",
)


def build(
    candidates: Candidates, context: Context, items: Items, covered: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The inputs of each candidate (n x INPUTS); NaN where there is nothing to tell."""
    own, row, item = context.own, candidates.row, candidates.item
    values = np.full((len(INPUTS), len(row)), np.nan, dtype=np.float32)
    column = {name: values[number] for number, name in enumerate(INPUTS)}

    bought = np.flatnonzero(candidates.entry >= 0)
    entry = candidates.entry[bought]
    for name in ("own_baskets", "own_15", "own_40", "own_120", "own_days", "own_rate_120"):
        column[name][:] = 0
    column["own_baskets"][bought] = own.baskets[entry]
    for number, name in enumerate(("own_15", "own_40", "own_120")):
        column[name][bought] = own.decayed[entry, number]
    visits = own.visits[row]
    column["own_rate_120"][bought] = own.decayed[entry, FREQUENCY] / np.maximum(1e-9, visits[bought, 1])
    column["own_days"][bought] = own.days[entry]
    column["own_last"][bought] = own.last[entry]
    column["own_first"][bought] = own.first[entry]
    gap = np.where(own.days > 1, (own.first - own.last) / np.maximum(1, own.days - 1), np.nan)[entry]
    column["own_gap"][bought] = gap
    column["own_overdue"][bought] = own.last[entry] / gap

    column["visits_30"][:] = visits[:, 0]
    column["visits_120"][:] = visits[:, 1]
    column["since_visit"][:] = own.since_visit[row]

    popularity = items.popularity[item]
    for number, name in enumerate(("item_popularity_7", "item_popularity_28", "item_popularity_120")):
        column[name][:] = popularity[:, number]
    column["item_trend"][:] = popularity[:, 0] / np.maximum(1e-9, popularity[:, 2])
    column["item_price"][:] = items.price_cents[item]
    column["item_repeat"][:] = items.repeat[item]
    column["item_age"][:] = items.age[item]

    place = np.full(len(items), -1)
    place[covered] = np.arange(len(covered))
    at = place[item]
    for name, scores in zip(("collaborative", "collaborative_recent"), context.scores, strict=True):
        if len(covered):
            column[name][:] = np.where(at >= 0, scores[row, at], np.nan)

    whole = np.bincount(own.row, own.decayed[:, FREQUENCY], own.customers)[row]
    for number, level in enumerate(LEVELS):
        member = items.level[item, number]
        amount = context.amounts[number][row, member]
        column[f"{level}_amount"][:] = amount
        column[f"{level}_share"][:] = amount / np.maximum(1e-9, whole)
        since = context.since[number][row, member]
        column[f"{level}_since"][:] = np.where(np.isinf(since), np.nan, since)
        column[f"{level}_kinds"][:] = context.kinds[number][row, member]
    column["type_expected"][:] = column["product_type_amount"] * items.share_of_type[item]
    return np.ascontiguousarray(values.T)
