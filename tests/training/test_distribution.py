from __future__ import annotations

import numpy as np
import pytest

from training.distribution import NextPurchase, bin_ends, bin_of, horizons, median_days

ENDS = np.array([1, 2, 4, 7, 10, 14, 21, 28])


def test_bins_end_at_every_horizon() -> None:
    assert bin_ends((7, 14, 28)).tolist() == ENDS.tolist()
    assert bin_ends((7, 14, 30, 60)).tolist() == [1, 2, 4, 7, 10, 14, 21, 28, 30, 60]
    assert bin_of(np.array([1.0, 3.0, 28.0, 29.0, np.nan]), ENDS).tolist() == [0, 2, 7, 8, 8]


def test_horizons_are_those_asked_for_and_the_standard_ones_below() -> None:
    assert horizons((10, 60)) == (7, 10, 14, 28, 60)
    assert horizons((3, 14)) == (3, 7, 14)


@pytest.mark.parametrize(
    ("reached", "days"),
    [
        # half way from day 4 to day 7 is 5.5, and half a day for counting whole days
        ([0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95], 6.0),
        # half way through day 1; its number is 1
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1.0),
        # reached exactly at the end of a bin
        ([0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95], 7.0),
        # a quarter by day 28: the rate ln(4/3)/28 goes on, ln 2 / ln(4/3) * 28 = 67.46
        ([0.0, 0.0, 0.0, 0.1, 0.1, 0.2, 0.2, 0.25], 67.46),
        # nobody ever comes
        ([0.0] * 8, 365.0),
    ],
)
def test_median_by_hand(reached: list[float], days: float) -> None:
    assert median_days(ENDS, np.array([reached]))[0] == pytest.approx(days, abs=0.005)


def test_chances_between_bins_are_on_the_line() -> None:
    answer = NextPurchase(ENDS, np.array([[0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95]]))
    named = answer.answers((28, 3))
    assert list(named) == ["p3", "p7", "p14", "p28", "days"]
    assert [float(named[name][0]) for name in ("p7", "p14", "p28")] == [0.6, 0.8, 0.95]
    assert answer.within(3)[0] == pytest.approx(0.3)
    assert answer.within(0.5)[0] == pytest.approx(0.05)
    assert answer.within(56)[0] == pytest.approx(1 - 0.05**2)


def test_the_median_of_one_is_to_the_last_bit_that_among_many() -> None:
    draw = np.random.default_rng(0)
    reached = np.minimum(np.cumsum(draw.dirichlet([0.3] * 9, size=2_000)[:, :-1], axis=1), 1.0)
    reached[::50] = 0.0
    together = median_days(ENDS, reached)
    alone = [median_days(ENDS, row[None])[0] for row in reached]
    np.testing.assert_array_equal(alone, together)
    assert len(set(np.searchsorted(ENDS, together))) > 8
