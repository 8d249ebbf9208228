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
from experiments.simulator.population import Population
from experiments.simulator.prices import assortment
from tests.experiments.simulator.conftest import plain, segment

TERMS = ContractTerms(category="fuel", months=(12,), renew=0.5, bound=0.2, window=3.0, window_days=30)
FREE, BOUND = ContractKind.FREE, ContractKind.BOUND
YEAR = round(12 * MONTH_DAYS)
PERSONS = 2000
EVERYBODY = np.ones(PERSONS, dtype=bool)
NOBODY = np.zeros(PERSONS, dtype=bool)


def agreements(terms: ContractTerms | None = TERMS, bound: float = 0.8, history: int = 1500) -> Agreements:
    joining = Joining(before=1.0, history_days=history)
    config = plain(segments=(segment(bound=bound if terms else 0.0),), contracts=terms, joining=joining)
    population = Population(config, 0, range(PERSONS))
    return Agreements(config, 0, population, assortment(config, 0), Season(config, 0))


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


def test_who_has_left_renews_nothing():
    made, day = agreements(bound=1.0, history=1), plain().first_day
    first_day(made)
    assert len(made.today(day - 1 + YEAR, NOBODY, NOBODY)) == 0
