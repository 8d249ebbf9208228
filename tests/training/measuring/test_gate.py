from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
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
    assert found.error > 0.015
    assert found.bound == weighted.calibration_by_chance(p)
    assert found.passed
    assert "within" in found.sentence
    assert found.warning == ""
    many = pd.concat([frame] * 1000, ignore_index=True)
    found = gate.promises("churned", many)[""]
    assert found.bound == weighted.calibration_by_chance(many["model.probability"].to_numpy()) < 0.007
    assert not found.passed
    assert found.warning.startswith(f" WARNING: {found.sentence}: what is computed from")


@pytest.mark.parametrize(("rows", "bound"), [(400, "chance"), (40_000, 0.015)])
def test_a_fixed_error_is_let_be_where_chance_explains_less(rows: int, bound: float | str) -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.05, 0.3, rows)
    frame = pd.DataFrame({"churned": (rng.random(rows) < p - 0.01).astype(float), "model.probability": p})
    alone, fixed = (gate.promises("churned", frame, let_be=let_be)[""] for let_be in (0.0, 0.015))
    assert (alone.bound < 0.015) == (bound == 0.015)
    assert fixed.bound == max(0.015, alone.bound)
    assert fixed.passed
    assert alone.passed == (bound == "chance")


def test_small_probabilities_are_held_to_what_chance_explains() -> None:
    """Two in five too many of what is rare is less than 0.015, and yet no accident."""
    rng = np.random.default_rng(5)
    true = rng.uniform(0.02, 0.06, 2000)
    bought = rng.binomial(10, true) / 10
    frame = pd.DataFrame({"model.promised10_b_new": 1.4 * true, "model.bought10_b_new": bought})
    found = gate.promises(None, frame)[" of the new items listed"]
    assert found.error > 0.012
    assert not found.passed
    assert gate.promises(None, frame.assign(**{"model.promised10_b_new": true}))[found.what].passed


def test_certainty_that_comes_true_is_calibrated() -> None:
    sure = np.arange(40) % 2 * 1.0
    found = gate.promises("churned", pd.DataFrame({"churned": sure, "model.probability": sure}))[""]
    assert (found.error, found.bound, found.passed) == (0.0, 0.0, True)
    assert gate.worst({"": found}) is found


def test_a_mistyped_label_is_named() -> None:
    frame = rows(GOOD, 17000)
    with pytest.raises(UserError, match=r"label column in a task's `gate` not found: 'chruned'.*'churned'"):
        gate.promises("chruned", frame)


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
    assert gate.flat(found)["calibration_bound/within_7_days"] == found[" within 7 days"].bound
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
    assert found.error > 0.015
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
    assert gate.promises("bought", frame.drop(columns="model.probability")) == {}
    assert gate.promises("churned", frame, "champion") == {}
    assert gate.promises("churned", frame.assign(churned=np.nan)) == {}
    assert gate.worst({}) is None
    half = frame.assign(churned=frame["churned"].where(frame.index < 100))
    found = gate.promises("churned", half)[""]
    assert found.rows == 100
