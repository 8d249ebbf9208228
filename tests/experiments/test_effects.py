from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import effects
from experiments.cases import Case, Visits
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Actions
from experiments.simulator.treatment_config import Effect
from experiments.simulator.world import World
from features import clock
from features.canonical import Canonical
from features.workspace import Workspace
from serving.batch import nightly as batch
from serving.catalogue import actions
from serving.catalogue.actions import Catalogue
from serving.contacts.standing import ACCEPTED, IGNORED, SHOWN
from serving.decisions import arbitration as decisions
from serving.decisions import considered
from serving.decisions.effects import Effects
from serving.outcomes.store import UNSTATED, Outcome, OutcomeStore
from serving.records import batches as batch_records
from serving.records.record import Record
from tests.conftest import done, nextbest
from tests.experiments.simulator.conftest import nudge, plain, segment, treated
from tests.serving.decision_catalogue import catalogue

DAY = 17_600
BELIEF = {"value": 0.3, "spread": 0.1, "unit": "share", "meaning": "comes", "source": "test"}


def outcome(kind: int, action: str = "a") -> Outcome:
    return Outcome(None, "d", "c", action, "sms", kind, UNSTATED, 0, DAY, DAY, None, "")


def pair(action: str, score: float, dropped: str | None = None, **more: Any) -> dict[str, Any]:
    numbers = {"propensity": 0.2, "multiplier": 0.5, "score": score}
    return {
        "action_id": action,
        "channel": "sms",
        **numbers,
        **({"dropped": dropped} if dropped else {}),
        **more,
    }


def record(customer: str, *pairs: dict[str, Any], first: str | None = "a", day: str = "2018-03-10") -> Record:
    answer = [{"action_id": first, "channel": "sms"}] if first else []
    return Record(
        decision_id="d",
        endpoint="batch",
        request_id=None,
        customer_id=customer,
        as_of=day,
        place="phone",
        decided_at=day,
        models={},
        catalogue_version="",
        answer=answer,
        considered=list(pairs),
    )


def cases(*decided: tuple[Record, Sequence[Outcome]]) -> list[Case]:
    return [case for own in effects.gather(decided).cases.values() for case in own.values()]


def test_a_case_is_what_would_have_stood_first() -> None:
    shown = [outcome(SHOWN)]
    assert cases((record("1", pair("a", 5)), shown)) == [Case("a", "1", DAY, True, True, 0.4)]
    held = record("2", pair("a", 5, "control"), first=None)
    assert cases((held, [])) == [Case("a", "2", DAY, False, True, 0.4)]
    out = record("3", pair("a", 5, "holdout"), pair("b", 3, "holdout"), first=None)
    assert cases((out, [])) == [Case("a", "3", DAY, False, False, 0.4)]
    beside = record("4", pair("a", 5), pair("b", 3))
    assert cases((beside, [outcome(IGNORED)])) == [Case("a", "4", DAY, True, False, 0.4)]


@pytest.mark.parametrize(
    ("decided", "outcomes"),
    [
        (record("1", pair("a", 5)), []),  # nobody says that it was shown
        (record("1", pair("a", 5)), [outcome(SHOWN, "b")]),
        (record("1", pair("a", 5), pair("b", 3), first="b"), [outcome(SHOWN, "b")]),  # chance took b
        (record("1", pair("a", 5, "control"), pair("b", 3), first="b"), []),  # got b instead of nothing
        (record("1", pair("a", 0, "holdout"), first=None), []),  # not worth it anyway
        (record("1", pair("a", 5, "not_eligible"), first=None), []),
        (record("1", {"action_id": "a", "channel": "sms", "expected_value_cents": 9}), [outcome(SHOWN)]),
    ],
)
def test_what_says_nothing_is_no_case(decided: Record, outcomes: list[Outcome]) -> None:
    assert cases((decided, outcomes)) == []


def test_the_first_case_of_a_customer_counts_whoever_that_was_then() -> None:
    found = effects.gather(
        [
            (record("1", pair("a", 5), day="2018-03-12"), [outcome(SHOWN), outcome(ACCEPTED)]),
            (record("old", pair("a", 5), day="2018-03-11"), [outcome(SHOWN)]),
        ],
        {"old": "1"},
    )
    assert [case.day for case in found.cases["a"].values()] == [DAY + 1]
    assert (dict(found.accepted), dict(found.expected)) == ({"a": 1}, {"a": 0.8})


