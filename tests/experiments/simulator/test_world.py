"""Whole worlds: part and whole, policies on one seed, who buys when, and that money and books add up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from experiments.simulator import draws
from experiments.simulator.codes import AnswerKind, ContractKind, Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Actions, Events
from experiments.simulator.life_cycle import STAYS
from experiments.simulator.preset_file import preset
from experiments.simulator.rows import Rows
from experiments.simulator.world import World
from features.clock import to_date
from features.errors import UserError
from tests.experiments.simulator.conftest import plain, segment

PERSONS, DAYS = 500, 40
PARTS = ("joined", "lines", "contacts", "answers", "service", "consents", "contracts")
TREATED = preset("fuel")
UNCARRIED = [channel.name for channel in TREATED.treatment.channels].index("call")


def some(world: World, share: float = 0.05) -> Actions:
    """Contacts with some of those who are registered, whichever part of the world this is."""
    seen, pairs = world.observe(), world.config.treatment.pairs
    person = seen.person[draws.uniform(1, "test", seen.person, world.day) < share]
    pair = pairs[(person + world.day) % len(pairs)]
    return Actions(
        person=person, action=pair[:, 0], channel=pair[:, 1], propensity=np.full(len(person), share)
    )


def lived(
    config: WorldConfig, persons: range, days: int = DAYS, share: float = 0.0, seed: int = 0
) -> list[Events]:
    world = World(config, seed, persons)
    return [world.step(some(world, share)) for _ in range(days)]


def columns(rows: Rows) -> Iterator[tuple[str, np.ndarray]]:
    for field in dataclasses.fields(rows):
        yield field.name, getattr(rows, field.name)


def order(rows: Rows) -> np.ndarray:
    """By everything: rows of one day have no order among customers."""
    return np.lexsort([column for _, column in columns(rows)])


def assert_same(one: list[Events], other: list[Events], keep: range | None = None) -> None:
    for mine, theirs in zip(one, other, strict=True):
        for part in PARTS:
            left, right = getattr(mine, part), getattr(theirs, part)
            if keep is not None:
                right = right.take((right.person >= keep.start) & (right.person < keep.stop))
            left, right = left.take(order(left)), right.take(order(right))
            for (name, a), (_, b) in zip(columns(left), columns(right), strict=True):
                assert a.tobytes() == b.tobytes(), (mine.day, part, name)


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_a_part_of_a_world_behaves_as_it_does_in_the_whole(name: str):
    config = preset(name)
    whole = lived(config, range(2000), 20, share=0.05)
    assert sum(len(events.contacts) for events in whole) > 100
    for part in (range(1000), range(1000, 2000)):
        assert_same(lived(config, part, 20, share=0.05), whole, part)


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_world():
    one, again, other = (lived(TREATED, range(PERSONS), 20, share=0.05, seed=seed) for seed in (3, 3, 4))
    assert_same(one, again)
    assert [len(events.lines) for events in one] != [len(events.lines) for events in other]


def test_policies_on_one_seed_differ_only_for_those_whom_they_treat():
    one, other = World(TREATED, 0, range(PERSONS)), World(TREATED, 0, range(PERSONS))
    treated, changed = np.zeros(PERSONS, dtype=bool), np.zeros(PERSONS, dtype=bool)
    for _ in range(DAYS):
        events = [one.step(), other.step(some(other, 0.01))]
        treated[events[1].contacts.person] = True
        spent = [np.bincount(day.lines.person, day.lines.amount_cents, PERSONS) for day in events]
        changed |= spent[0] != spent[1]
        assert not changed[~treated].any()
        stages = [world.truth().stage for world in (one, other)]
        assert np.array_equal(stages[0][~treated], stages[1][~treated])
    assert changed.any()
    assert changed.sum() < treated.sum()


def test_without_effects_what_is_bought_is_the_same_whatever_is_done():
    config = dataclasses.replace(TREATED, treatment=TREATED.treatment.without_effects())
    for one, other in zip(
        lived(config, range(PERSONS)), lived(config, range(PERSONS), share=0.2), strict=True
    ):
        assert np.array_equal(one.lines.person, other.lines.person)
        assert np.array_equal(one.lines.amount_cents, other.lines.amount_cents)
        assert np.array_equal(one.lines.at, other.lines.at)


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_nobody_buys_before_joining_or_after_leaving(name: str):
    world = World(preset(name), 0, range(PERSONS))
    joined_at, gone = np.full(PERSONS, np.iinfo(np.int64).max), np.zeros(PERSONS, dtype=bool)
    for _ in range(DAYS):
        events, truth = world.step(some(world)), world.truth()
        joined_at[events.joined.person] = events.joined.at
        now = truth.stage == Stage.GONE
        assert (now | ~gone).all()
        assert (joined_at[now] < np.iinfo(np.int64).max).all()
        lines = events.lines
        assert (lines.at >= joined_at[lines.person]).all()
        assert not now[lines.person].any()
        assert not truth.alive[now].any()
        assert (truth.rate[now] == 0).all()
        gone = now
    assert gone.any()
    assert (joined_at < np.iinfo(np.int64).max).mean() > 0.8


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_no_line_is_before_its_registration(name: str):
    world, registered, joiners = World(preset(name), 0, range(4000, 8000)), np.full(8000, 2**62), 0
    billed = (world.population.of_segment("billed") > 0) & (world.config.bills is not None)
    for _ in range(12):
        events = world.step()
        registered[events.joined.person] = events.joined.at
        assert (events.lines.at >= registered[events.lines.person]).all()
        due = billed & (world.population.bill_day == to_date(events.day).day)
        joiners += int((due & (world.population.joined == events.day)).sum())
    assert (joiners > 0) == billed.any()


def test_everybody_joins_once_and_all_who_had_before_are_told_on_the_first_day():
    days = lived(TREATED, range(PERSONS), 10)
    told = np.concatenate([events.joined.person for events in days])
    assert len(set(told)) == len(told)
    world = World(TREATED, 0, range(PERSONS))
    assert np.array_equal(days[0].joined.person, np.flatnonzero(world.population.joined <= world.day))
    assert np.array_equal(np.sort(told), np.flatnonzero(world.population.joined < world.day + 10))


def test_all_instants_lie_on_their_local_day():
    config = dataclasses.replace(TREATED, zone="UTC")
    for events in lived(config, range(PERSONS), 20, share=0.1):
        for rows in (events.lines, events.contacts, events.consents.take(events.consents.channel >= 0)):
            late = rows.at[rows.at // 86_400_000_000 != events.day]
            assert not len(late) or (events.day == config.first_day and rows is not events.lines)


def test_money_is_conserved():
    world = World(TREATED, 0, range(PERSONS))
    spent, given = np.zeros(PERSONS), 0
    for _ in range(DAYS):
        events = world.step(some(world, 0.1))
        lines, prices = events.lines, world._prices.of(events.day)
        category = world.products.category[lines.product]
        price = np.rint(world.products.price_cents[lines.product] * prices.factor[category])
        assert np.array_equal(lines.amount_cents + lines.discount_cents, np.rint(price * lines.quantity))
        assert (lines.amount_cents >= 0).all()
        promoted = np.rint((lines.amount_cents + lines.discount_cents) * prices.discount[category])
        used = events.answers.take(events.answers.kind == AnswerKind.REDEMPTION)
        assert (lines.discount_cents - promoted).sum() == used.amount_cents.sum()
        given += used.amount_cents.sum()
        spent += np.bincount(lines.person, lines.amount_cents, PERSONS)
    assert given > 0
    assert np.array_equal(world.spent_cents, spent)


def test_the_observation_is_what_the_events_say():
    world = World(TREATED, 0, range(1000, 1000 + PERSONS))
    before = world.observe()
    came = world.day - before.days_since_visit
    last_before = dict(zip(before.person.tolist(), came.tolist(), strict=True))
    days = [world.step(some(world)) for _ in range(100)]
    seen = world.observe()
    assert np.array_equal(seen.person, 1000 + np.flatnonzero(world.population.joined < world.day))
    spend, contacts = np.zeros(2000), np.zeros(2000)
    for events in days[-91:]:
        np.add.at(spend, events.lines.person, events.lines.amount_cents)
    for events in days[-28:]:
        np.add.at(contacts, events.contacts.person, 1)
    assert np.array_equal(seen.spend_91_cents, spend[seen.person])
    assert np.array_equal(seen.contacts_28, contacts[seen.person])
    visits = [set(zip(events.lines.person, events.lines.basket, strict=True)) for events in days]
    last = {int(person): events.day for events in days for person in events.lines.person}
    for row in range(0, len(seen), 37):
        person = int(seen.person[row])
        assert seen.visits_28[row] == sum(sum(who == person for who, _ in day) for day in visits[-28:])
        joined = int(world.population.joined[person - 1000])
        since = world.day - last.get(person, last_before.get(person, joined))
        assert seen.days_since_visit[row] == since
        assert seen.tenure_days[row] == world.day - world.population.joined[person - 1000]


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_on_the_first_day_customers_have_been_silent_as_long_as_on_any_other(name: str):
    world, year = World(preset(name), 0, range(4000)), 364
    rate, joined = world.population.rate, world.population.joined
    shares = []
    # The same weekday of the same season.
    for day in range(year + 1):
        if day in (0, year):
            seen, stage = world.observe(), world.truth().stage
            weekly = (rate > 1 / 9) & (stage == Stage.STABLE) & (joined < world.day - 200)
            silent = seen.days_since_visit[weekly[seen.person]]
            shares.append([np.mean(silent >= days) for days in (3, 7, 14, 60)])
            assert weekly.sum() > 200
        world.step()
    assert shares[0] == pytest.approx(shares[1], abs=0.06)
    assert shares[0][-1] < 0.01


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_who_has_left_says_nothing_and_who_has_cancelled_is_not_contacted(name: str):
    world, sent = World(preset(name), 0, range(2000)), 0
    billed = world.population.of_segment("billed") > 0
    cancelled = np.flatnonzero((world.left_before < STAYS) & billed)
    for _ in range(DAYS):
        seen = world.observe()
        assert not np.isin(seen.person, cancelled).any()
        events = world.step(some(world, 0.3))
        gone = np.flatnonzero(world.truth().stage == Stage.GONE)
        assert not np.isin(events.answers.person, gone).any()
        # A business writes to those who left without a word.
        sent += np.isin(events.contacts.person, gone).sum()
        ended = events.contracts.take(events.contracts.kind == ContractKind.CANCELLED)
        cancelled = np.union1d(cancelled, ended.person)
    assert sent > 100
    assert (len(cancelled) > 0) == (name == "telecom")
    if name == "telecom":
        gone_for_good = Actions(person=cancelled[:1], action=[0], channel=[0], propensity=[1.0])
        with pytest.raises(UserError, match=f"for person {cancelled[0]}, who has cancelled"):
            world.step(gone_for_good)


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_no_contract_starts_before_its_customer_registers(name: str):
    days = lived(preset(name), range(2000), 20)
    registered = np.zeros(2000, dtype=np.int64)
    for events in days:
        registered[events.joined.person] = events.joined.at
        assert (events.contracts.starts_at >= registered[events.contracts.person]).all()
        bound = events.contracts.take(events.contracts.kind == ContractKind.BOUND)
        assert (bound.ends_at > bound.starts_at).all()
    first = days[0].contracts
    assert (first.starts_at == registered[first.person]).any()


def test_a_refusal_withdraws_consent_and_the_next_observation_knows():
    world = World(TREATED, 0, range(PERSONS))
    refused: set[tuple[int, int]] = set()
    for _ in range(30):
        answers = world.step(some(world, 0.3)).answers
        rows = answers.take(answers.kind == AnswerKind.REFUSAL)
        refused |= set(zip(rows.person.tolist(), rows.channel.tolist(), strict=True))
    seen = world.observe()
    assert refused
    assert not any(seen.consent[np.searchsorted(seen.person, person), channel] for person, channel in refused)


def test_a_plain_world_is_the_nbd():
    config = plain(segments=(segment(visits_per_week=0.7, visits_shape=0.8),))
    world = World(config, 0, range(5000))
    visits = np.zeros(5000)
    for _ in range(70):
        lines = world.step().lines
        np.maximum.at(visits, lines.person, lines.basket + 1)
    assert visits.mean() == pytest.approx(7, rel=0.05)
    assert visits.var() == pytest.approx(7 + 7**2 / 0.8, rel=0.1)
    assert np.mean(visits == 0) == pytest.approx((1 + 7 / 0.8) ** -0.8, abs=0.02)


@pytest.mark.parametrize("persons", [range(0), range(0, 10, 2), range(-1, 3)])
def test_a_world_needs_persons_without_gaps(persons: range):
    with pytest.raises(UserError, match="they have to be one or more positions without gaps"):
        World(TREATED, 0, persons)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"person": [10_000]}, "an action is for person 10000, who is not registered"),
        ({"action": [99]}, "action 99 is not of this world"),
        ({"action": [-3]}, "action -3 is not of this world; its actions are 0 to 4"),
        ({"channel": [-1]}, "channel -1 is not of this world"),
        ({"channel": [UNCARRIED]}, "action 'fuel coupon' is not carried by channel 'call'; choose from"),
        *(({"propensity": [p]}, f"a propensity is {p}; it is the chance") for p in (0.0, -0.5, 1.5, np.nan)),
    ],
)
def test_actions_that_cannot_be_are_refused(change: dict[str, list[int]], sentence: str):
    world = World(TREATED, 0, range(PERSONS))
    person = int(world.observe().person[0])
    action, channel = TREATED.treatment.pairs[0]
    actions = Actions(person=[person], action=[action], channel=[channel], propensity=[1.0])
    world.step(actions)
    day, spent = world.day, world.spent_cents
    with pytest.raises(UserError, match=sentence):
        world.step(actions.replace(**change))
    assert world.day == day
    assert np.array_equal(world.spent_cents, spent)


def test_the_same_contact_twice_on_a_day_is_refused_and_nothing_has_changed():
    one, other = World(TREATED, 0, range(PERSONS)), World(TREATED, 0, range(PERSONS))
    person, pairs = int(one.observe().person[0]), TREATED.treatment.pairs[:2]
    both = Actions([person] * 2, pairs[:, 0], pairs[:, 1], [0.5, 0.5])
    with pytest.raises(UserError, match="the same action on the same channel twice on one day"):
        one.step(Actions.concat([both, both.take([0])]))
    assert_same([one.step(both)], [other.step(both)])


def test_a_contact_changes_nothing_on_its_day_and_something_on_the_next():
    one, other = World(TREATED, 0, range(PERSONS)), World(TREATED, 0, range(PERSONS))
    one.step(), other.step()
    for same in (True, False):
        contacted, alone = one.step(some(one, 1.0)), other.step()
        assert len(contacted.contacts) > 100
        assert np.array_equal(one.truth().stage, other.truth().stage) or not same
        assert (contacted.lines.at.tobytes() == alone.lines.at.tobytes()) == same


def test_whoever_has_not_joined_cannot_be_contacted():
    world = World(TREATED, 0, range(PERSONS))
    late = int(np.argmax(world.population.joined))
    assert world.population.joined[late] >= world.day
    with pytest.raises(UserError, match="not registered"):
        world.step(Actions(person=[late], action=[0], channel=[0], propensity=[1.0]))
