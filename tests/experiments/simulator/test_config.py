"""An impossible world is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from experiments.simulator.config import Calendar, Festival, WorldConfig
from experiments.simulator.customer_config import ContractTerms, Joining
from experiments.simulator.offer_config import Basket, Bills, Category, Item, Promotion
from experiments.simulator.outlet_config import Outlet
from experiments.simulator.treatment_config import Action, Channel, Effect
from features.errors import UserError
from tests.experiments.simulator.conftest import CATEGORIES, plain, segment


def test_a_plain_world_can_be():
    world = plain()
    assert world.first_day == 19723
    assert world.category("snacks") == 2
    assert world.payments == ("cash", "card")


def test_places_are_those_of_the_categories_then_online_then_bills():
    basket = Basket(payments={"cash": 1}, online=0.5, online_place="app")
    assert plain(basket=basket, bills=Bills(("fuel",), place="bill")).places == ("shop", "app", "bill")


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        (
            lambda: plain(zone="Asia/Shangai"),
            "time zone not found: 'Asia/Shangai'. Hint: did you mean 'Asia/Shanghai'?",
        ),
        (
            lambda: plain(zone="Mars/Base"),
            "time zone not found: 'Mars/Base'. Write one like 'Asia/Shanghai'.",
        ),
        (lambda: plain(currency=" "), "the name of a currency is ' '; it has to be a text."),
        (
            lambda: plain(start=date(1970, 12, 31)),
            "start is 1970-12-31; it has to be from 1971-01-01 to 2100-12-31.",
        ),
        (
            lambda: plain(start=date(2101, 1, 1)),
            "start is 2101-01-01; it has to be from 1971-01-01 to 2100-12-31.",
        ),
        (
            lambda: plain(start=datetime(2024, 1, 1, 10, tzinfo=UTC)),
            "start is 2024-01-01 10:00:00+00:00; it has to be a date, without an hour.",
        ),
        (
            lambda: plain(outlet=Outlet(labels={"recommendation": {"excluded_departments": ["FEUL"]}})),
            "department that recommendations exclude not found: 'FEUL'. Hint: did you mean 'FUEL'?",
        ),
        (
            lambda: Category("fuel", "FUEL", products=1, price=1e300),
            "category 'fuel': price is 1e+300; it has to be a number to 1e+06.",
        ),
        (
            lambda: Category("fuel", "FUEL", products=1, price=1e5, quantity=1e5),
            "category 'fuel': price times quantity is 10000000000.0; it has to be a number to 1e+07.",
        ),
        (
            lambda: Category("fuel", "FUEL", products=1, quantity_spread=9.0),
            "category 'fuel': quantity_spread is 9.0; it has to be a number from 0 to 1.5.",
        ),
        (lambda: Item("92", 1e300), "item '92': price is 1e+300; it has to be a number to 1e+06."),
        (
            lambda: segment(spend=1e9),
            "segment 'drivers': spend is 1000000000.0; it has to be a number to 100.",
        ),
        (
            lambda: Channel("sms", attention=1, cost=1e300),
            "channel 'sms': cost is 1e+300; it has to be a number from 0 to 1e+06.",
        ),
        (
            lambda: Action("gift", ("sms",), face_value=1e300),
            "action 'gift': face_value is 1e+300; it has to be a number from 0 to 1e+06.",
        ),
        (
            lambda: Action("gift", ("sms",), valid_days=10**20),
            f"action 'gift': valid_days is {10**20}; it has to be a whole number from 1 to 3650.",
        ),
        (lambda: Effect(mean=-1.0), "mean of an effect is -1.0; it has to be above -1."),
        (
            lambda: ContractTerms(months=(10**8,)),
            "contracts: a term of months is 100000000; it has to be a whole number from 1 to 600.",
        ),
        (
            lambda: Joining(history_days=10**8),
            "joining: history_days is 100000000; it has to be a whole number from 1 to 18250.",
        ),
        (lambda: plain(segments=()), "no segment is given; one or more are needed."),
        (lambda: plain(segments=(segment(), segment())), "segment 'drivers' is given twice. Rename one."),
        (
            lambda: plain(segments=(segment(share=0.4), segment(name="b", share=0.5))),
            "the shares of the segments add up to 0.9; they have to make 1.",
        ),
        (
            lambda: plain(segments=(segment(anchor="fuell"),)),
            "anchor of segment 'drivers' not found: 'fuell'. Hint: did you mean 'fuel'?",
        ),
        (
            lambda: plain(segments=(segment(taste={"drink": 2.0}),)),
            "category in the taste of segment 'drivers' not found: 'drink'. Hint: did you mean 'drinks'?",
        ),
        (
            lambda: plain(segments=(segment(bound=0.5),)),
            "segment 'drivers' is bound, and the world has no contracts. Add them.",
        ),
        (
            lambda: plain(segments=(segment(billed=True),)),
            "segment 'drivers' is billed, and the world has no bills. Add them.",
        ),
        (
            lambda: plain(segments=(segment(extras=1.0),), categories=CATEGORIES[:1]),
            "segment 'drivers' has extras and no category that has a weight for it.",
        ),
        (
            lambda: plain(
                calendar=Calendar(festivals=(Festival("fair", (date(2024, 5, 1),), taste={"x": 2.0}),))
            ),
            "category of festival 'fair' not found: 'x'. Hint: known are: drinks, fuel, snacks.",
        ),
        (
            lambda: plain(promotions=(Promotion("week", "drnks", 30, 7, 0.2),)),
            "category of promotion 'week' not found: 'drnks'. Hint: did you mean 'drinks'?",
        ),
        (
            lambda: plain(contracts=ContractTerms(category="plan")),
            "category of contracts not found: 'plan'. Hint: known are: drinks, fuel, snacks.",
        ),
        (
            lambda: plain(bills=Bills(("plan",))),
            "category of bills not found: 'plan'. Hint: known are: drinks, fuel, snacks.",
        ),
        (lambda: plain(bills=Bills(())), "no category of bills is given; one or more are needed."),
    ],
)
def test_parts_have_to_fit_each_other(world: Callable[[], WorldConfig], sentence: str):
    with pytest.raises(UserError) as refused:
        world()
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (lambda: Calendar(months=(1.0,)), "calendar: months has 1 numbers; it has to have 12."),
        (lambda: Calendar(noise=-1), "calendar: noise is -1; it has to be a number from 0 to 1.5."),
        (
            lambda: Festival("fair", (), visits=-1),
            "festival 'fair': visits is -1; it has to be a number from 0 to 100.",
        ),
        (
            lambda: Festival("fair", (), length=0),
            "festival 'fair': length is 0; it has to be a whole number of 1 or more.",
        ),
    ],
)
def test_values_of_the_calendar_are_checked(part: Callable[[], object], sentence: str):
    with pytest.raises(UserError) as refused:
        part()
    assert str(refused.value) == sentence
