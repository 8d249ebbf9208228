from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import NAMES
from features.evaluators.offline import FeatureMatrix
from training import usual_range
from training.datasets import Snapshots
from training.usual_range import History, Usual, learn

from .conftest import AS_OF


def history(values: list[list[float]]) -> History:
    """What was seen of customers with these values."""
    count = np.array([len(own) for own in values], dtype=np.float64)
    total = np.array([sum(own, 0.0) for own in values])
    squares = np.array([sum((value**2 for value in own), 0.0) for own in values])
    return History(count, total, squares, count)


def drawn(seed: int, customers: int = 3000, values: int = 12) -> tuple[History, np.ndarray, np.ndarray]:
    """Customers with means from 20 to 200, values around them with a tenth of that as deviation."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(20.0, 200.0, customers)
    seen = rng.normal(mean[:, None], mean[:, None] / 10.0, (customers, values + 2))
    return history(seen[:, :-2].tolist()), seen[:, -2], seen[:, -1]


def test_nine_of_ten_later_values_are_inside_half_of_the_others_on_either_side() -> None:
    before, then, later = drawn(1)
    low, high = learn(before, then).range(before)
    assert np.mean(later < low) == pytest.approx(0.05, abs=0.015)
    assert np.mean(later > high) == pytest.approx(0.05, abs=0.015)


def test_a_range_is_the_customer_s_own() -> None:
    before, then, _ = drawn(2)
    usual = learn(before, then)
    small, large = (history([[value - 2.0, value, value + 2.0] * 4]) for value in (30.0, 180.0))
    assert usual.range(small)[1][0] < 40.0
    assert usual.range(large)[0][0] > 150.0
    assert usual.k < 1.0


def test_the_formula_by_hand() -> None:
    usual = Usual(k=2.0, mean=10.0, variation=0.5, low=-1.0, high=2.0)
    # Own mean 4 of 2 values, weight 2 / (2 + 2): 7. Variance: (own 2, freedom 1; 5 more of (0.5 * 7)^2) / 6.
    mean, deviation = usual.centre(history([[3.0, 5.0]]))
    assert mean.tolist() == [7.0]
    assert deviation[0] == pytest.approx(np.sqrt((2.0 + 5 * 3.5**2) / 6.0))
    low, high = usual.range(history([[3.0, 5.0]]))
    assert (low[0], high[0]) == pytest.approx((7.0 - deviation[0], 7.0 + 2 * deviation[0]))


def test_without_own_history_it_is_that_of_all() -> None:
    nobody = history([[]])
    usual = Usual(k=2.0, mean=10.0, variation=0.5)
    assert usual.centre(nobody)[0].tolist() == [10.0]
    assert learn(nobody, np.array([np.nan])).range(nobody) == (np.array([0.0]), np.array([0.0]))
    # One value each: nothing tells customers apart from chance, so all have the same mean.
    alike = learn(history([[4.0], [8.0]]), np.array([5.0, 7.0]))
    assert alike.centre(history([[4.0], [8.0]]))[0].tolist() == [6.0, 6.0]


def matrix(**columns: list[float]) -> FeatureMatrix:
    size = len(next(iter(columns.values())))
    values = np.full((size, len(NAMES)), np.nan)
    for name, column in columns.items():
        values[:, NAMES.index(name)] = column
    ids = np.array([f"c{i}" for i in range(size)], dtype=object)
    return FeatureMatrix(ids, np.zeros(size, dtype=np.int32), NAMES, values)


def test_gaps_are_those_of_the_window_and_can_do_without_the_last() -> None:
    # Visits 20, 16, 10 and 1 days ago: gaps 4, 6, 9; the first visit of all ends none.
    own = [4.0, 6.0, 9.0]
    known = matrix(
        tenure_days=[20.0],
        visits_91=[4.0],
        mean_gap_91=[np.mean(own)],
        sd_gap_91=[np.std(own, ddof=1)],
        last_gap=[9.0],
        days_since_visit=[1.0],
    )
    whole = usual_range.gaps(known)
    assert (whole.count[0], whole.total[0], whole.squares[0]) == pytest.approx((3, 19, 133))
    before, last = usual_range.gaps_before_last(known)
    assert (before.count[0], before.total[0], before.squares[0]) == pytest.approx((2, 10, 52))
    assert last.tolist() == [9.0]


def test_gaps_of_the_planted_world_are_those_of_its_visits(snapshots: Snapshots) -> None:
    known = snapshots.features([AS_OF - 60])
    before, last = usual_range.gaps_before_last(known)
    key = snapshots.visits.key
    days = key & ((1 << 20) - 1)
    for row in range(0, len(known), 29):
        code = int(np.searchsorted(snapshots.visits.customers, known.customer_id[row]))
        own = days[(key >> 20 == code) & (days < AS_OF - 60)]
        ended = np.diff(own)[own[1:] >= AS_OF - 60 - 91]
        if len(ended):
            assert last[row] == ended[-1]
            assert before.total[row] == pytest.approx(ended[:-1].sum(), abs=1e-6)
            assert before.squares[row] == pytest.approx(np.square(ended[:-1]).sum(), rel=1e-6, abs=1e-3)
        else:
            assert np.isnan(last[row])


def test_money_of_blocks_counts_only_days_since_the_first_visit() -> None:
    known = matrix(
        tenure_days=[300.0, 56.0, 10.0],
        spend_28=[1.0, 1.0, 5.0],
        spend_56=[101.0, 51.0, 5.0],
        spend_91=[226.0, 51.0, 5.0],
        spend_182=[551.0, 51.0, 5.0],
    )
    seen = usual_range.volumes(known)
    assert seen.count.tolist() == [1 + 1.25 + 3.25, 1.0, 0.0]
    assert seen.total.tolist() == [550.0, 50.0, 0.0]
    assert seen.times.tolist() == [3.0, 1.0, 0.0]
    # 100 in every window of 28 days: nothing varies.
    assert seen.squares[0] == pytest.approx(100.0**2 * seen.count[0])
