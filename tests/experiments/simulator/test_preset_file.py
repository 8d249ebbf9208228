"""Configurations from files: presets, files of one's own, and the sentences that refuse the rest."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from experiments.simulator.codes import ContractKind, Stage
from experiments.simulator.events import Contracts, Lines
from experiments.simulator.preset_file import load, preset, presets
from experiments.simulator.world import World
from features.errors import UserError

PLAIN = """
name: plain
start: 2024-01-01
segments: {drivers: {share: 1, visits_per_week: 1, anchor: fuel, extras: 0}}
life_cycle:
  stages: {exploring: {visits: 1}, forming: {visits: 1}, stable: {visits: 1}, lapsing: {visits: 1}}
categories: {fuel: {department: FUEL, items: {92: {price: 8}}}}
basket: {payments: {cash: 1}}
"""

BANK = """
name: bank
start: 2024-01-01
segments:
  savers:
    share: 0.9
    visits_per_week: 2
    anchor: card payment
    anchor_share: 0.9
    extras: 0.3
    bound: 0.4
    billed: true
  companies: {share: 0.1, kind: organisation, visits_per_week: 5, anchor: transfer, extras: 0.1, billed: true}
life_cycle:
  stages:
    exploring: {visits: 0.5, moves: {stable: 0.02, lapsing: 0.01}}
    forming: {visits: 1}
    stable: {visits: 1, moves: {forming: 0.01, lapsing: 0.001}}
    lapsing: {visits: 0.3, moves: {gone: 0.005}}
categories:
  card payment: {department: CARD, products: 20, price: 80, place: card}
  transfer: {department: MOVES, weight: 1, products: 1, quantity: 500, quantity_spread: 1, place: app}
  fund: {department: INVESTMENT, weight: 0.2, products: 8, price: 1000, place: branch}
  account fee: {department: FEES, items: {basic: {price: 2}, gold: {price: 15}}, place: statement}
basket: {payments: {account: 1}}
contracts: {months: [6, 12], renew: 0.8}
bills: {categories: [account fee], place: statement}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "world.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_a_world(name: str):
    config = preset(name)
    assert config.name == name
    assert {segment.kind for segment in config.segments} == {"person", "organisation"}


def test_the_presets_are_fuel_and_telecom():
    assert {"fuel", "telecom"} <= set(presets())
    with pytest.raises(UserError, match=r"preset not found: 'fule'\. Hint: did you mean 'fuel'\?"):
        preset("fule")


def test_a_file_says_what_a_world_is_made_of(tmp_path: Path):
    config = load(written(tmp_path, PLAIN))
    assert config.start == date(2024, 1, 1)
    assert config.segments[0].name == "drivers"
    assert config.segments[0].share == 1.0
    assert isinstance(config.segments[0].share, float)
    assert config.categories[0].items[0].name == "92"
    assert config.contracts is None


def test_a_file_may_say_only_what_differs_from_a_preset(tmp_path: Path):
    config = load(written(tmp_path, "base: fuel\nname: ours\njoining: {before: 0.5}\ncontracts: null\n"
                                    "segments: {organisations: {bound: 0}}\n"))  # fmt: skip
    base = preset("fuel")
    assert config.name == "ours"
    assert config.joining.before == 0.5
    assert config.joining.household == base.joining.household
    assert config.contracts is None
    assert config.segments[:-1] == base.segments[:-1]


LESS = """
base: fuel
calendar: {festivals: {labour day: null}, noise: null}
promotions: null
contracts: null
segments: {organisations: null, commuters: {share: 0.47}}
"""


EMPTY = (
    "world world.yaml: promotions is empty, which changes nothing of base. Leave it out, or take its entries "
    "away one by one with null, like {drinks week: null}."
)
ADDED = "world world.yaml: {} is empty, which adds nothing to base. Leave it out, or give it entries."
BASE = "world world.yaml: base is {}; it has to be the name of one preset: fuel or telecom."
NO_ENTRY = (
    "entry of world world.yaml: calendar: festivals that null takes away not found: 'labor day'. "
    "Hint: did you mean 'labour day'?"
)


