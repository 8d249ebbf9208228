"""The loop of policy, contacts and outcomes against answers that are known before it is run.

Two worlds of one seed differ only by what is done in them, so small differences show.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from experiments.simulator.codes import Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Actions, Answers, Contacts, Lines, Observation
from experiments.simulator.policies import Everybody, HighestRisk, Nobody, Policy, Stochastic, uniform
from experiments.simulator.preset_file import preset
from experiments.simulator.rows import Floats, Ints
from experiments.simulator.treatment_config import Effect
from experiments.simulator.world import World

from .conftest import nudge, plain, segment, staying, treated

SEED = 7


@dataclass(frozen=True)
class Lived:
    """What came of a policy.

    Attributes:
        spent_cents: by each customer.
        stage: of each, at the end.
        visits: baskets of each on each day, [days, n].
        extras: lines beyond the first of each basket, [days, n].
        lines, contacts, answers: all there were.
        alive: of each on each day, [days, n].
    """

    spent_cents: Ints
    stage: Any
    visits: Ints
    extras: Ints
    lines: Lines
    contacts: Contacts
    answers: Answers
    alive: Any


def live(config: WorldConfig, policy: Policy, days: int, persons: range) -> Lived:
    world = World(config, SEED, persons)
    events, alive = [], []
    for _ in range(days):
        events.append(world.step(policy.choose(world.observe(), world.day)))
        alive.append(world.truth().alive)
    visits, lines = np.zeros((2, days, len(persons)), dtype=np.int64)
    for day, event in enumerate(events):
        row, _ = np.unique(np.stack([event.lines.person - persons.start, event.lines.basket]), axis=1)
        np.add.at(visits[day], row, 1)
        np.add.at(lines[day], event.lines.person - persons.start, 1)
    return Lived(
        world.spent_cents,
        world.truth().stage,
        visits,
        lines - visits,
        Lines.concat(event.lines for event in events),
        Contacts.concat(event.contacts for event in events),
        Answers.concat(event.answers for event in events),
        np.array(alive),
    )


class Once:
    """Contacts everybody on one day."""

    def __init__(self, policy: Everybody, day: int) -> None:
        self._policy, self._day = policy, day

    def choose(self, observation: Observation, day: int) -> Actions:
        return self._policy.choose(observation, day) if day == self._day else Actions.none()


def policies(config: WorldConfig) -> list[Policy]:
    treatment = config.treatment
    first = treatment.actions[0]
    return [
        Stochastic(treatment, SEED),
        uniform(treatment, SEED, 0.3),
        Everybody(treatment, first.name, first.channels[1]),
        HighestRisk(treatment, first.name, first.channels[1], share=0.2),
    ]


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_without_effects_all_policies_tie_to_the_last_cent(name: str) -> None:
    config = preset(name)
    config = dataclasses.replace(config, treatment=config.treatment.without_effects())
    nobody = live(config, Nobody(), 30, range(300))
    for policy in policies(config):
        other = live(config, policy, 30, range(300))
        assert len(other.contacts) > 40
        # Few of them would leave in so few days, whatever is done: what each contact does is looked at, too.
        made = other.contacts
        assert not np.any([made.effect_visits, made.effect_spend, made.effect_hazard])
        assert other.spent_cents.tolist() == nobody.spent_cents.tolist()
        assert other.stage.tolist() == nobody.stage.tolist()


def test_with_effects_only_the_contacted_differ() -> None:
    config = preset("fuel")
    nobody, other = (
        live(config, policy, 45, range(400)) for policy in (Nobody(), Stochastic(config.treatment, SEED))
    )
    contacted = np.isin(np.arange(400), other.contacts.person)
    assert 50 < contacted.sum() < 350
    assert (other.spent_cents != nobody.spent_cents)[contacted].any()
    assert other.spent_cents[~contacted].tolist() == nobody.spent_cents[~contacted].tolist()


DAYS, ON, HALF_LIFE = 30, 2, 8


def fading(effect: float) -> Floats:
    """Factor of one contact on each day from that of the contact on, on which it does nothing yet."""
    return np.append(1.0, np.exp(effect * 0.5 ** (np.arange(DAYS - ON - 1) / HALF_LIFE)))


def planted(extras: float = 0.0, **effects: Effect) -> WorldConfig:
    """A world in which one action on one channel moves one of two kinds of customers, who are else alike."""
    drivers = segment(share=0.5, extras=extras)
    fleets = dataclasses.replace(drivers, name="fleets")
    nothing = nudge(name="hello", channels=("sms", "call"))
    one = nudge(channels=("sms",), segments=("fleets",), half_life_days=HALF_LIFE, **effects)
    life = staying(exploring={"gone": 0.02})
    return plain(segments=(drivers, fleets), life_cycle=life, treatment=treated(nothing, one))


def against_nobody(config: WorldConfig, action: str, channel: str, persons: int) -> tuple[Lived, Lived, Any]:
    """The world without and with one contact of everybody, and who belongs to the fleets."""
    once = Once(Everybody(config.treatment, action, channel), config.first_day + ON)
    without, contacted = (live(config, policy, DAYS, range(persons)) for policy in (Nobody(), once))
    return without, contacted, World(config, SEED, range(persons)).population.segment == 1


def test_a_planted_effect_on_visits_is_found_with_its_size() -> None:
    config = planted(visits=Effect(0.3))
    without, contacted, fleets = against_nobody(config, "nudge", "sms", 5_000)
    assert contacted.spent_cents[~fleets].tolist() == without.spent_cents[~fleets].tolist()
    gained = (contacted.visits - without.visits)[ON:, fleets].sum(axis=0)
    due = ((fading(0.3) - 1)[:, np.newaxis] * without.visits[ON:, fleets]).sum(axis=0)
    error = np.sqrt((gained - due).var() / fleets.sum())
    assert gained.mean() > 5 * error
    assert abs(gained.mean() - due.mean()) < 3 * error


def test_a_planted_effect_on_the_hazard_is_found_with_its_size() -> None:
    config = planted(hazard=Effect(-0.7))
    without, contacted, fleets = against_nobody(config, "nudge", "sms", 5_000)
    assert contacted.alive[:, ~fleets].tolist() == without.alive[:, ~fleets].tolist()
    expected = np.prod(1 - 0.02 * fading(-0.7)) / (1 - 0.02) ** (DAYS - ON)
    begun = without.alive[ON - 1, fleets]
    kept, left = (lived.alive[-1, fleets][begun].mean() for lived in (contacted, without))
    error = np.sqrt((kept - left) / begun.sum()) / left
    assert kept / left > 1 + 5 * error
    assert kept / left == pytest.approx(expected, abs=3 * error)


def test_a_planted_effect_on_spend_fills_baskets_and_brings_nobody() -> None:
    config = planted(extras=2.0, spend=Effect(0.3))
    without, contacted, fleets = against_nobody(config, "nudge", "sms", 4_000)
    assert contacted.visits.tolist() == without.visits.tolist()
    assert contacted.spent_cents[~fleets].tolist() == without.spent_cents[~fleets].tolist()
    before, after = without.extras[ON:, fleets], contacted.extras[ON:, fleets]
    due = ((fading(0.3) - 1)[:, np.newaxis] * before).sum(axis=0)
    gained = (after - before).sum(axis=0)
    error = np.sqrt((gained - due).var() / fleets.sum())
    assert gained.mean() > 5 * error
    assert abs(gained.mean() - due.mean()) < 3 * error


def test_the_other_action_and_the_other_channel_change_nothing() -> None:
    config = planted(visits=Effect(0.3))
    for channel in ("sms", "call"):
        without, contacted, _ = against_nobody(config, "hello", channel, 500)
        assert len(contacted.contacts) == 500
        assert contacted.spent_cents.tolist() == without.spent_cents.tolist()


class Learner:
    """Tries two actions on halves of the customers, then goes on with the one after which more came."""

    def __init__(self, config: WorldConfig) -> None:
        self.tries = [Everybody(config.treatment, action, "sms") for action in ("hello", "nudge")]
        self.first_day, self.best = config.first_day, -1

    def choose(self, observation: Observation, day: int) -> Actions:
        half = observation.person % 2
        if day == self.first_day + 1:
            both = [policy.choose(observation, day) for policy in self.tries]
            return Actions.concat(part.take(part.person % 2 == n) for n, part in enumerate(both))
        if day == self.first_day + 20:
            self.best = int(np.argmax([observation.visits_28[half == n].mean() for n in (0, 1)]))
        late = day >= self.first_day + 20 and (day - self.first_day) % 10 == 0
        return self.tries[self.best].choose(observation, day) if late else Actions.none()


def test_a_policy_that_learns_finds_the_planted_action_and_gains_by_it() -> None:
    config = planted(visits=Effect(0.5))
    learner = Learner(config)
    nobody, learned = (live(config, policy, 50, range(2_000)) for policy in (Nobody(), learner))
    assert learner.best == 1
    assert learned.visits[21:].sum() > 1.05 * nobody.visits[21:].sum()


def net_cents(lived: Lived) -> float:
    """Money that came in, less what contacts cost."""
    return float(lived.spent_cents.sum() - lived.contacts.cost_cents.sum())


def test_contacting_everybody_daily_loses_by_fatigue() -> None:
    config = preset("fuel")
    daily = Everybody(config.treatment, "fuel coupon", "sms")
    persons, days = range(1_000), 80
    nobody, tired = (live(config, policy, days, persons) for policy in (Nobody(), daily))
    assert net_cents(tired) < 0.99 * net_cents(nobody)
    assert tired.visits.sum() < nobody.visits.sum()
    assert (tired.stage == Stage.GONE).sum() > (nobody.stage == Stage.GONE).sum()
    patient = dataclasses.replace(
        config, treatment=dataclasses.replace(config.treatment, fatigue_half_life_days=0.1, patience=100.0)
    )
    rested = live(patient, daily, days, persons)
    assert net_cents(rested) > net_cents(nobody)
    assert (rested.answers.kind == 1).sum() / len(rested.contacts) < (tired.answers.kind == 1).mean()


def test_blocks_of_customers_behave_as_they_do_in_the_whole() -> None:
    config = preset("fuel")
    policy = Stochastic(
        config.treatment, SEED, dataclasses.replace(config.treatment.logging, daily_chance=0.2)
    )
    whole = live(config, policy, 20, range(2_000))
    parts = [live(config, policy, 20, persons) for persons in (range(1_000), range(1_000, 2_000))]
    assert np.concatenate([part.spent_cents for part in parts]).tolist() == whole.spent_cents.tolist()
    contacts, answers = Contacts.concat(p.contacts for p in parts), Answers.concat(p.answers for p in parts)
    for found, expected in ((contacts, whole.contacts), (answers, whole.answers)):
        assert len(found) == len(expected) > 100
        for field in dataclasses.fields(found):
            order, other = (np.lexsort((rows.person, rows.at)) for rows in (found, expected))
            np.testing.assert_array_equal(
                getattr(found, field.name)[order], getattr(expected, field.name)[other]
            )


def test_money_is_conserved_when_offers_are_used() -> None:
    config = preset("fuel")
    lived = live(config, uniform(config.treatment, SEED, 0.2), 45, range(400))
    off = lived.answers.amount_cents.sum()
    assert off > 0
    assert lived.lines.discount_cents.sum() >= off
    assert lived.lines.amount_cents.sum() == lived.spent_cents.sum()
    assert lived.lines.amount_cents.min() >= 0
