"""Percentiles by hand, and the group that a customer is compared with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.life_cycle.peers import Peers, percentile
from features.life_cycle.rules import PeerRules

RULES = PeerRules(
    3, (("segment", "area"), ("segment",), ("tier", "stage"), ()), ("spend_91", "overdue_ratio")
)
ROWS = [
    ("retail", "north", "A", "stable", 10.0, 1.0),
    ("retail", "north", "A", "stable", 20.0, math.nan),
    ("retail", "north", "B", "stable", 20.0, 3.0),
    ("retail", "south", "B", "lapsing", 40.0, 2.0),
    ("trade", "south", "B", "lapsing", 50.0, 2.0),
    (None, None, "A", "stable", 60.0, 2.0),
]


def made(rows=ROWS):
    columns = {
        name: np.array([row[place] for row in rows], dtype=object)
        for place, name in enumerate(("segment", "area", "tier", "stage"))
    }
    columns["kind"] = np.full(len(rows), None, dtype=object)
    figures = {name: np.array([row[4 + place] for row in rows]) for place, name in enumerate(RULES.figures)}
    return Peers(columns, figures, RULES)


def compare(row, rows=ROWS):
    place = dict(zip(("segment", "area", "tier", "stage"), row[:4], strict=True))
    return made(rows).compare(dict(zip(RULES.figures, row[4:], strict=True)), place)


def test_the_closest_group_that_is_large_enough():
    found = compare(ROWS[1])
    assert (found.name, found.size, found.passed_over) == ("segment retail, area north", 3, ())
    assert found.group == {"segment": "retail", "area": "north"}
    spend, overdue = found.figures
    assert (spend.value, spend.percentile, spend.median, spend.known) == (20, pytest.approx(200 / 3), 20, 3)
    assert (overdue.known, overdue.median) == (2, 2)
    assert math.isnan(overdue.percentile)
    assert (spend.unit, spend.meaning_zh) == ("cents", "近91天消费金额")


def test_a_group_too_small_is_passed_over_with_its_reason():
    found = compare(ROWS[3])
    assert (found.name, found.size) == ("segment retail", 4)
    assert found.passed_over == ("segment x area: 1 customers, fewer than 3",)
    assert found.figures[0].percentile == pytest.approx(100 * 3.5 / 4)


def test_a_customer_without_segment_is_compared_within_tier_and_stage():
    found = compare(ROWS[5])
    assert found.group == {"tier": "A", "stage": "stable"}
    assert found.passed_over == (
        "segment x area: the customer's segment is not known",
        "segment: the customer's segment is not known",
    )


def test_a_source_without_segments_says_so_and_everybody_is_the_last_resort():
    bare = [(None, None, *row[2:]) for row in ROWS]
    found = compare((None, None, "C", "forming", 5.0, 1.0), bare)
    assert (found.name, found.size, found.group) == ("everybody", 6, {})
    assert found.passed_over[0] == "segment x area: the source says nobody's segment"
    assert found.passed_over[-1] == "tier x stage: 0 customers, fewer than 3"
    assert found.figures[0].percentile == 0


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40))
def test_midranks_have_a_mean_of_50_and_turn_with_the_sign(values):
    array = np.array(values, dtype=float)
    found = [percentile(value, np.sort(array)) for value in array]
    assert np.mean(found) == pytest.approx(50)
    turned = [percentile(-value, np.sort(-array)) for value in array]
    assert [100 - p for p in turned] == pytest.approx(found)
    assert all(0 < p < 100 for p in found)


def test_a_value_outside_the_group_and_a_group_without_values():
    assert percentile(9.0, np.array([1.0, 2.0])) == 100
    assert percentile(1.5, np.array([1.0, 2.0])) == 50
    assert math.isnan(percentile(1.0, np.empty(0)))
    assert math.isnan(percentile(math.nan, np.array([1.0])))
