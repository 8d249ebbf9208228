"""Holm against a hand-computed example, draws of customers and cutoffs, rows beside each other."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from experiments.study_statistics import (
    holm,
    p_value,
    pairs_drawn,
    quantile,
    seed_noise,
    side_by_side,
)
from features.errors import UserError

KEYS = ("customer_id", "as_of")


def frame(values: list[float], customers: str = "abc", label: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": list(customers), "as_of": 17000, "churned": label, "model.probability": values}
    )


def test_holm_multiplies_the_smallest_by_all_and_never_falls_below_the_one_before():
    # Smallest first: .01 x 4, .02 x 3, .03 x 2 (equal to the one before), .5 x 1.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.02, 0.015]) == pytest.approx([0.03, 0.03])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_what_is_unknown_stays_unknown_and_counts_all_the_same():
    known, unknown = holm([0.01, math.nan])
    assert known == pytest.approx(0.02)
    assert math.isnan(unknown)


@pytest.mark.parametrize(
    ("difference", "error", "p"),
    [(1.96, 1.0, 0.05), (-1.96, 1.0, 0.05), (0.0, 0.0, 1.0), (0.1, 0.0, 0.0), (0.0, 1.0, 1.0)],
)
def test_p_is_that_of_a_normal_difference(difference, error, p):
    assert p_value(difference, error) == pytest.approx(p, abs=1e-4)


def test_intervals_and_p_agree():
    assert quantile(0.05) == pytest.approx(1.959964, abs=1e-6)
    assert p_value(quantile(0.05 / 7), 1.0) == pytest.approx(0.05 / 7)


def test_noise_of_seeds_is_pooled_over_the_variants():
    # Variances of .02 and 0 with two seeds: 2 x .01 / 2.
    assert seed_noise([np.array([0.4, 0.6]), np.array([0.5, 0.5])]) == pytest.approx(0.01)
    assert seed_noise([np.array([0.4]), np.array([0.9])]) == 0.0


def test_a_row_counts_as_often_as_its_customer_times_its_cutoff():
    rows = pd.DataFrame({"customer_id": ["b", "a", "a", "b"], "as_of": [2, 1, 2, 1]})
    codes, draws = pairs_drawn(rows, replicates=300, seed=4)
    by_row = draws[:, codes].astype(int)
    # b2, a1, a2, b1: two customers and two cutoffs, each drawn twice in all.
    assert set(by_row.sum(axis=1)) == {4}
    assert (by_row[:, 0] * by_row[:, 1] == by_row[:, 2] * by_row[:, 3]).all()
    assert 1.8 < 2 * by_row.mean() < 2.2


def test_one_cutoff_is_never_drawn_away():
    codes, draws = pairs_drawn(frame([0.1, 0.2, 0.3]), replicates=50, seed=0)
    assert set(draws[:, codes].sum(axis=1)) == {3}


def test_rows_stand_beside_each_other_whatever_their_order():
    frames = {"one": [frame([0.1, 0.2, 0.3])], "two": [frame([0.7, 0.8, 0.9]).iloc[::-1]]}
    wide, columns = side_by_side(frames, KEYS)
    assert columns == {"one": ["v0s0"], "two": ["v1s0"]}
    assert list(wide.columns) == [*KEYS, "churned", "v0s0.probability", "v1s0.probability"]
    assert wide["v1s0.probability"].tolist() == [0.7, 0.8, 0.9]


def test_only_rows_that_all_have_are_compared():
    wide, _ = side_by_side({"one": [frame([1, 2, 3])], "two": [frame([1, 2, 3], "bcd")]}, KEYS)
    assert wide["customer_id"].tolist() == ["b", "c"]
    with pytest.raises(UserError, match="no report row in common"):
        side_by_side({"one": [frame([1, 2, 3])], "two": [frame([1, 2, 3], "xyz")]}, KEYS)


def test_other_labels_are_refused():
    with pytest.raises(UserError, match="disagree on the labels"):
        side_by_side({"one": [frame([1, 2, 3])], "two": [frame([1, 2, 3], label=0)]}, KEYS)
