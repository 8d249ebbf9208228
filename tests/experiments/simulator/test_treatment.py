"""Contacts: what each changes, with whom, and what is left of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from experiments.simulator.events import Actions, Contacts, Lines
from experiments.simulator.population import Population
from experiments.simulator.treatment import Treatment
from experiments.simulator.treatment_config import Channel, Effect, TreatmentConfig

from .conftest import nudge, plain, treated

PERSONS = range(1000, 1010)
MIDDLE = np.full(len(PERSONS), 0.1)
AWAKE = np.zeros(len(PERSONS), dtype=np.int64)
TIRING = (Channel("sms", attention=1.0, weight=1.0),)


def made(config: TreatmentConfig) -> tuple[Treatment, int]:
    world = plain(treatment=config)
    return Treatment(world, 0, Population(world, 0, PERSONS)), world.first_day


def to(*persons: int, action: int = 0, channel: int = 0) -> Actions:
    count = len(persons)
    return Actions(np.array(persons), np.full(count, action), np.full(count, channel), np.full(count, 0.5))


def contact(config: TreatmentConfig, risk: Any = MIDDLE, silent: Any = AWAKE) -> Contacts:
    treatment, day = made(config)
    return treatment.contact(day, to(1000, 1003), risk, silent)


def stated(change: Any, ceiling: float = 3.0) -> Any:
    """The effects, as changes of logarithms before the ceiling, of first contacts that changed so much."""
    return ceiling * np.arctanh(np.log1p(change) / ceiling)


def test_at_middle_risk_and_rested_the_effect_is_as_stated_under_every_alignment() -> None:
    for alignment in ("flat", "middling", "rising"):
        config = treated(
            nudge(visits=Effect(0.2), spend=Effect(0.1), hazard=Effect(-0.3), alignment=alignment)
        )
        found = contact(config)
        assert stated(found.effect_visits) == pytest.approx([0.2, 0.2])
        assert stated(found.effect_spend) == pytest.approx([0.1, 0.1])
        assert stated(found.effect_hazard) == pytest.approx([-0.3, -0.3])
        assert found.freshness.tolist() == [1, 1]


def test_contacts_carry_what_the_policy_said_and_what_they_cost() -> None:
    treatment, day = made(treated(nudge(channels=("call",))))
    found = treatment.contact(day, to(1002, channel=1), MIDDLE, AWAKE)
    assert (found.person[0], found.channel[0], found.propensity[0], found.cost_cents[0]) == (
        1002,
        1,
        0.5,
        200,
    )
    local = (found.at[0] / 3_600_000_000 + 8) % 24
    assert 9 <= local < 20


@pytest.mark.parametrize(
    ("alignment", "gains"),
    [("flat", [1, 1, 1]), ("middling", [0, 1, 4 * (10 / 11) * (1 / 11)]), ("rising", [0, 1, 20 / 11])],
)
def test_the_gain_goes_with_risk_as_the_alignment_says(alignment: str, gains: list[float]) -> None:
    for risk, gain in zip((0.0, 0.1, 1.0), gains, strict=True):
        config = treated(nudge(visits=Effect(0.2), alignment=alignment))
        found = contact(config, np.full(len(PERSONS), risk))
        assert stated(found.effect_visits) == pytest.approx([0.2 * gain] * 2)


def test_harm_does_not_go_with_risk() -> None:
    config = treated(nudge(visits=Effect(-0.2), hazard=Effect(0.1), alignment="rising"))
    found = contact(config, np.zeros(len(PERSONS)))
    assert stated(found.effect_visits) == pytest.approx([-0.2, -0.2])
    assert stated(found.effect_hazard) == pytest.approx([0.1, 0.1])


def test_the_tired_gain_less_until_a_contact_does_harm() -> None:
    config = treated(nudge(visits=Effect(0.2)), channels=TIRING, patience=2, fatigue_half_life_days=1e6)
    treatment, day = made(config)
    effects = [
        float(np.log1p(treatment.contact(day + n, to(1001), MIDDLE, AWAKE).effect_visits)[0])
        for n in range(6)
    ]
    # What earlier contacts left weighs a little, as the sum levels off.
    assert effects == pytest.approx([0.2, 0.1, 0.0, -0.1, -0.2, -0.2], abs=0.003)
    assert treatment.contact(day + 6, to(1002), MIDDLE, AWAKE).freshness.tolist() == [1]


def test_a_contact_wakes_who_has_long_been_silent() -> None:
    config = treated(nudge(wakes=0.5), sleeping_dogs=1.0, asleep_after_days=60)
    silent = AWAKE.copy()
    silent[3] = 60
    assert stated(contact(config, silent=silent).effect_hazard) == pytest.approx([0, 0.5])


def test_multipliers_are_those_of_the_contacted_and_fade() -> None:
    treatment, day = made(treated(nudge(visits=Effect(0.2), hazard=Effect(-0.3), half_life_days=5)))
    treatment.contact(day, to(1004), MIDDLE, AWAKE)
    visits, spend, hazard = treatment.multipliers(day + 1)
    assert visits[4] == pytest.approx(np.exp(0.2), rel=1e-3)
    assert hazard[4] == pytest.approx(np.exp(-0.3), rel=2e-3)
    assert spend.tolist() == [1.0] * len(PERSONS)
    assert np.delete(visits, 4).tolist() == [1.0] * (len(PERSONS) - 1)
    assert treatment.multipliers(day + 6)[0][4] == pytest.approx(np.exp(0.1), rel=1e-3)


def test_what_is_told_of_contacts_near_the_ceiling_is_what_is_applied() -> None:
    config = treated(
        nudge(visits=Effect(0.69), hazard=Effect(-0.9), wakes=1.0), ceiling=0.7, sleeping_dogs=1.0
    )
    treatment, day = made(config)
    silent = AWAKE + 60 * (np.arange(len(PERSONS)) == 2)
    assert treatment.multipliers(day)[0].tolist() == [1.0] * len(PERSONS)
    first = treatment.contact(day, to(1001, 1002), MIDDLE, silent)
    effects, after = treatment.effects(), treatment.multipliers(day + 1)
    assert first.effect_visits == pytest.approx(np.expm1(0.7 * np.tanh(0.69 / 0.7)))
    for found, static, applied in (
        (first.effect_visits, effects.visits, after[0]),
        (first.effect_hazard, effects.hazard, after[2]),
    ):
        assert 1 + found == pytest.approx(applied[1:3])
        assert found[0] == pytest.approx(static[1])
    woken = (1 + effects.hazard[2]) * (1 + effects.waking[2])
    assert woken == pytest.approx(1 + first.effect_hazard[1])
    second = treatment.contact(day + 1, to(1001), MIDDLE, AWAKE)
    alone, _ = made(config)
    alone.contact(day, to(1001), MIDDLE, AWAKE)
    for n, found in ((0, second.effect_visits), (2, second.effect_hazard)):
        without, with_it = alone.multipliers(day + 2)[n][1], treatment.multipliers(day + 2)[n][1]
        assert with_it / without == pytest.approx(1 + found[0])
        assert abs(found[0]) < 0.5 * abs((first.effect_visits, 0, first.effect_hazard)[n][0])


def bought(*persons: int) -> Lines:
    """One line of each; the first comes twice."""
    person = np.array([persons[0], *persons])
    zeros = {field.name: np.zeros(len(person)) for field in dataclasses.fields(Lines)}
    return Lines(**(zeros | {"person": person, "at": np.arange(len(person)) + 1_000}))


def test_a_contact_at_a_visit_takes_place_with_who_comes_and_works_from_the_next_day() -> None:
    channels = (Channel("forecourt", attention=1.0, weight=0.0, at_visit=True),)
    treatment, day = made(treated(nudge(channels=("forecourt",), visits=Effect(0.2)), channels=channels))
    assert len(treatment.contact(day, to(1001, 1002, 1003), MIDDLE, AWAKE)) == 0
    met = treatment.meet(day, bought(1001, 1003, 1009), MIDDLE, AWAKE)
    assert met.person.tolist() == [1001, 1003]
    assert met.at.tolist() == [1_000, 1_002]
    assert (treatment.multipliers(day + 1)[0] > 1).nonzero()[0].tolist() == [1, 3]
    assert len(treatment.meet(day + 1, bought(1002), MIDDLE, AWAKE)) == 0


def test_a_pair_that_is_none_is_a_defect_of_the_policy() -> None:
    treatment, day = made(treated(nudge()))
    with pytest.raises(ValueError, match="does not carry"):
        treatment.contact(day, to(1001, channel=1), MIDDLE, AWAKE)


def test_a_world_without_actions_has_no_effects() -> None:
    treatment, day = made(TreatmentConfig())
    assert len(treatment.contact(day, Actions.none(), MIDDLE, AWAKE)) == 0
    assert treatment.multipliers(day)[0].tolist() == [1.0] * len(PERSONS)
    assert len(treatment.effects().person) == 0
