"""Figures of bases whose figures are known: clockwork customers, one who leaves, one who is not active."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from experiments.simulator import reality_figures
from experiments.simulator.reality_baskets import Baskets
from experiments.simulator.reality_figures import DAYS, MONTH, SELECTED_DAYS, figures
from features.errors import UserError

Row = tuple[int, int, int, int, bool]
MONTHS = DAYS // MONTH


def baskets(rows: Iterable[Row]) -> Baskets:
    customer, day, lines, spend, fuel = zip(*rows, strict=True)
    return Baskets(
        np.array(customer), np.array(day), np.array(lines), np.array(spend), np.array(fuel, dtype=np.bool_)
    )


def weekly(customer: int, until: int = DAYS, every: int = 7, lines: int = 2, spend: int = 1000) -> list[Row]:
    return [(customer, day, lines, spend, True) for day in range(0, until, every)]


LAST_DAY = [(2, DAYS - 1, 1, 1, False)]
"""Somebody who is not active keeps the data as long as they have to be."""


def test_clockwork_customers_have_exact_figures() -> None:
    found = figures(baskets([*weekly(0), *weekly(1, every=14, lines=5, spend=4000), *LAST_DAY]))
    assert (found.customers, found.active, found.active_share) == (3, 2, 2 / 3)
    assert sorted(set(found.gaps)) == [7, 14]
    np.testing.assert_allclose(found.visits_per_week, [1, 0.5])
    # Means of 1 and 4 extra lines, whose median is 2.5.
    np.testing.assert_allclose(found.extra_lines, [0.4, 1.6])
    # 40 baskets of 10.00 and 20 of 40.00: the median is 10.00.
    assert sorted(set(found.fuel_basket_spend)) == [1, 4]
    assert found.repeat_share == 1
    np.testing.assert_allclose(found.retention, 1)
    # The best fifth of two customers is two fifths of the better one, who spends 800 of 1200.
    assert found.top_20_share == pytest.approx(0.4 * 800 / 1200)


def test_who_leaves_stays_in_the_figures() -> None:
    left = SELECTED_DAYS + 2 * MONTH
    found = figures(baskets([*weekly(0), *weekly(1, until=left), *LAST_DAY]))
    np.testing.assert_allclose(found.visits_per_week, [1, 0.2])
    # Of 9 x 1 + 2 months with a successor, one is the last of who left.
    assert found.repeat_share == pytest.approx(10 / 11)
    np.testing.assert_allclose(found.retention, [1, 1, *[0.5] * 7])


def test_two_baskets_of_a_day_are_one_visit() -> None:
    rows = [*weekly(0), (0, SELECTED_DAYS, 1, 1000, True), *LAST_DAY]
    found = figures(baskets(rows))
    np.testing.assert_allclose(found.visits_per_week, [1])
    assert len(found.lines) == 41
    assert min(found.gaps) == 7


def test_purchases_after_the_period_change_nothing() -> None:
    rows = [*weekly(0), *LAST_DAY]
    longer = figures(baskets([*rows, (0, DAYS, 9, 9_000_000, True), (3, DAYS + 40, 1, 5, True)]))
    shorter = figures(baskets(rows))
    assert longer.customers == shorter.customers
    np.testing.assert_array_equal(longer.gaps, shorter.gaps)
    assert longer.value_of_all.value_cents == shorter.value_of_all.value_cents


def test_a_month_that_has_not_ended_is_not_counted_as_lost() -> None:
    # First seen on day 30, so the last month since then ends after the data.
    late = [row for row in weekly(1) if row[1] >= 30]
    found = figures(baskets([*weekly(0), *late, *LAST_DAY]))
    np.testing.assert_allclose(found.retention, 1)


def test_without_fuel_there_is_no_spend_of_fuel() -> None:
    rows = [(*row[:4], False) for row in weekly(0)]
    assert len(figures(baskets([*rows, *LAST_DAY])).fuel_basket_spend) == 0


def test_too_short_a_period_and_nobody_active_are_refused() -> None:
    with pytest.raises(UserError, match=f"span 30 days, and the figures need {DAYS}"):
        figures(baskets([(0, 0, 1, 100, False), (0, 29, 1, 100, False)]))
    with pytest.raises(UserError, match="no customer is active"):
        figures(baskets([(0, 0, 1, 100, False), *LAST_DAY]))


def test_months_of_retention_lie_behind_the_selected_ones() -> None:
    assert reality_figures.RETENTION_MONTHS[0] * MONTH == SELECTED_DAYS
    assert (reality_figures.RETENTION_MONTHS[-1] + 2) * MONTH == DAYS
