"""What is said of customers is checked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from experiments.simulator.customer_config import ContractTerms, Joining, LifeCycle, StageRule
from features.errors import UserError
from tests.experiments.simulator.conftest import STAGES, segment, staying

KNOWN = "Hint: known are:"


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (lambda: Joining(before=2), "joining: before is 2; it has to be a number from 0 to 1."),
        (lambda: Joining(household=0.5), "joining: household is 0.5; it has to be a number from 1 to 100."),
        (
            lambda: segment(kind="organization"),
            "kind of segment 'drivers' not found: 'organization'. Hint: did you mean 'organisation'?",
        ),
        (lambda: segment(visits_shape=0), "segment 'drivers': visits_shape is 0; it has to be above 0."),
        (
            lambda: segment(weekdays=(1.0,) * 6),
            "segment 'drivers': weekdays has 6 numbers; it has to have 7.",
        ),
        (
            lambda: segment(hours=(0.0,) * 24),
            f"segment 'drivers': hours is {[0.0] * 24}; one of its numbers has to be above 0.",
        ),
        (
            lambda: segment(regularity=0.5),
            "segment 'drivers': regularity is 0.5; it has to be a number from 1 to 5.",
        ),
        (
            lambda: LifeCycle({"stable": StageRule(1.0)}),
            "the life cycle has no stage 'exploring'. Add it.",
        ),
        (
            lambda: LifeCycle({"gone": StageRule(1.0)}),
            f"stage of the life cycle not found: 'gone'. {KNOWN} exploring, forming, lapsing, stable.",
        ),
        (
            lambda: staying(stable={"stable": 0.1}),
            f"stage that 'stable' moves to not found: 'stable'. {KNOWN} exploring, forming, gone, lapsing.",
        ),
        (
            lambda: staying(stable={"gone": 0.6, "lapsing": 0.6}),
            "stage 'stable': its hazards add up to more than 1 a day. Lower them.",
        ),
        (
            lambda: staying(stable={"gone": 1.5}),
            "stage 'stable': hazard of moving to 'gone' is 1.5; it has to be a number from 0 to 1.",
        ),
        (lambda: ContractTerms(months=()), "no term of contracts is given; one or more are needed."),
        (
            lambda: ContractTerms(months=(0,)),
            "contracts: a term of months is 0; it has to be a whole number of 1 or more.",
        ),
    ],
)
def test_what_cannot_be_is_refused(part: Callable[[], object], sentence: str):
    with pytest.raises(UserError) as refused:
        part()
    assert str(refused.value) == sentence


def test_a_life_cycle_has_every_stage():
    assert tuple(staying().stages) == STAGES
