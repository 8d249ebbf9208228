"""Policies: whom each contacts, that consent is kept, and that a logged propensity is the true chance."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from experiments.simulator.codes import NONE
from experiments.simulator.events import Actions, DayTruth, Observation
from experiments.simulator.policies import Everybody, HighestRisk, Nobody, Policy, Stochastic, pair, uniform
from experiments.simulator.policy_config import Audience, Logging
from experiments.simulator.preset_file import preset
from experiments.simulator.treatment_config import Action, Channel
from features.errors import UserError

from .conftest import treated

DAY = 19_723
"""2024-01-01."""
CHANNELS = (Channel("sms", attention=1.0), Channel("call", attention=1.0, use=3.0))
ACTIONS = (
    Action("hello", ("sms",), audience=Audience(silent=(0, 10))),
    Action("offer", ("sms", "call"), audience=Audience(silent=(10, 99))),
    Action("summer", ("sms",), audience=Audience(months=(6, 7))),
)
TREATMENT = treated(*ACTIONS, channels=CHANNELS, logging=Logging(daily_chance=0.5, exploration=0.25))


def seen(count: int, **columns: Any) -> Observation:
    """Customers who came yesterday, were never contacted and allow everything."""
    made = {field.name: np.zeros(count, dtype=np.int64) for field in dataclasses.fields(Observation)}
    made |= {"person": np.arange(100, 100 + count), "days_since_visit": np.ones(count, dtype=np.int64)}
    made |= {"days_since_contact": np.full(count, NONE), "days_to_expiry": np.full(count, NONE)}
    made |= {"consent": np.ones((count, 2), dtype=bool)}
    return Observation(**(made | columns | {"day": DAY}))


def test_nobody_contacts_nobody() -> None:
    assert len(Nobody().choose(seen(5), DAY)) == 0


def test_everybody_contacts_all_who_allow_it() -> None:
    consent = np.array([[True, True], [False, True], [True, False]])
    found = Everybody(TREATMENT, "offer", "sms").choose(seen(3, consent=consent), DAY)
    assert found.person.tolist() == [100, 102]
    assert (found.action.tolist(), found.channel.tolist(), found.propensity.tolist()) == (
        [1, 1],
        [0, 0],
        [1, 1],
    )


def test_highest_risk_contacts_who_missed_most_visits_at_their_own_pace() -> None:
    observation = seen(
        4,
        days_since_visit=np.array([40, 10, 10, 80]),
        visits_91=np.array([2, 26, 13, 0]),
        tenure_days=np.full(4, 200),
    )
    policy = HighestRisk(TREATMENT, "offer", "call", share=0.34)
    assert policy.choose(observation, DAY).person.tolist() == [101]
    tired = dataclasses.replace(observation, days_since_contact=np.array([NONE, 28, NONE, NONE]))
    assert HighestRisk(TREATMENT, "offer", "call", share=0.5).choose(tired, DAY).person.tolist() == [102]


def chances(actions: list[Actions], count: int) -> dict[tuple[int, int], float]:
    """How often each pair was chosen, of all chances to choose."""
    found = Actions.concat(actions)
    pairs, times = np.unique(np.stack([found.action, found.channel]), axis=1, return_counts=True)
    return {(int(a), int(c)): n / count for (a, c), n in zip(pairs.T, times, strict=True)}


def test_the_logged_propensity_is_the_chance_of_exactly_that_choice() -> None:
    policy, observation = Stochastic(TREATMENT, 3), seen(20_000)
    found = policy.choose(observation, DAY)
    # Weights: hello 1, offer by sms 0.25, by call 3 x 0.25, summer not in January.
    expected = {(0, 0): 0.5 / 2, (1, 0): 0.5 * 0.25 / 2, (1, 1): 0.5 * 0.75 / 2}
    assert chances([found], 20_000) == pytest.approx(expected, abs=0.01)
    for action, channel, propensity in zip(found.action, found.channel, found.propensity, strict=True):
        assert propensity == pytest.approx(expected[action, channel])
    assert 1 / found.propensity @ (found.action == 0) == pytest.approx(20_000, rel=0.05)


def test_propensities_follow_consent_and_audience() -> None:
    consent = np.tile([[True, False], [False, True], [False, False]], (2_000, 1))
    observation = seen(6_000, consent=consent, days_since_visit=np.full(6_000, 20))
    found = Stochastic(TREATMENT, 3).choose(observation, DAY)
    of = {0: {(0, 0): 0.5 * 0.2, (1, 0): 0.5 * 0.8}, 1: {(1, 1): 0.5}}
    for person, action, channel, propensity in zip(
        found.person, found.action, found.channel, found.propensity, strict=True
    ):
        assert propensity == pytest.approx(of[(person - 100) % 3][action, channel])
    assert len(found) == pytest.approx(2_000, rel=0.1)


def test_stochastic_leaves_the_recently_contacted_alone() -> None:
    since = np.tile([NONE, 7, 8], 500)
    found = Stochastic(TREATMENT, 0).choose(seen(1_500, days_since_contact=since), DAY)
    assert set((found.person - 100) % 3) == {0, 2}


def test_stochastic_is_one_for_each_seed_and_the_same_for_a_part() -> None:
    whole, part = seen(400), seen(100, person=np.arange(400, 500))
    first, second = (Stochastic(TREATMENT, 5).choose(o, DAY) for o in (whole, part))
    inside = first.take(first.person >= 400)
    assert inside.person.tolist() == second.person.tolist()
    assert inside.action.tolist() == second.action.tolist()
    assert Stochastic(TREATMENT, 6).choose(whole, DAY).person.tolist() != first.person.tolist()


def test_uniform_tries_everything_alike() -> None:
    found = chances([uniform(TREATMENT, 0, 0.3).choose(seen(20_000), DAY)], 20_000)
    assert found[0, 0] == pytest.approx(found[1, 0], rel=0.1)
    assert found[1, 1] == pytest.approx(3 * found[1, 0], rel=0.1)
    assert sum(found.values()) == pytest.approx(0.3, abs=0.01)


def test_contracts_that_end_belong_to_their_audience() -> None:
    renewal = Action("renewal", ("sms",), audience=Audience(expiry=(0, 60)))
    config = treated(renewal, logging=Logging(daily_chance=1.0, exploration=0.0))
    found = Stochastic(config, 0).choose(seen(3, days_to_expiry=np.array([NONE, 30, 90])), DAY)
    assert found.person.tolist() == [101]


def test_names_are_checked() -> None:
    with pytest.raises(UserError, match="did you mean 'offer'"):
        pair(TREATMENT, "ofer", "sms")
    with pytest.raises(UserError, match="channel of action 'hello' not found: 'call'"):
        pair(TREATMENT, "hello", "call")
    with pytest.raises(UserError, match="share of a policy is 2"):
        HighestRisk(TREATMENT, "offer", "sms", share=2)


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_no_policy_contacts_who_does_not_allow_it(name: str) -> None:
    treatment = preset(name).treatment
    action = treatment.actions[0]
    policies: list[Policy] = [
        Stochastic(treatment, 0, Logging(daily_chance=0.9)),
        uniform(treatment, 0, 0.9),
        Everybody(treatment, action.name, action.channels[0]),
        HighestRisk(treatment, action.name, action.channels[0], share=1.0),
    ]
    consent = np.random.default_rng(0).random((500, len(treatment.channels))) < 0.5
    observation = seen(500, consent=consent, visits_91=np.full(500, 9))
    for policy in policies:
        found = policy.choose(observation, DAY)
        assert len(found) > 50
        assert consent[found.person - 100, found.channel].all()


def test_what_a_policy_sees_is_not_the_truth() -> None:
    truth = {field.name for field in dataclasses.fields(DayTruth)}
    assert truth.isdisjoint(field.name for field in dataclasses.fields(Observation))
