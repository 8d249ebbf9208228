from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.training.versions import BLIND, GOOD, SQUARED, WRONG, rows
from training.measuring import gate, weighted


def check(probability: np.ndarray) -> gate.Gate:
    return gate.promises("churned", rows(probability, 17000))[""]


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
    found = gate.promises("churned", frame)[""]
    assert found.error > gate.BOUND
    assert found.bound == weighted.calibration_by_chance(p)
    assert found.passed
    assert "within" in found.sentence
    many = pd.concat([frame] * 1000, ignore_index=True)
    found = gate.promises("churned", many)[""]
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
    assert set(gate.promises(None, frame, longest=7)) == {" within 7 days"}
    decided = gate.worst(found)
    assert decided is found[" within 14 days"]
    assert "its calibration error within 14 days is 0.4000, above the" in decided.sentence
    assert gate.flat(found)["calibration_error/within_14_days"] == pytest.approx(0.4)
    assert gate.flat(found)["calibration_bound/within_7_days"] == gate.BOUND
    assert set(gate.promises(None, frame.add_prefix("champion.").assign(days=days))) == set()
    champion = frame.rename(columns=lambda name: name.replace("model.", "champion."))
    assert gate.promises(None, champion, "champion") == found


def a_list(promised: np.ndarray, bought: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"model.promised10_b_all": promised, "model.bought10_b_all": bought})


def test_lists_are_looked_at_by_what_hangs_together_on_them() -> None:
    """Who does not come buys nothing of a list: its places succeed and fail together."""
    rng = np.random.default_rng(3)
    promised = rng.uniform(0.1, 0.5, 300)
    bought = np.where(rng.random(300) < 0.5, 2 * promised, 0.0)
    found = gate.promises(None, a_list(promised, bought))[" of the items listed"]
    assert found.error > gate.BOUND
    assert found.passed
    # Drawn one by one the places would swing less than lists do.
    alone = (rng.random((10, 300)) < promised).mean(axis=0)
    tight = gate.promises(None, a_list(promised, alone))[" of the items listed"]
    assert tight.bound < found.bound
    off = gate.promises(None, a_list(promised, 0.6 * bought))[" of the items listed"]
    assert not off.passed


def test_without_a_probability_or_an_outcome_there_is_nothing_to_check() -> None:
    frame = rows(GOOD, 17000)
    assert gate.promises(None, frame) == {}
    assert gate.promises("bought", frame) == {}
    assert gate.promises("churned", frame, "champion") == {}
    assert gate.promises("churned", frame.assign(churned=np.nan)) == {}
    assert gate.worst({}) is None
    half = frame.assign(churned=frame["churned"].where(frame.index < 100))
    found = gate.promises("churned", half)[""]
    assert found.rows == 100
