from __future__ import annotations

import numpy as np

from features.history import History


def history(day, known_day, **rest) -> History:
    day, known_day = np.array(day, np.int32), np.array(known_day, np.int32)
    return History("a", day, known_day, np.array([[10**i, 1] for i in range(len(day))], np.int64), **rest)


def test_days_are_added_up_from_what_is_known():
    late = history([1, 2, 2, 5], [1, 2, 9, 5])
    days, measures = late.visible(6)
    assert days.tolist() == [1, 2, 5]
    assert measures.tolist() == [[1, 1], [10, 1], [1000, 1]]
    days, measures = late.visible(10)
    assert days.tolist() == [1, 2, 5]
    assert measures.tolist() == [[1, 1], [110, 2], [1000, 1]]
    assert late.visible(1)[0].tolist() == []


def test_without_late_tiles_the_same_array_is_cut():
    day = np.array([1, 2, 5], np.int32)
    plain = History("a", day, day, np.ones((3, 2), np.int64))
    assert plain.visible(5)[0].tolist() == [1, 2]
    assert plain.visible(6)[1].tolist() == [[1, 1]] * 3


def test_purchases_known_before_the_as_of():
    days = np.array([1, 2, 5], np.int32)
    bought = history(
        [1],
        [1],
        purchase_product=np.array([7, 7, 8], np.int32),
        purchase_day=days,
        purchase_known_day=np.array([1, 9, 5], np.int32),
        purchase_baskets=np.array([1, 2, 3], np.int32),
    )
    assert [part.tolist() for part in bought.purchases(6)] == [[7, 8], [1, 5], [1, 3]]
