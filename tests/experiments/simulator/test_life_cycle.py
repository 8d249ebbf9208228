"""Stages: hazards are what they are called, whoever has left stays away, factors act on the way down."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from experiments.simulator.codes import Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import Joining, LifeCycle, StageRule
from experiments.simulator.life_cycle import RISK_DAYS, STAYS
from experiments.simulator.life_cycle import LifeCycle as Life
from experiments.simulator.population import Population
from experiments.simulator.world import World
from tests.experiments.simulator.conftest import plain, staying

PERSONS = 20_000
ONES = np.ones(PERSONS)
NEW = Joining(before=1.0, history_days=1)


def life(rules: LifeCycle, joining: Joining = NEW) -> tuple[Life, WorldConfig]:
    config = plain(life_cycle=rules, joining=joining)
    return Life(config, 0, Population(config, 0, range(PERSONS))), config


def test_nobody_moves_without_a_hazard():
    made, config = life(staying(), Joining(before=0.5))
    assert (made.stage == Stage.EXPLORING).all()
    made.move(config.first_day, 1000 * ONES)
    assert (made.stage == Stage.EXPLORING).all()
    assert (made.risk(ONES) == 0).all()


def test_who_left_before_the_first_day_did_so_between_joining_and_then():
    made, config = life(staying(exploring={"gone": 0.005}), Joining(before=0.8, history_days=400))
    population = Population(config, 0, range(PERSONS))
    gone = made.stage == Stage.GONE
    assert np.array_equal(made.left_before < STAYS, gone)
    waited = (made.left_before - population.joined)[gone]
    assert waited.min() >= 0
    assert made.left_before[gone].max() < config.first_day
    # On all days of the week alike, though they were lived in steps of one.
    assert np.bincount(made.left_before[gone] % 7) / gone.sum() == pytest.approx(1 / 7, abs=0.01)
    # Of those who joined over 200 days before, as many left within 100 days as the hazard says.
    old = population.joined < config.first_day - 200
    left = (made.left_before - population.joined)[old] < 98
    assert left.mean() == pytest.approx(1 - np.exp(-0.005 * 98), abs=0.02)


def test_a_hazard_moves_its_share_every_day():
    made, config = life(staying(exploring={"gone": 0.02, "forming": 0.05}))
    assert made.hazard(ONES) == pytest.approx(1 - np.exp(-0.02))
    for day in range(10):
        made.move(config.first_day + day, ONES)
    gone, forming = (np.mean(made.stage == stage) for stage in (Stage.GONE, Stage.FORMING))
    left = 1 - np.exp(-0.7)
    assert gone == pytest.approx(left * 2 / 7, abs=0.012)
    assert forming == pytest.approx(left * 5 / 7, abs=0.015)


def test_whoever_has_left_never_comes_back_and_whoever_has_not_joined_does_not_leave():
    made, config = life(staying(exploring={"gone": 0.5}), Joining(before=0.0, within_days=10))
    joined = Population(config, 0, range(PERSONS)).joined
    gone = np.zeros(PERSONS, dtype=bool)
    for day in range(config.first_day, config.first_day + 10):
        made.move(day, ONES)
        now = made.stage == Stage.GONE
        assert (now | ~gone).all()
        assert (joined[now] <= day).all()
        assert not made.alive(day)[now].any()
        gone = now
    assert gone.any()


def test_a_factor_downward_leaves_the_moves_upward_as_they_were():
    rules = staying(exploring={"gone": 0.02, "lapsing": 0.02, "forming": 0.3})
    (one, config), (other, _) = life(rules), life(rules)
    one.move(config.first_day, ONES)
    other.move(config.first_day, 3 * ONES)
    assert np.array_equal(one.stage == Stage.FORMING, other.stage == Stage.FORMING)
    assert ((other.stage == Stage.GONE) | (one.stage != Stage.GONE)).all()
    assert np.mean(other.stage == Stage.GONE) == pytest.approx(3 * np.mean(one.stage == Stage.GONE), rel=0.1)


def test_the_risk_is_the_share_that_leaves_within_28_days():
    moves = {"exploring": {"lapsing": 0.03, "gone": 0.002}, "lapsing": {"gone": 0.03, "exploring": 0.02}}
    made, config = life(staying(**moves))
    for down in (0.5, 2.0):
        made, config = life(staying(**moves))
        risk = made.risk(down * ONES)
        assert len(set(risk)) == 1
        for day in range(RISK_DAYS):
            made.move(config.first_day + day, down * ONES)
        assert np.mean(made.stage == Stage.GONE) == pytest.approx(risk[0], abs=0.012)


def test_the_past_before_the_first_day_is_lived():
    made, _ = life(staying(exploring={"gone": 0.004}), Joining(before=1.0, history_days=1000))
    # The share gone after t days is 1 - exp(-0.004 t), averaged over t from 0 to 1000.
    assert np.mean(made.stage == Stage.GONE) == pytest.approx(1 - (1 - np.exp(-4)) / 4, abs=0.015)


def test_frailty_prices_contracts_and_grievances_multiply_the_way_down():
    rules = dataclasses.replace(staying(), frailty=0.5, price=2.0, grievance=3.0, grievance_days=7.0)
    made, config = life(rules)
    population = Population(config, 0, range(PERSONS))
    usual = made.down(0.0, ONES)
    assert np.array_equal(usual, population.frailty)
    made.grieve(np.array([5]))
    angry = made.down(0.0, 0.5 * ONES)
    assert angry[5] == pytest.approx(2 * usual[5])
    assert angry[6] == pytest.approx(0.5 * usual[6])
    for day in range(7):
        made.move(config.first_day + day, ONES)
    assert made.down(0.0, ONES)[5] == pytest.approx(2.5 * usual[5])


def test_stages_set_the_pace():
    stages = {
        name: StageRule(visits=pace) for name, pace in zip(staying().stages, (0.5, 1, 2, 0.1), strict=True)
    }
    made, _ = life(dataclasses.replace(staying(), stages=stages))
    made.stage[:5] = [0, 1, 2, 3, 4]
    assert made.pace[:5].tolist() == [0.5, 1, 2, 0.1, 0]


def test_the_last_visit_lies_as_far_back_as_the_gap_is_old_and_never_before_joining():
    made, config = life(staying(), Joining(before=1.0, history_days=300))
    population = Population(config, 0, range(PERSONS))
    age = np.full(PERSONS, 0.8)
    last = made.last_visits(age)
    due = config.first_day - 1 - np.floor(age / population.rate)
    assert (last > population.joined).any()
    assert np.array_equal(last, np.maximum(due, population.joined))
    assert np.array_equal(made.last_visits(np.full(PERSONS, 1e9)), population.joined)
    assert (made.last_visits(np.zeros(PERSONS)) == config.first_day - 1).all()


def test_time_runs_backwards_at_the_pace_of_the_stages_and_not_at_all_after_leaving():
    rules = staying(exploring={"lapsing": 0.02, "gone": 0.002}, lapsing={"gone": 0.01})
    slow = {**rules.stages, "lapsing": StageRule(visits=0.25, moves={"gone": 0.01})}
    rules = dataclasses.replace(rules, stages=slow)
    made, config = life(rules, Joining(before=1.0, history_days=1000))
    population = Population(config, 0, range(PERSONS))
    age, first = np.full(PERSONS, 0.5), config.first_day
    last, gone = made.last_visits(age), made.stage == Stage.GONE
    assert (last >= population.joined).all()
    assert (last[gone] <= made.left_before[gone]).all()
    assert (last[gone] < made.left_before[gone]).mean() > 0.98
    # Who lapsed long ago: four times as long as at full pace; who explores still: exactly that long.
    back, usual = first - 1 - last, np.floor(age / population.rate)
    exploring = (made.stage == Stage.EXPLORING) & (usual < first - population.joined)
    assert np.array_equal(back[exploring], usual[exploring])
    lapsing = (made.stage == Stage.LAPSING) & (last > population.joined)
    assert (back[lapsing] >= usual[lapsing]).all()
    assert (back[lapsing] <= 4 * usual[lapsing] + 4).all()
    assert (back[lapsing] > 3 * usual[lapsing]).mean() > 0.2


def test_nobody_leaves_on_the_day_of_joining():
    config = plain(life_cycle=staying(exploring={"gone": 0.9}), joining=Joining(before=0.0, within_days=20))
    world = World(config, 0, range(500))
    for _ in range(20):
        events, truth = world.step(), world.truth()
        joined = world.population.joined
        assert truth.alive[joined == events.day].all()
        assert (truth.hazard[joined == events.day] == 0).all()
        assert (truth.hazard[truth.alive & (joined < events.day)] > 0).all()
    assert not truth.alive[world.population.joined < world.day - 10].any()
