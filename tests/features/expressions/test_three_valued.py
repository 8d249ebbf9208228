from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from features.expressions.three_valued import ARRAY, ONE, Operations

TRUTH = (True, False, None)
AND = [[True, False, None], [False, False, False], [None, False, None]]
OR = [[True, True, True], [True, False, None], [True, None, None]]


def pair(value: bool | None) -> tuple[np.ndarray, np.ndarray]:
    return np.array([value is True]), np.array([value is False])


def plain(truth) -> bool | None:
    true, false = (bool(part[0]) for part in truth)
    return True if true else False if false else None


@pytest.mark.parametrize("i", range(3))
@pytest.mark.parametrize("j", range(3))
def test_truth_tables(i, j):
    left, right = TRUTH[i], TRUTH[j]
    assert ONE.both(left, right) is AND[i][j]
    assert ONE.either(left, right) is OR[i][j]
    assert plain(ARRAY.both(pair(left), pair(right))) is AND[i][j]
    assert plain(ARRAY.either(pair(left), pair(right))) is OR[i][j]


@pytest.mark.parametrize(("value", "expected"), [(True, False), (False, True), (None, None)])
def test_not(value, expected):
    assert ONE.opposite(value) is expected
    assert plain(ARRAY.opposite(pair(value))) is expected


@pytest.mark.parametrize("name", ["less", "less_equal", "equal"])
def test_a_comparison_with_unknown_is_unknown(name):
    nan, one = math.nan, 1.0
    assert getattr(ONE, name)(nan, one) is None
    assert plain(getattr(ARRAY, name)(np.array([nan]), np.array([one]))) is None


def test_division_by_0_and_roots_of_negatives_are_unknown():
    assert math.isnan(ONE.divide(1.0, 0.0))
    assert math.isnan(ONE.sqrt(-1.0))
    assert np.isnan(ARRAY.divide(np.array([1.0, 0.0]), np.array([0.0, -0.0]))).all()
    assert (ONE.divide(1.0, 4.0), ONE.sqrt(4.0)) == (0.25, 2.0)


def test_unknown_is_passed_over():
    nan = math.nan
    assert [ONE.least(nan, 1.0), ONE.greatest(1.0, nan), ONE.coalesce(nan, 2.0)] == [1.0, 1.0, 2.0]
    assert math.isnan(ONE.least(nan, nan))


def test_texts():
    column = np.array(["shop", None], dtype=object)
    assert [part.tolist() for part in ARRAY.same_text(column, "shop")] == [[True, False], [False, False]]
    assert ARRAY.missing_text(column)[0].tolist() == [False, True]
    assert ONE.same_text(None, "shop") is None
    assert ONE.missing_text(None) is True


def test_both_have_every_operation():
    for operation in fields(Operations):
        assert callable(getattr(ARRAY, operation.name))
        assert callable(getattr(ONE, operation.name))
