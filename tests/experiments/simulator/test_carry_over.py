"""Adstock and fatigue against the numbers that their half-lives give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.simulator.carry_over import HAZARD, SPEND, VISITS, CarryOver, Fatigue, freshness

DAY = 19_723


def one(effect: float, half_life: float = 10.0, ceiling: float = 3.0) -> CarryOver:
    """Two customers, the first of whom is contacted with one effect on visits."""
    left = CarryOver([half_life], 2, ceiling)
    left.add(DAY, np.array([0]), np.array([0], dtype=np.int16), np.array([[effect], [0.0], [0.0]]))
    return left


def test_an_effect_halves_in_each_half_life() -> None:
    for days in (0, 10, 20, 30):
        expected = math.exp(3 * math.tanh(0.2 * 0.5 ** (days / 10) / 3))
        assert one(0.2).multipliers(DAY + days)[VISITS, 0] == pytest.approx(expected)
    assert one(0.2).multipliers(DAY)[VISITS, 0] == pytest.approx(math.exp(0.2), rel=1e-3)


def test_who_is_left_alone_has_exactly_one() -> None:
    multipliers = one(0.2).multipliers(DAY + 3)
    assert multipliers[:, 1].tolist() == [1.0, 1.0, 1.0]
    assert multipliers[[SPEND, HAZARD], 0].tolist() == [1.0, 1.0]
    assert one(0.2, half_life=1).multipliers(DAY + 40)[VISITS, 0] == 1.0


def test_day_by_day_is_as_all_at_once() -> None:
    daily, late = one(0.4), one(0.4)
    for day in range(DAY, DAY + 15):
        daily.multipliers(day)
    np.testing.assert_allclose(daily.multipliers(DAY + 15), late.multipliers(DAY + 15), rtol=1e-12)


def test_contacts_add_up_and_level_off() -> None:
    left = CarryOver([10.0, 20.0], 1, ceiling=0.5)
    rows, actions = np.zeros(3, dtype=np.int64), np.array([0, 0, 1], dtype=np.int16)
    left.add(DAY, rows, actions, np.array([[0.1, 0.1, 0.2], [0, 0, 0], [-9, -9, -9]]))
    assert left.multipliers(DAY)[VISITS, 0] == pytest.approx(math.exp(0.5 * math.tanh(0.8)))
    assert left.multipliers(DAY)[HAZARD, 0] == pytest.approx(math.exp(-0.5))
    assert left.multipliers(DAY + 20)[VISITS, 0] == pytest.approx(math.exp(0.5 * math.tanh(0.15 / 0.5)))


def test_what_a_contact_is_said_to_change_is_what_the_multipliers_change_by() -> None:
    left, row, effect = CarryOver([10.0, 20.0], 2, ceiling=0.7), np.array([0]), np.array([[0.65], [0], [-2]])
    first = left.add(DAY, row, np.array([0], dtype=np.int16), effect)[:, 0]
    assert left.multipliers(DAY)[:, 0] == pytest.approx(1 + first)
    assert first[VISITS] == pytest.approx(math.expm1(0.7 * math.tanh(0.65 / 0.7)))
    assert first[SPEND] == 0
    before = left.multipliers(DAY + 3)[:, 0]
    second = left.add(DAY + 3, row, np.array([1], dtype=np.int16), effect)[:, 0]
    assert left.multipliers(DAY + 3)[:, 0] == pytest.approx(before * (1 + second))
    assert 0 < second[VISITS] < 0.5 * first[VISITS]
    assert left.multipliers(DAY + 3)[:, 1].tolist() == [1, 1, 1]


@settings(max_examples=50, deadline=None)
@given(
    effects=st.lists(st.floats(-9, 9), min_size=1, max_size=20),
    ceiling=st.floats(0.01, 3),
    days=st.integers(0, 500),
)
def test_no_contacts_lead_beyond_the_ceiling(effects: list[float], ceiling: float, days: int) -> None:
    left, count = CarryOver([7.0], 1, ceiling), len(effects)
    rows, actions = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int16)
    left.add(DAY, rows, actions, np.array([effects] * 3))
    multipliers = left.multipliers(DAY + days)
    assert (np.abs(np.log(multipliers)) <= ceiling + 1e-9).all()
    assert np.sign(np.log(multipliers[0, 0])) in {0, np.sign(sum(effects))}


def test_contacts_are_remembered_by_weight_and_forgotten_by_half_life() -> None:
    fatigue = Fatigue(np.array([4.0, 2.0]), half_life_days=7)
    rows = np.array([0, 1, 1])
    assert fatigue.on(DAY, rows).tolist() == [0, 0, 0]
    fatigue.add(rows, np.array([1.0, 0.5, 2.0]))
    assert fatigue.on(DAY, np.array([0, 1])) == pytest.approx([0.25, 1.25])
    assert fatigue.on(DAY + 14, np.array([0, 1])) == pytest.approx([0.25 / 4, 1.25 / 4])


def test_gain_turns_to_harm_beyond_patience_and_no_further() -> None:
    assert freshness(np.array([0, 0.5, 1, 1.5, 2, 9])).tolist() == [1, 0.5, 0, -0.5, -1, -1]
