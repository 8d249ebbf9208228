"""Tiers of tables small enough to be done by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.life_cycle.rules import TierRules
from features.life_cycle.tiers import Thresholds, kinds_of, summary

RULES = TierRules(
    "spend_182",
    ("VIP", "A", "B", "C"),
    {"person": "share", "organisation": "money"},
    {"person": (0.05, 0.20, 0.50), "organisation": (100_000.0, 50_000.0, 10_000.0)},
)
# Twenty persons who spent 1 to 20 units, one who spent nothing, one with a refund.
PERSONS = np.array([*(100.0 * n for n in range(1, 21)), 0.0, -500.0])


def nobody(size):
    return np.full(size, None, dtype=object)


def test_shares_are_of_those_who_spent_anything():
    found = Thresholds.of(7, PERSONS, nobody(22), RULES)
    assert found.as_of == 7
    assert found.cents["person"] == (2000, 1700, 1100)
    assigned = found.assign(PERSONS, nobody(22))
    assert assigned.tier.tolist() == ["C"] * 10 + ["B"] * 6 + ["A"] * 3 + ["VIP"] + ["C"] * 2
    assert assigned.distance_cents[[0, 9, 10, 16, 18]].tolist() == [1000, 100, 600, 300, 100]
    assert math.isnan(assigned.distance_cents[19])
    assert assigned.distance_cents[20:].tolist() == [1100, 1600]


def test_persons_and_organisations_are_apart():
    values = np.array([100.0, 200.0, 60_000.0, 9_999.0, 100_000.0])
    kinds = np.array([None, "Person", " Organisation", "organisation", "ORGANISATION"], dtype=object)
    found = Thresholds.of(0, values, kinds, RULES)
    assert found.cents == {"person": (200, 200, 200), "organisation": (100_000, 50_000, 10_000)}
    assigned = found.assign(values, kinds)
    assert assigned.tier.tolist() == ["C", "VIP", "A", "C", "VIP"]
    assert assigned.kind.tolist() == ["person"] * 2 + ["organisation"] * 3


def test_an_unknown_kind_belongs_to_the_first():
    assert kinds_of(np.array(["club", "", None, "organisation"], dtype=object), RULES).tolist() == [
        "person",
        "person",
        "person",
        "organisation",
    ]


def test_one_customer_is_told_the_way_to_the_next_tier():
    found = Thresholds.of(0, PERSONS, nobody(22), RULES).one(1_050.0, None)
    assert dataclasses.asdict(found) == {
        "tier": "C",
        "kind": "person",
        "value_feature": "spend_182",
        "value_cents": 1050,
        "next_tier": "B",
        "next_tier_cents": 1100,
        "next_tier_distance_cents": 50,
    }
    best = Thresholds.of(0, PERSONS, nobody(22), RULES).one(5_000.0, "person")
    assert (best.tier, best.next_tier, best.next_tier_distance_cents) == ("VIP", None, None)


def test_levels_that_begin_at_one_value_are_reached_together():
    same = np.full(10, 300.0)
    found = Thresholds.of(0, same, nobody(10), RULES)
    assert set(found.assign(same, nobody(10)).tier) == {"VIP"}
    poorer = found.one(100.0, None)
    assert (poorer.tier, poorer.next_tier, poorer.next_tier_distance_cents) == ("C", "VIP", 200)


def test_where_nobody_spends_all_are_in_the_last_tier_with_nowhere_to_go():
    found = Thresholds.of(0, np.zeros(3), nobody(3), RULES)
    assigned = found.assign(np.zeros(3), nobody(3))
    assert assigned.tier.tolist() == ["C"] * 3
    assert np.isnan(assigned.distance_cents).all()
    assert found.one(0.0, None).next_tier is None
    assert found.one(math.nan, None) is None
    assert all(
        row.from_cents is None and math.isnan(row.value_share)
        for row in summary(np.zeros(3), assigned, found)
    )


def test_the_summary_adds_up():
    found = Thresholds.of(0, PERSONS, nobody(22), RULES)
    rows = summary(PERSONS, found.assign(PERSONS, nobody(22)), found)
    assert [(row.kind, row.tier, row.from_cents, row.customers) for row in rows] == [
        ("person", "VIP", 2000, 1),
        ("person", "A", 1700, 3),
        ("person", "B", 1100, 6),
        ("person", "C", None, 12),
    ]
    assert [row.value_cents for row in rows] == [2000, 5400, 8100, 5500]
    assert sum(row.value_share for row in rows) == pytest.approx(1)
    assert sum(row.customers_share for row in rows) == pytest.approx(1)


@given(st.lists(st.integers(-1000, 100_000), min_size=1, max_size=60))
def test_more_money_is_never_a_lower_tier_and_the_distance_just_reaches_the_next(cents):
    values = np.array(cents, dtype=float)
    found = Thresholds.of(0, values, nobody(len(values)), RULES)
    level = [RULES.levels.index(tier) for tier in found.assign(np.sort(values), nobody(len(values))).tier]
    assert level == sorted(level, reverse=True)
    for value in values:
        one = found.one(float(value), None)
        if one.next_tier is not None:
            reached = found.one(float(one.next_tier_cents), None)
            short = found.one(float(one.next_tier_cents - 1), None)
            assert reached.tier == one.next_tier
            assert short.tier == one.tier
            assert one.value_cents + one.next_tier_distance_cents == one.next_tier_cents
