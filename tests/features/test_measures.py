from __future__ import annotations

import pytest

from features.facts import FACTS
from features.measures import MEASURE_NAMES, MEASURES, TOUCH_NAMES, TOUCHES, Measure

EVERY = (*MEASURES, *TOUCHES)


def test_names_are_different():
    assert len({*MEASURE_NAMES, *TOUCH_NAMES}) == len(EVERY)


@pytest.mark.parametrize("measure", EVERY, ids=lambda measure: measure.name)
def test_a_measure_needs_facts_that_there_are_and_reads_what_a_row_has(measure):
    assert set(measure.needs) <= set(FACTS)
    assert (measure.condition is None) == (not measure.where)


def test_a_measure_counts_or_adds_up():
    assert Measure("lines", "", "row").sql() == "COALESCE(SUM(1), 0)"
    assert Measure("baskets", "", "basket").sql() == "1"
    assert Measure("returns", "", "amount_cents", "quantity < 0").sql() == (
        'COALESCE(SUM(CASE WHEN ("quantity" < 0.0e0) THEN amount_cents ELSE 0 END), 0)'
    )