def test_sales_show_an_effect_that_visits_do_not(tmp_path: Path) -> None:
    sold = {"value_cents": "spend_28 * margin - gift", "control_share": 0.5}
    numbers = {"margin": 0.25, "gift": 150.0}
    known = catalogue(
        tmp_path,
        {"id": "a", "propensity": "comes", "horizon_days": 7, "places": ["phone"], "channels": ["sms"]}
        | {"effect": "comes", "sales": {"margin": "margin", "reward": "gift"}, **sold},
        assumptions={"comes": BELIEF}
        | {
            name: {"value": value, "unit": "number", "meaning": name, "source": "test"}
            for name, value in numbers.items()
        },
    )
    # All come on the day after. A fifth of those who are told spend 20.00 more.
    random, persons, truth = np.random.default_rng(2), 3000, 0.2
    names = np.array([str(person) for person in range(persons)], dtype=object)
    decided = decisions.decide(
        known, "phone", {"spend_28": np.full(persons, 2000.0)}, customers=names, as_of=DAY
    )
    told = decided.chosen > 0
    assert 0.4 < told.mean() < 0.6
    spent = random.integers(1000, 5000, persons) + 2000 * (told & (random.random(persons) < truth))
    visits = Visits.of(names, np.full(persons, DAY + 1), DAY + 20, spent)
    gathered = effects.gather(
        (
            record(names[row], *considered.pairs(decided, row), first="a" if told[row] else None),
            [outcome(SHOWN)] if told[row] else [],
        )
        for row in range(persons)
    )
    (found,) = effects.estimate(known, gathered, visits)
    assert (found.came, found.came_control) == (1.0, 1.0)
    assert found.spent_cents is not None
    assert found.spent_cents_control is not None
    assert 300 < found.spent_cents - found.spent_cents_control < 500
    assert found.estimate is not None
    # The margin of 20.00 is 5.00: what the value says, with what the gift takes off put back.
    assert abs(found.estimate.mean - truth) < 3 * found.estimate.spread < 0.25
    assert found.posterior.weight > 0.5

    # Recorded before the action had an effect: nobody knows what part of the chance it was.
    for case in gathered.cases["a"].values():
        gathered.cases["a"][case.customer] = dataclasses.replace(case, corrected=False)
    (before,) = effects.estimate(known, gathered, visits)
    assert (before.contacted, before.control, before.measured) == (0, 0, ())


def test_a_case_of_an_action_without_an_effect_then_is_marked() -> None:
    (case,) = cases((record("1", pair("a", 5, multiplier=1.0, value_cents=700.0)), [outcome(SHOWN)]))
    assert (case.corrected, case.value_cents) == (False, 700.0)


def given(folder: Path, **entry: Any) -> Catalogue:
    action = {
        "id": "a",
        "propensity": "comes",
        "value_cents": "1000",
        "horizon_days": 7,
        "places": ["phone"],
        "channels": ["sms"],
        "effect": "comes",
    }
    return catalogue(folder, {**action, **entry}, assumptions={"comes": BELIEF})


def test_only_ended_horizons_count(tmp_path: Path) -> None:
    visits = Visits.of(np.array(["1"]), np.array([DAY + 1]), DAY + 8)
    gathered = effects.gather(
        [
            (record("1", pair("a", 5)), [outcome(SHOWN)]),
            (record("2", pair("a", 5, "holdout"), first=None), []),
            (record("3", pair("a", 5), day="2018-03-11"), [outcome(SHOWN)]),
        ]
    )
    (found,) = effects.estimate(given(tmp_path), gathered, visits)
    assert (found.contacted, found.control) == (1, 1)
    assert (found.came, found.came_control) == (1.0, 0.0)
    (one,) = found.measured
    assert one.estimate == pytest.approx((1 - 0) / 0.4)
    assert found.prior.mean < found.posterior.mean < one.estimate
    earlier = dataclasses.replace(visits, clock_day=DAY + 7)
    (none,) = effects.estimate(given(tmp_path), gathered, earlier)
    assert (none.contacted, none.measured, none.posterior, none.estimate) == (0, (), none.prior, None)
    assert (none.came, none.came_control) == (None, None)


def test_success_is_compared_by_kinds_of_cases_as_the_contacted_have_them(tmp_path: Path) -> None:
    gathered = effects.Gathered()
    # Contacted or not, with nothing else to propose or with something, came or not.
    lived = ("ca+", "ca+", "ca-", "ha-", "co+", "ho+", "ho-", "ca-")
    for number, (group, alone, _) in enumerate(lived):
        name = str(number)
        gathered.cases["a"][name] = Case("a", name, DAY, group == "c", alone == "a", 1.0)
    came = np.array([str(number) for number, each in enumerate(lived) if each.endswith("+")])
    visits = Visits.of(came, np.full(len(came), DAY + 1), DAY + 20)
    (found,) = effects.estimate(given(tmp_path, kind="win_back"), gathered, visits)
    assert (found.kind, found.contacted, found.control) == ("win_back", 5, 3)
    assert found.came == pytest.approx(3 / 5)
    assert found.came_control == pytest.approx((4 * 0 + 1 * 0.5) / 5)


PERSONS = 4000


def lived(
    config: WorldConfig, choose: Callable[[np.ndarray], np.ndarray], days: int = 8
) -> tuple[Visits, np.ndarray]:
    """A world in which some persons are contacted on the second day; its visits, and who was contacted."""
    world = World(config, 5, range(PERSONS))
    customer, day = [], []
    contacted = np.empty(0, dtype=np.int64)
    for step in range(days + 2):
        acts = Actions.none()
        if step == 1:
            contacted = choose(world.observe().person)
            zeros = np.zeros(len(contacted), dtype=np.int16)
            acts = Actions(contacted, zeros, zeros, np.ones(len(contacted)))
        lines = world.step(acts).lines
        customer.append(lines.person.astype(np.str_))
        day.append(np.full(len(lines.person), DAY + step - 1))
    return Visits.of(np.concatenate(customer), np.concatenate(day), DAY + days + 1), contacted


