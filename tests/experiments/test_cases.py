from __future__ import annotations

import numpy as np

from experiments.cases import Case, Visits

DAY = 17_600


def test_a_visit_counts_from_the_day_after_to_the_horizons_last() -> None:
    visits = Visits.of(np.array(["1", "2", "2", "3"]), np.array([DAY, DAY + 1, DAY + 1, DAY + 8]), DAY + 20)
    asked = [Case("a", name, DAY, True, True, 1.0) for name in ("1", "2", "3", "nobody", "0")]
    assert visits.came(asked, 7).tolist() == [False, True, False, False, False]
    assert visits.came(asked, 8).tolist() == [False, True, True, False, False]
    nothing = Visits.of(np.array([], dtype=object), np.array([], dtype=np.int64), DAY)
    assert nothing.came(asked, 8).tolist() == [False] * 5
    assert nothing.spent(asked, 8).tolist() == [0] * 5


def test_money_counts_from_the_day_after_to_the_horizons_last() -> None:
    days = DAY + np.array([0, 1, 1, 7, 8])
    visits = Visits.of(
        np.array(["1", "1", "1", "1", "2"]), days, DAY + 20, np.array([1, 20, 300, 4000, 50_000])
    )
    asked = [Case("a", name, DAY, True, True, 1.0) for name in ("1", "2", "nobody")]
    assert visits.spent(asked, 7).tolist() == [4320, 0, 0]
    assert visits.spent(asked, 8).tolist() == [4320, 50_000, 0]
