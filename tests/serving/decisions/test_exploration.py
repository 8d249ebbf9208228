from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.decisions import exploration


@pytest.mark.parametrize(
    ("draw", "picked", "probability"),
    [(0.0, 0, 0.93 + 0.07 / 3), (0.031, 1, 0.07 / 3), (0.069, 2, 0.07 / 3), (0.07, 0, 0.93 + 0.07 / 3)],
)
def test_a_draw_below_the_share_picks_evenly(draw: float, picked: int, probability: float) -> None:
    found, chance = exploration.explore(np.array([3]), np.array([draw]), 0.07)
    assert found.tolist() == [picked]
    assert chance[0] == pytest.approx(probability)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.floats(0.01, 1))
def test_what_stands_first_does_so_as_often_as_its_probability_says(actions: int, share: float) -> None:
    draws = (np.arange(20_000) + 0.5) / 20_000
    picked, probability = exploration.explore(np.full(20_000, actions), draws, share)
    for action in range(actions):
        first = picked == action
        assert first.mean() == pytest.approx(probability[first][0], abs=2e-3)
    # Weighting by 1/probability gives every action the same weight: what a later estimate needs.
    weights = [np.sum(1 / probability[picked == action]) / 20_000 for action in range(actions)]
    assert weights == pytest.approx([1.0] * actions, rel=0.2 / share * 1e-1 + 0.01)


@given(st.integers(1, 7), st.data())
def test_moving_to_the_front_keeps_the_others_in_order(actions: int, data: st.DataObject) -> None:
    order = np.array([data.draw(st.permutations(range(actions))) for _ in range(3)])
    picked = np.array([data.draw(st.integers(0, actions - 1)) for _ in range(3)])
    moved = exploration.to_front(order, picked)
    for before, place, after in zip(order.tolist(), picked.tolist(), moved.tolist(), strict=True):
        assert after == [before[place], *before[:place], *before[place + 1 :]]


def test_the_draw_is_of_customer_day_and_place() -> None:
    customers = np.array(["a", "b"], dtype=object)
    draws = {
        tuple(exploration.draws(customers, day, place, "salt").tolist())
        for day in (1, 2)
        for place in ("till", "app")
    }
    assert len(draws) == 4
    again = exploration.draws(customers[1:], 1, "till", "salt")
    assert again[0] == exploration.draws(customers, 1, "till", "salt")[1]
