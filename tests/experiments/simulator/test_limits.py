"""Each check takes what can be and refuses the rest in a sentence that names it; so are whole worlds."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.simulator import limits
from experiments.simulator.config import WorldConfig
from experiments.simulator.preset_file import load, preset
from experiments.simulator.world import World
from features.errors import UserError

from .conftest import STAGES


def test_what_can_be_passes():
    assert limits.number("x", 3, least=0) == 3.0
    assert limits.share("x", 1) == 1.0
    assert limits.above("x", 0.1) == 0.1
    assert limits.whole("x", 0) == 0
    assert limits.known("x", "a", ("a", "b")) == "a"
    limits.weights("x", (0, 1), count=2)
    limits.whole_of("x", [0.1] * 10)
    limits.distinct("x", ["a", "b"])


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: limits.number("x", "3"), "x is '3'; it has to be a number."),
        (lambda: limits.number("x", math.nan), "x is nan; it has to be a number."),
        (lambda: limits.number("x", math.inf), "x is inf; it has to be a finite number."),
        (lambda: limits.number("x", -1, least=0), "x is -1; it has to be a number from 0."),
        (lambda: limits.share("x", 1.5), "x is 1.5; it has to be a number from 0 to 1."),
        (lambda: limits.share("x", True), "x is True; it has to be a number from 0 to 1."),
        (lambda: limits.above("x", 0), "x is 0; it has to be above 0."),
        (lambda: limits.whole("x", 1.0), "x is 1.0; it has to be a whole number of 0 or more."),
        (lambda: limits.above("x", 2, most=1), "x is 2; it has to be a number to 1."),
        (lambda: limits.whole("x", 8, least=1, most=7), "x is 8; it has to be a whole number from 1 to 7."),
        (lambda: limits.day("x", "2024-01-01"), "x is 2024-01-01; it has to be a date, without an hour."),
        (lambda: limits.time_zone("UTD"), "time zone not found: 'UTD'. Write one like 'Asia/Shanghai'."),
        (
            lambda: limits.few("shops", "x" * 128),
            "there are 128 shops; 127 are the most. Leave some out.",
        ),
        (lambda: limits.weights("x", (1,), count=2), "x has 1 numbers; it has to have 2."),
        (lambda: limits.weights("x", (0, 0)), "x is [0, 0]; one of its numbers has to be above 0."),
        (lambda: limits.whole_of("the shares", [0.5, 0.4]), "the shares add up to 0.9; they have to make 1."),
        (lambda: limits.distinct("shop", []), "no shop is given; one or more are needed."),
        (lambda: limits.distinct("shop", [""]), "the name of a shop is ''; it has to be a text."),
        (lambda: limits.distinct("shop", ["a", "a"]), "shop 'a' is given twice. Rename one."),
        (lambda: limits.known("shop", "ab", ("abc",)), "shop not found: 'ab'. Hint: did you mean 'abc'?"),
    ],
)
def test_what_cannot_be_is_refused(check: Callable[[], object], sentence: str):
    with pytest.raises(UserError) as refused:
        check()
    assert str(refused.value) == sentence


def of(base: str, text: str, folder: Path) -> WorldConfig:
    """A world that differs from a preset, from a file."""
    path = folder / "world.yaml"
    path.write_text(f"base: {base}\n{text}\n", encoding="utf-8")
    return load(path)


def of_all_segments(name: str, text: str) -> str:
    """A change of every segment of a preset."""
    return f"segments: {{{', '.join(f'{one.name}: {{{text}}}' for one in preset(name).segments)}}}"


IN_A_PLACE = "department: D, products: 1, place:"
NOBODY_COMES = (
    "nobody ever comes: visits_per_week of all segments, or visits of all stages, are 0, or all customers "
    "are dormant. Let some come."
)
IMPOSSIBLE = {
    "service: {surveys: {after_days: []}}": (
        "surveys: after_days is []; it has to be two numbers, from and until."
    ),
    "service: {surveys: {after_days: [7]}}": (
        "surveys: after_days is [7]; it has to be two numbers, from and until."
    ),
    "service: {surveys: {after_days: [7, 14, 21]}}": (
        "surveys: after_days is [7, 14, 21]; it has to be two numbers, from and until."
    ),
    "outlet: {roles: {adviser: 0, cashier: 0}, managers: 0}": (
        "outlet: managers is 0 and no role has a member of staff. Have one or more."
    ),
    f"basket: {{payments: {{{', '.join(f'p{n}: 1' for n in range(123))}}}}}": (
        "there are 128 payments of basket; 127 are the most. Leave some out."
    ),
    f"treatment: {{channels: {{{', '.join(f'c{n}: {{attention: 1}}' for n in range(124))}}}}}": (
        "there are 128 channels of treatment; 127 are the most. Leave some out."
    ),
    f"categories: {{{', '.join(f'c{n}: {{{IN_A_PLACE} p{n}}}' for n in range(125))}}}": (
        "there are 128 places; 127 are the most. Leave some out."
    ),
    "service: &a {x: *a}": "world.yaml has an alias (*) within what it stands for. Write that entry out.",
    "service: {surveys: &a [*a, 2]}": (
        "world.yaml has an alias (*) within what it stands for. Write that entry out."
    ),
    "network: {home: -0.5, nearby: 1}": "network: home is -0.5; it has to be a number from 0 to 1.",
    "network: {home: 1, nearby: -0.5}": "network: nearby is -0.5; it has to be a number from 0 to 1.",
    "network: {home: 0.7, nearby: 0.7}": "network: home + nearby is 1.4; it has to be a number from 0 to 1.",
    "network: {unequal: 1.0e+9}": "network: unequal is 1000000000.0; it has to be a number from 0 to 5.",
    "currency: yuan": "currency is 'yuan': it has to be a three-letter code in capitals, like CNY or USD.",
    "name: ' '": "the name of a world is ' '; it has to be a text.",
    "start: 1971-01-01": (
        "start is 1971-01-01 and joining: history_days 2200, and tables hold no day before 1970-01-02. "
        "Begin later, or have at most 364 of them."
    ),
    of_all_segments("telecom", "visits_per_week: 0"): NOBODY_COMES,
    of_all_segments("telecom", "dormant: 1"): NOBODY_COMES,
    f"life_cycle: {{stages: {{{', '.join(f'{one}: {{visits: 0}}' for one in STAGES)}}}}}": NOBODY_COMES,
    "promotions: {pack week: {lift: 900000}}": (
        "promotion 'pack week': lift is 900000.0; it has to be a number from 0 to 10."
    ),
    "segments: {plan: {price_sensitivity: 100}}": (
        "segment 'plan': price_sensitivity is 100.0; it has to be a number from 0 to 5."
    ),
    "life_cycle: {price: 1.0e+6}": "life_cycle: price is 1000000.0; it has to be a number from 0 to 5.",
    "life_cycle: {frailty: 200}": "life_cycle: frailty is 200.0; it has to be a number from 0 to 1.5.",
    "life_cycle: {grievance: 101}": "life_cycle: grievance is 101.0; it has to be a number from 0 to 100.",
    "categories: {data pack: {volatility: 1.5}}": (
        "category 'data pack': volatility is 1.5; it has to be a number from 0 to 0.2."
    ),
    "contracts: {window: 1.0e+300}": "contracts: window is 1e+300; it has to be a number from 0 to 100.",
    "service: {ratings: {visits_spread: 1.0e+300}}": (
        "ratings: visits_spread is 1e+300; it has to be a number from 0 to 100."
    ),
    "bills: {place: app}": "bills: place is 'app', where visits are as well. Give bills one of their own.",
}  # fmt: skip


@pytest.mark.parametrize("text", IMPOSSIBLE, ids=lambda text: text[:60])
def test_impossible_worlds_are_refused_at_the_door(tmp_path: Path, text: str):
    with pytest.raises(UserError) as refused:
        of("telecom", text, tmp_path)
    assert str(refused.value).removeprefix(f"{tmp_path}/") == IMPOSSIBLE[text]


def test_as_much_as_can_be_is_lived_without_a_number_that_overflows(tmp_path: Path):
    most = "promotions: {drinks week: {lift: 10}}\nlife_cycle: {price: 5, frailty: 1.5, grievance: 100}\n"
    dear = "categories: {gasoline: {volatility: 0.2}, drinks: {volatility: 0.2}}\n"
    sensitive = of_all_segments("fuel", "price_sensitivity: 5")
    world = World(of("fuel", f"{most}{dear}{sensitive}", tmp_path), 0, range(300))
    assert sum(len(world.step().lines) for _ in range(60)) > 0
