from __future__ import annotations

import numpy as np

from training.recommendation.grouping import changes, counted, distinct, places


def test_counted_changes_distinct_places() -> None:
    assert counted(np.array([2, 0, 2]), np.array([1.5, 1.0, 2.0]), 4).tolist() == [1.0, 0.0, 3.5, 0.0]
    assert changes(np.array([1, 1, 2]), np.array([7, 8, 8])).tolist() == [True, True, True]
    assert changes(np.array([1, 1, 2])).tolist() == [True, False, True]
    assert distinct(np.array([3, 1, 3, 2])).tolist() == [1, 2, 3]
    assert places(np.array([10, 20]), np.array([20, 15, 99, 10])).tolist() == [1, -1, -1, 0]


def test_empty_arrays_are_fine() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert len(changes(nothing)) == len(distinct(nothing)) == len(places(nothing, nothing)) == 0
    assert places(nothing, np.array([4])).tolist() == [-1]
