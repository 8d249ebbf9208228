from __future__ import annotations

import math

import numpy as np
import pytest

from features.evaluators.offline import FeatureMatrix
from training.reporting import drift


def matrix(**columns: object) -> FeatureMatrix:
    values = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns.values()])
    ids = np.array([f"c{i}" for i in range(len(values))], dtype=object)
    return FeatureMatrix(ids, np.zeros(len(values), dtype=np.int32), tuple(columns), values)


def test_psi_of_two_bins_is_that_of_the_formula() -> None:
    then, now = np.r_[np.zeros(50), np.ones(50)], np.r_[np.zeros(20), np.ones(80)]
    # Edges of a 0/1 feature: 0 and 1, so bins "up to 0", "up to 1", "above", "missing"; half a row in each.
    p, q = np.array([50.5, 50.5, 0.5, 0.5]) / 102, np.array([20.5, 80.5, 0.5, 0.5]) / 102
    assert drift.psi(then, now) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_the_same_rows_have_not_moved_and_a_shift_of_a_deviation_has() -> None:
    x = np.random.default_rng(0).normal(size=4000)
    same, shifted = drift.between(matrix(a=x, b=x), matrix(a=x, b=x + x.std()))
    assert same.psi == pytest.approx(0, abs=1e-9)
    assert same.word == "stable"
    assert shifted.psi > drift.SHIFTED
    assert shifted.word == "shifted"
    assert shifted.shift == pytest.approx(1.0)


def test_chance_alone_stays_below_the_border() -> None:
    rng = np.random.default_rng(1)
    assert drift.psi(rng.normal(size=3000), rng.normal(size=1000)) < drift.STABLE


def test_missing_values_are_a_bin_of_their_own() -> None:
    x = np.random.default_rng(0).normal(size=1000)
    gone = np.where(np.arange(1000) % 2 == 0, np.nan, x)
    (row,) = drift.between(matrix(a=x), matrix(a=gone))
    assert row.word == "shifted"
    assert (row.missing_then, row.missing_now) == (0.0, 0.5)
    assert row.mean_now == pytest.approx(np.nanmean(gone))


def test_a_feature_that_is_nowhere_known_or_constant_does_not_fail() -> None:
    nothing, constant = drift.between(
        matrix(a=np.full(9, np.nan), b=np.ones(9)),
        matrix(a=np.full(9, np.nan), z=np.ones(9), b=np.ones(9)),
    )
    assert math.isnan(nothing.mean_then)
    assert nothing.missing_now == 1.0
    assert nothing.psi == pytest.approx(0)
    assert math.isnan(constant.shift)
    assert math.isnan(drift.psi(np.empty(0), np.ones(3)))


def test_the_picture_cuts_a_bar_far_off_and_says_its_value() -> None:
    x = np.arange(400.0)
    rows = drift.between(matrix(near=x, far=x), matrix(near=x, far=x + 1e6))
    figure = drift.picture(rows)
    (panel,) = figure.axes
    assert [bar.get_width() for bar in panel.patches] == pytest.approx([0, drift.FAR], abs=1e-6)
    assert [text.get_text() for text in panel.texts] == [f"{rows[1].psi:.1f} "]
    assert figure.get_suptitle() == "1 of the top 2 features moved: far"
    assert drift.finding(rows[:1]) == "None of the top 1 features has moved between training and report"
