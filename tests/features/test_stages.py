"""Stages against customers whose stage is obvious, and the rule that everybody has exactly one."""

import numpy as np
import pytest

from features.catalogue import NAMES
from features.stages import STAGES, assign

NAN = float("nan")


def customers(**columns):
    size = len(next(iter(columns.values())))
    full = {name: np.full(size, NAN) for name in NAMES}
    return full | {name: np.array(values, dtype=float) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("days_since_visit", "overdue_ratio", "visits_all", "tenure_days", "stage"),
    [
        (1, 0.3, 80, 300, "stable"),
        (40, 5.0, 80, 300, "lapsing"),
        (40, 0.9, 6, 300, "stable"),
        (5, 1.0, 6, 40, "forming"),
        (5, 1.0, 3, 200, "exploring"),
        (3, NAN, 1, 3, "exploring"),
        (90, NAN, 1, 90, "lapsing"),
        (27, 9.0, 80, 300, "stable"),
    ],
)
def test_an_obvious_customer_is_in_the_obvious_stage(
    days_since_visit, overdue_ratio, visits_all, tenure_days, stage
):
    columns = customers(
        days_since_visit=[days_since_visit],
        overdue_ratio=[overdue_ratio],
        visits_all=[visits_all],
        tenure_days=[tenure_days],
    )
    assert assign(columns).tolist() == [stage]


def test_everybody_with_a_history_has_a_stage_and_nobody_without():
    rng = np.random.default_rng(7)
    columns = customers(
        days_since_visit=rng.integers(1, 300, 500),
        overdue_ratio=np.where(rng.random(500) < 0.2, NAN, rng.random(500) * 5),
        visits_all=rng.integers(1, 60, 500),
        tenure_days=rng.integers(1, 365, 500),
    )
    assert set(assign(columns)) == {stage.id for stage in STAGES}
    assert assign(customers(visits_all=[0.0, NAN])).tolist() == [None, None]


def test_a_stage_names_the_features_it_rests_on():
    assert {stage.id: stage.evidence for stage in STAGES}["lapsing"] == ("days_since_visit", "overdue_ratio")
