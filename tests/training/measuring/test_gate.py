from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.training.versions import BLIND, GOOD, SQUARED, WRONG, rows
from training.measuring import gate, weighted


def check(probability: np.ndarray) -> gate.Gate:
    found = gate.check("churned", rows(probability, 17000))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("probability", "error", "useful"),
    [(GOOD, 0.0, True), (BLIND, 0.0, False), (SQUARED, 0.17, True), (WRONG, 0.4, False)],
)
def test_the_error_is_the_gap_between_promise_and_outcome(
    probability: np.ndarray, error: float, useful: bool
) -> None:
    found = check(probability)
    assert found.error == pytest.approx(error, abs=1e-9)
    assert found.passed == (error == 0)
    assert found.rows == 400
    if probability is not BLIND:
        assert found.useful == useful


def test_a_small_sample_may_err_by_chance_and_a_large_one_may_not() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.6, size=60)
    frame = pd.DataFrame({"churned": (rng.random(60) < p).astype(float), "model.probability": p})
    found = gate.check("churned", frame)
    assert found is not None
    assert found.error > gate.BOUND
    assert found.bound == weighted.calibration_by_chance(p)
    assert found.passed
    assert "within" in found.sentence
    many = pd.concat([frame] * 1000, ignore_index=True)
    found = gate.check("churned", many)
    assert found is not None
    assert found.bound == gate.BOUND
    assert not found.passed
    assert "above the 0.0150" in found.sentence


def test_every_horizon_of_a_frame_with_days_is_looked_at() -> None:
    days = np.tile([3.0, 10.0, np.inf, np.inf], 500)
    frame = pd.DataFrame({"days": days, "model.p7": 0.25, "model.p14": 0.9, "model.days": days})
    found = gate.promises(None, frame)
    assert {what: each.passed for what, each in found.items()} == {
        " within 7 days": True,
        " within 14 days": False,
    }
    assert found[" within 14 days"].error == pytest.approx(0.4)
    assert gate.promises("came", frame) == {}


def test_without_a_probability_or_an_outcome_there_is_nothing_to_check() -> None:
    frame = rows(GOOD, 17000)
    assert gate.check(None, frame) is None
    assert gate.check("bought", frame) is None
    assert gate.check("churned", frame, "champion") is None
    assert gate.check("churned", frame.assign(churned=np.nan)) is None
    half = frame.assign(churned=frame["churned"].where(frame.index < 100))
    found = gate.check("churned", half)
    assert found is not None
    assert found.rows == 100