def measured(config: WorldConfig, known: Catalogue) -> effects.Estimate:
    """What recorded decisions and their outcomes say of the action in a world that lives by them."""
    names = np.array([str(person) for person in range(PERSONS)], dtype=object)
    decided = decisions.decide(known, "phone", {"spend_28": np.zeros(PERSONS)}, customers=names, as_of=DAY)
    offered = np.flatnonzero(decided.chosen > 0)
    visits, contacted = lived(config, lambda person: person[np.isin(person, offered)])
    assert contacted.tolist() == offered.tolist()
    written = []
    for row in range(PERSONS):
        first = "a" if decided.chosen[row] else None
        told = record(names[row], *considered.pairs(decided, row), first=first)
        written.append((told, [outcome(SHOWN)] if first else []))
    (found,) = effects.estimate(known, effects.gather(written), visits)
    assert found.contacted == len(offered)
    assert found.contacted + found.control == PERSONS
    return found


def world(effect: float) -> WorldConfig:
    """Customers who come every fourth week, and an action that makes them come more often."""
    action = nudge(visits=Effect(effect), half_life_days=30.0)
    return plain(segments=(segment(visits_per_week=0.25),), treatment=treated(action))


def test_the_belief_moves_to_a_planted_effect(tmp_path: Path) -> None:
    config = world(1.0)
    everybody, _ = lived(config, lambda person: person)
    nobody, _ = lived(config, lambda person: person[:0])
    all_of_them = [Case("a", str(person), DAY, True, True, 1.0) for person in range(PERSONS)]
    truth = everybody.came(all_of_them, 7).mean() - nobody.came(all_of_them, 7).mean()
    assert 0.15 < truth < 0.27  # below the prior of 0.3
    found = measured(config, given(tmp_path, control_share=0.3))
    assert abs(found.posterior.mean - truth) < 0.3 * abs(found.prior.mean - truth)
    assert abs(found.posterior.mean - truth) < 3 * found.posterior.spread
    assert found.posterior.basis == "estimated"


def test_without_an_effect_it_shrinks_to_zero_and_is_not_offered_any_more(tmp_path: Path) -> None:
    known = given(tmp_path, control_share=0.3, value_cents="200")
    found = measured(world(0.0), known)
    assert abs(found.posterior.mean) < 3 * found.posterior.spread
    assert found.posterior.mean < 0.05
    after = Effects.after(known, found.measured, ())
    read = {"spend_28": np.zeros(1)}
    before = decisions.decide(known, "phone", read, customers=["x"], as_of=DAY)
    assert before.expected[0, 0] == 53
    now = decisions.decide(known, "phone", read, customers=["x"], as_of=DAY, effects=after)
    assert now.expected[0, 0] <= 3


def test_the_command_measures_recorded_decisions_and_later_ones_use_it(slice_copy: Workspace) -> None:
    """Of real customers nobody was contacted, so that there is nothing to find; but it is measured."""
    report = batch.score(
        slice_copy,
        as_of="2017-09-01",
        places=["campaign"],
        allow_future_model=True,
        out=slice_copy.root / "out",
    )
    written = [*batch_records.read(report.out / "decisions.parquet")]
    store = OutcomeStore.of(slice_copy)
    store.add(
        [
            dataclasses.replace(
                outcome(SHOWN, one.first[0]),
                decision_id=one.decision_id,
                customer_id=one.customer_id,
                channel=one.first[1],
                recorded_at=one.decided_at,
            )
            for one in written
            if one.answer
        ]
    )
    store.records.close()
    told = json.loads(done(nextbest("experiments", "effects", "--json", workspace=slice_copy)))
    by_action = {one["action"]: one for one in told}
    known = actions.load(actions.choose(slice_copy.root))
    assert by_action.keys() == {action.id for action in known.actions if action.effect}
    shown = Counter(one.first[0] for one in written if one.answer)
    clock_day = Canonical.open(slice_copy).clock_day
    for name, one in by_action.items():
        ended = clock.to_day(date(2017, 9, 1)) + known.action(name).horizon_days < clock_day
        # Who would have been offered something else first, but for chance or a control group, is no case.
        assert 0.7 * shown[name] <= one["contacted"] <= shown[name] if ended else one["contacted"] == 0
    measured = [one for one in told if one["measured"]]
    assert measured
    for one in measured:
        assert one["control"] > 0
        assert 0 < one["posterior"]["weight"] < 1
        assert one["posterior"]["spread"] < one["prior"]["spread"]
    read = Effects.read(slice_copy.effects, known)
    assert read.beliefs[measured[0]["effect"]].mean == pytest.approx(measured[0]["posterior"]["mean"])
    assert read.at(clock_day) is read
    # A batch of an earlier day may not know what outcomes showed later.
    assert read.at(clock_day - 1) is None
    text = done(nextbest("experiments", "effects", workspace=slice_copy))
    assert "Kept in" in text