def test_null_takes_away_what_the_preset_says(tmp_path: Path):
    config = load(written(tmp_path, LESS))
    base = preset("fuel")
    assert [one.name for one in config.calendar.festivals] == [
        one.name for one in base.calendar.festivals if one.name != "labour day"
    ]
    assert config.calendar.noise == 0.0
    assert config.calendar.months == base.calendar.months
    assert config.promotions == ()
    assert config.contracts is None
    assert [one.name for one in config.segments] == [one.name for one in base.segments[:-1]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("promotions: {}", EMPTY),
        ("segments: {hire: {taste: {}}}", "world world.yaml: segments: hire: taste is empty"),
        ("bills: {}", ADDED.format("bills")),
        ("segments: {commuters: {taste: {}}}", ADDED.format("segments: commuters: taste")),
        (
            "treatment: {actions: {wash: {channels: [app], audience: {}}}}",
            ADDED.format("treatment: actions: wash: audience"),
        ),
        ("calendar: {festivals: {labor day: null}}", NO_ENTRY),
        ("segments: {hire: null}", "the shares of the segments add up to 0.97; they have to make 1."),
        ("segments: null", "world world.yaml has no 'segments'. Add it."),
        ("categories: {toys: null}", "category in the taste of segment 'occasional' not found: 'toys'"),
    ],
)
def test_what_cannot_be_taken_away_is_refused(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(UserError) as refused:
        load(written(tmp_path, f"base: fuel\n{text}\n"))
    assert str(refused.value).startswith(sentence)


def test_a_third_business_is_one_file(tmp_path: Path):
    world = World(load(written(tmp_path, BANK)), 0, range(500))
    days = [world.step() for _ in range(31)]
    lines = Lines.concat(day.lines for day in days)
    names = [world.config.categories[number].name for number in world.products.category[lines.product]]
    assert set(names) == {"card payment", "transfer", "fund", "account fee"}
    kinds = Contracts.concat(day.contracts for day in days).kind
    assert set(kinds) == set(ContractKind)
    assert set(world.truth().stage) == set(Stage)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zoon: Asia/Shanghai", "key of world world.yaml not found: 'zoon'. Hint: did you mean 'zone'?"),
        (
            "joining: {befor: 1}",
            "key of world world.yaml: joining not found: 'befor'. Hint: did you mean 'before'?",
        ),
        ("network: {stores: 7.5}", "world world.yaml: network: stores is 7.5; it has to be a whole number."),
        ("network: {home: much}", "world world.yaml: network: home is 'much'; it has to be a number."),
        ("currency: 7", "world world.yaml: currency is 7; it has to be a text."),
        ("network: [1]", "world world.yaml: network is [1]; it has to be a mapping of names."),
        ("calendar: {months: 1}", "world world.yaml: calendar: months is 1; it has to be a list."),
        ("calendar: {noise: -1}", "calendar: noise is -1.0; it has to be a number from 0 to 1.5."),
        (
            "promotions: {week: 7}",
            "world world.yaml: promotions: week is 7; it has to be a mapping of names.",
        ),
        ("name: twice", "the world names 'name' twice. Remove or rename one."),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(UserError) as refused:
        load(written(tmp_path, PLAIN + text))
    assert str(refused.value) == sentence


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "2024-01-01 10:00:00", "2024-01-01T10:00:00Z"])
def test_days_that_cannot_be_are_refused(tmp_path: Path, day: str):
    ending = f"is not a date: {day!r}. Write it as YYYY-MM-DD, like 2017-12-01."
    for text, name in (
        (PLAIN.replace("2024-01-01", day), "start"),
        (
            PLAIN + f"calendar: {{festivals: {{fair: {{days: [{day}]}}}}}}",
            "calendar: festivals: fair: days: 0",
        ),
    ):
        with pytest.raises(UserError) as refused:
            load(written(tmp_path, text))
        assert str(refused.value) == f"world world.yaml: {name} {ending}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1", "is [1]; it has to be a mapping of names."),
        ("a: [", "is not valid YAML"),
        ("name: x", "world world.yaml has no 'start'. Add it."),
        ("base: fule", "preset not found: 'fule'. Hint: did you mean 'fuel'?"),
        ("base: [fuel]", BASE.format("['fuel']")),
        ("base: {fuel: 1}", BASE.format("{'fuel': 1}")),
        ("base: 7", BASE.format("7")),
        ("base:", BASE.format("None")),
    ],
)
def test_files_that_are_no_world_are_refused(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(UserError) as refused:
        load(written(tmp_path, text))
    assert sentence in str(refused.value)


def test_an_alias_of_something_else_is_what_it_stands_for(tmp_path: Path):
    text = "segments: {plan: &same {price_sensitivity: 0.7}, prepaid: *same}"
    config = load(written(tmp_path, f"base: telecom\n{text}\n"))
    assert [one.price_sensitivity for one in config.segments[:2]] == [0.7, 0.7]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="world not found"):
        load(tmp_path / "nothing.yaml")
