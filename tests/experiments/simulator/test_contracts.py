"""Terms bind, end, and are renewed or not; what is written of a contract is what held."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from experiments.simulator.calendar import Season
from experiments.simulator.codes import NONE, ContractKind
from experiments.simulator.contracts import MONTH_DAYS, Agreements
from experiments.simulator.customer_config import ContractTerms, Joining
from experiments.simulator.events import Contracts
from experiments.simulator.life_cycle import STAYS
from experiments.simulator.offer_config import Bills
from experiments.simulator.population import Population
from experiments.simulator.preset_file import preset
from experiments.simulator.prices import assortment
from experiments.simulator.rows import Ints
from experiments.simulator.world import World
from tests.experiments.simulator.conftest import plain, segment

TERMS = ContractTerms(category="fuel", months=(12,), renew=0.5, bound=0.2, window=3.0, window_days=30)
FREE, BOUND, CANCELLED = ContractKind.FREE, ContractKind.BOUND, ContractKind.CANCELLED
YEAR = round(12 * MONTH_DAYS)
PERSONS = 2000
EVERYBODY = np.ones(PERSONS, dtype=bool)
NOBODY = np.zeros(PERSONS, dtype=bool)


def agreements(
    terms: ContractTerms | None = TERMS,
    bound: float = 0.8,
    history: int = 1500,
    *,
    billed: bool = False,
    left_before: Ints | int = STAYS,
) -> Agreements:
    config = plain(
        segments=(segment(bound=bound if terms else 0.0, billed=billed),),
        contracts=terms,
        joining=Joining(before=1.0, history_days=history),
        bills=Bills(categories=("fuel",)) if billed else None,
    )
    population, season = Population(config, 0, range(PERSONS)), Season(config, 0)
    left = np.broadcast_to(left_before, PERSONS)
    return Agreements(config, 0, population, assortment(config, 0), season, left_before=left)


def local_days(at: Ints) -> Ints:
    """Local days of instants, in Shanghai."""
    return (at // 3_600_000_000 + 8) // 24


def first_day(made: Agreements) -> Contracts:
    return made.today(plain().first_day, EVERYBODY, EVERYBODY)


def test_without_terms_nobody_has_a_contract():
    made = agreements(None)
    assert len(first_day(made)) == 0
    assert (made.factor(plain().first_day) == 1).all()
    assert (made.days_to_expiry(plain().first_day) == NONE).all()


def test_on_the_first_day_everybody_has_one_contract_that_runs():
    made, day = agreements(), plain().first_day
    rows = first_day(made)
    # A term that ends on this very day has the row of what follows, too.
    rows = rows.take(rows.number == 0)
    assert np.array_equal(rows.person, np.arange(PERSONS))
    bound = rows.kind == BOUND
    now = int(Season(plain(), 0).starts(np.array([day]))[0])
    assert (rows.starts_at < now).all()
    assert (rows.ends_at[bound] >= now - 1).all()
    assert (rows.ends_at[~bound] == NONE).all()
    assert set(rows.fee_cents) == {800, 900}
    assert np.array_equal(made.days_to_expiry(day)[~bound] == NONE, np.ones((~bound).sum(), dtype=bool))


def test_whoever_was_never_renewed_long_ago_is_free_and_a_sure_renewal_holds_for_ever():
    never = dataclasses.replace(TERMS, renew=0.0)
    rows = first_day(agreements(never, bound=1.0, history=YEAR - 1))
    assert (rows.kind == BOUND).all()
    rows = first_day(agreements(never, bound=1.0))
    assert (rows.kind == BOUND).mean() == pytest.approx(YEAR / 1500, abs=0.03)
    always = dataclasses.replace(TERMS, renew=1.0)
    assert (first_day(agreements(always, bound=1.0)).kind == BOUND).all()


def test_terms_end_on_their_day_and_half_of_them_are_renewed():
    made, day = agreements(bound=1.0), plain().first_day
    first_day(made)
    bound = made.days_to_expiry(day) != NONE
    ends = day + made.days_to_expiry(day)
    again = []
    for now in range(day + 1, day + YEAR + 1):
        rows = made.today(now, NOBODY, EVERYBODY)
        assert np.array_equal(np.sort(rows.person), np.flatnonzero(bound & (ends == now)))
        assert (rows.number == 1).all()
        again.append(rows.kind == BOUND)
    assert np.concatenate(again).mean() == pytest.approx(0.5, abs=0.05)


def test_a_term_protects_and_the_weeks_after_it_are_when_customers_leave():
    made, day = agreements(dataclasses.replace(TERMS, renew=0.0), bound=1.0, history=1), plain().first_day
    first_day(made)
    last = day - 1 + YEAR
    assert (made.factor(last - 1) == 0.2).all()
    rows = made.today(last, NOBODY, EVERYBODY)
    assert (rows.kind == FREE).all()
    assert (made.factor(last) == 3.0).all()
    assert (made.factor(last + 29) == 3.0).all()
    assert (made.factor(last + 30) == 1.0).all()


def test_who_has_left_without_a_word_renews_nothing_and_the_contract_goes_on_unbound():
    made, day = agreements(dataclasses.replace(TERMS, renew=1.0), bound=1.0, history=1), plain().first_day
    first_day(made)
    assert len(made.cancel(day, EVERYBODY)) == 0
    rows = made.today(day - 1 + YEAR, NOBODY, NOBODY)
    assert np.array_equal(rows.person, np.arange(PERSONS))
    assert (rows.kind == FREE).all()


def test_who_gets_bills_cancels_with_the_end_of_the_day_and_renews_nothing():
    made, day = agreements(bound=1.0, history=1, billed=True), plain().first_day
    first_day(made)
    rows = made.cancel(day + 5, np.arange(PERSONS) % 2 == 0)
    assert np.array_equal(rows.person, np.arange(0, PERSONS, 2))
    assert (rows.kind == CANCELLED).all()
    assert (rows.number == 1).all()
    assert set(local_days(rows.starts_at)) == {day + 5}
    assert set(local_days(rows.starts_at + 1)) == {day + 6}
    assert np.array_equal(rows.ends_at, rows.starts_at)
    assert (rows.fee_cents == 0).all()
    assert np.array_equal(made.days_to_expiry(day + 5) == NONE, np.arange(PERSONS) % 2 == 0)
    later = made.today(day - 1 + YEAR, NOBODY, EVERYBODY)
    assert np.array_equal(later.person, np.arange(1, PERSONS, 2))


def test_former_customers_have_the_contract_that_they_had_and_its_end_lies_in_the_past():
    first = plain().first_day
    stayed = first_day(agreements(billed=True))
    # Half of them left 100 days ago; who had not joined by then, the day after joining.
    joined = local_days(stayed.take(stayed.number == 0).starts_at)
    left = np.where(np.arange(PERSONS) % 2 == 0, np.maximum(first - 100, joined + 1), STAYS)
    left = np.where(left < first, left, STAYS)
    rows = first_day(agreements(billed=True, left_before=left))
    ended, former = rows.take(rows.kind == CANCELLED), np.flatnonzero(left < STAYS)
    assert np.array_equal(ended.person, former)
    assert np.array_equal(local_days(ended.starts_at), left[former])
    had = rows.take(np.isin(rows.person, former) & (rows.kind != CANCELLED))
    assert np.array_equal(had.person, former)
    assert (local_days(had.starts_at) < left[former]).all()
    bound = had.kind == BOUND
    assert (local_days(had.ends_at[bound] + 1) >= left[former][bound]).all()
    assert 0.1 < bound.mean() < 0.8
    # Those who stayed have what they have in a world that nobody left.
    others = [each.take(~np.isin(each.person, former)) for each in (rows, stayed)]
    for field in dataclasses.fields(Contracts):
        assert np.array_equal(*(getattr(each, field.name) for each in others))


def test_who_left_long_ago_without_a_word_looks_like_one_who_never_renewed():
    first = plain().first_day
    sure = dataclasses.replace(TERMS, renew=1.0)
    rows = first_day(agreements(sure, bound=1.0, left_before=first - 1400))
    assert (rows.take(rows.number == 0).person == np.arange(PERSONS)).all()
    assert CANCELLED not in rows.kind
    joined = local_days(first_day(agreements(bound=0.0001)).starts_at)
    old = joined[rows.person] < first - YEAR
    assert old.any()
    assert (rows.kind[old] == FREE).all()
    assert (rows.kind[~old & (rows.number == 0)] == BOUND).all()


def test_a_contract_tells_who_has_left_to_those_only_whom_the_customer_told():
    config = preset("telecom")
    world, days = World(config, 3, range(1000)), []
    gone_on = np.full(1000, STAYS)
    gone_on[world.truth().stage == 4] = config.first_day - 1
    for _ in range(60):
        days.append(world.step())
        left = (world.truth().stage == 4) & (gone_on == STAYS)
        gone_on[left] = days[-1].day
    rows = Contracts.concat(day.contracts for day in days)
    has = world.population.of_segment("bound") > 0
    joined = world.population.joined < world.day
    # Whether somebody has a contract says what they bought, and nothing of who is still there.
    assert np.array_equal(np.unique(rows.person), np.flatnonzero(has & joined))
    ended = rows.take(rows.kind == CANCELLED)
    assert np.array_equal(np.sort(ended.person), np.flatnonzero(has & (gone_on < STAYS)))
    assert (~has & (gone_on < STAYS)).any()
    # In the year it is told on the day itself, and no row before it tells when.
    within = gone_on[ended.person] >= config.first_day
    assert within.any()
    assert np.array_equal(local_days(ended.starts_at)[within], gone_on[ended.person][within])
    assert (local_days(ended.starts_at)[~within] < config.first_day).all()
    others = rows.take(rows.kind != CANCELLED)
    lengths = (local_days(others.ends_at + 1) - local_days(others.starts_at))[others.kind == BOUND]
    assert set(lengths) <= {round(months * MONTH_DAYS) for months in config.contracts.months}
    assert (others.ends_at[others.kind == FREE] == NONE).all()
