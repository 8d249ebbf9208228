"""What each input of the ranker means, said in one place: for the report, and for the models that read it.

A feature of the catalogue is computed from its declaration, so a better wording of it changes nothing.
An input of the ranker is computed by `inputs`, and its words are all that says what it is: they are part of
the hash that a model keeps, and a model trained on other ones does not load. Who changes what is computed
changes the words with it; where they stay true, the version is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from training.recommendation.collaborative import SETTINGS, Setting
from training.recommendation.context import FREQUENCY, OWN_HALF_LIVES, VISIT_HALF_LIVES
from training.recommendation.items import GROUPS, HALF_LIVES, PROMOTED, RANKED_BY, TRIED


@dataclass(frozen=True)
class Input:
    """One input of the ranker, of a customer and an item as of a day.

    Attributes:
        name: its name in models and reports.
        meaning: what it is, complete without the others' meanings; NaN where there is nothing to tell.
        version: of the way it is computed, from 1.
    """

    name: str
    meaning: str
    version: int = 1

    @property
    def text(self) -> str:
        """Everything that decides what the input is."""
        return self.meaning if self.version == 1 else f"{self.meaning} (version {self.version})"


def _half(days: float) -> str:
    return f"each counting half after {days:g} days"


def _own() -> Iterator[Input]:
    yield Input("own_baskets", "baskets of the customer that held the item")
    for days in OWN_HALF_LIVES:
        yield Input(f"own_{days}", f"baskets of the customer that held the item, {_half(days)}")
    visits, long = VISIT_HALF_LIVES[-1], OWN_HALF_LIVES[FREQUENCY]
    share = f"own_{long} over visits_{visits}: in how many of the customer's visits the item is bought"
    yield Input(f"own_rate_{long}", share)
    yield Input("own_days", "distinct days on which the customer bought the item")
    yield Input("own_last", "days since the customer last bought the item")
    yield Input("own_first", "days since the customer first bought the item")
    yield Input("own_gap", "mean days between the customer's purchases of the item, of two days or more")
    yield Input("own_overdue", "own_last over own_gap")


def _customer() -> Iterator[Input]:
    for days in VISIT_HALF_LIVES:
        yield Input(f"visits_{days}", f"days with an item that the customer bought, {_half(days)}")
    yield Input("since_visit", "days since the customer last bought any item")
    yield Input("tenure", "days since the customer first bought any item")
    first = f"items that the customer bought for the first time, {_half(VISIT_HALF_LIVES[0])}"
    yield Input("tried", f"{first}, over visits_{VISIT_HALF_LIVES[0]}")


def _item() -> Iterator[Input]:
    for days in HALF_LIVES:
        yield Input(f"item_popularity_{days}", f"baskets of all customers with the item, {_half(days)}")
    for days in TRIED:
        yield Input(f"item_tried_{days}", f"customers by their first basket with the item, {_half(days)}")
    for days in PROMOTED:
        yield Input(f"item_promoted_{days}", f"share of baskets with the item at a discount, {_half(days)}")
    late, month, long = (f"item_popularity_{days}" for days in HALF_LIVES)
    yield Input("item_trend", f"{late} over {long}")
    yield Input("item_surge", f"{late} over {month}")
    yield Input("item_price", "mean paid for the item in a basket, in cents")
    yield Input("item_dearness", f"item_price over the mean of its product type, weighted by {long}")
    yield Input("item_repeat", "share of the item's buyers who bought it in two baskets or more")
    yield Input("item_age", "days since the item was first sold")
    yield Input("type_trend", f"{late} over {long}, each summed over the items of the product type")


def _collaborative() -> Iterator[Input]:
    for name, setting in zip(("collaborative", "collaborative_recent"), SETTINGS, strict=True):
        yield Input(name, f"score by low-rank EASE from the customer's {_profile(setting)}")
    best = "collaborative over its largest value among the customer's candidates never bought before"
    yield Input("collaborative_relative", best)
    yield Input("collaborative_trend", "collaborative times item_trend")


def _profile(setting: Setting) -> str:
    return "log(1 + baskets) by item" + (f", {_half(setting.half_life)}" if setting.half_life else "")


def _groups() -> Iterator[Input]:
    half = _half(OWN_HALF_LIVES[FREQUENCY])
    for group in GROUPS:
        what = "line (a maker's products of one type)" if group == "line" else group.replace("_", " ")
        amount = f"the customer's baskets by item with items of the item's {what}, {half}"
        yield Input(f"{group}_amount", amount)
        yield Input(f"{group}_share", f"{group}_amount over the same of all items")
        yield Input(f"{group}_since", f"days since the customer last bought an item of the item's {what}")
        yield Input(f"{group}_kinds", f"distinct items of the item's {what} that the customer has bought")


def _both() -> Iterator[Input]:
    sold = f"item_popularity_{HALF_LIVES[RANKED_BY]}"
    for name, group in (("type", "product_type"), ("line", "line")):
        of = f"the item's share of the {sold} of its {group.replace('_', ' ')}"
        yield Input(f"{name}_expected", f"{group}_amount times {of}")
        if name == "type":
            yield Input("type_due", f"{group}_amount times {group}_since")
    usual = f"item_dearness over that of the customer's items, weighted by own_{OWN_HALF_LIVES[FREQUENCY]}"
    yield Input("dearness", usual)
    yield Input("dearness_of_type", f"{usual}, of the item's product type only")


DECLARATIONS: Final = (*_own(), *_customer(), *_item(), *_collaborative(), *_groups(), *_both())
DECLARED: Final = {each.name: each.text for each in DECLARATIONS}
"""What each input is, by name, in the order in which a model reads them."""
INPUTS: Final = tuple(DECLARED)
