"""The pass over rows with a day; `test_online.py` compares it with plain Python."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from features.declarations import ROW_COLUMNS, Feature
from features.evaluators.online_days import DayPlan

MEASURES = ("lines", "fuel_lines")
DAY = np.array([990, 995, 998], np.int32)
VALUES = np.array([[3, 1, 2], [0, 1, 2]], np.int32)


def feature(name: str, op: str, column: str = "", where: str = "", days: int | None = None) -> Feature:
    return Feature(name, "money", "u", "m", "m", op, column, where, days)


def values(*features: Feature, day=DAY, cells=VALUES, as_of=1000) -> dict[str, float]:
    plan = DayPlan(features, MEASURES)
    return dict(zip(plan.names, plan.values(day, cells, as_of), strict=True))


@pytest.mark.parametrize("column", ROW_COLUMNS)
def test_every_column_of_a_row_is_known(column):
    expected = {
        "age": [10, 5, 2],
        "gap": [5, 3],
        "gap_squared": [25, 9],
        "rank": [3, 2, 1],
        "recency": [2, 2, 2],
        "weekday": [(day + 3) % 7 for day in DAY.tolist()],
        # Blocks of 7 days back from 1000: 993 to 999 and 986 to 992.
        "opens_week": [1, 1, 0],
    }[column]
    found = values(
        *(feature(op, op, column) for op in ("sum", "min", "max", "last")),
        feature("late", "sum", column, days=5),
        feature("where", "sum", column, where="lines > 1"),
    )
    assert (found["sum"], found["min"], found["max"]) == (sum(expected), min(expected), max(expected))
    assert found["last"] == expected[-1]
    assert found["late"] == sum(expected[-2:])
    assert found["where"] == sum(expected) - expected[-2]


def test_the_latest_row_that_fulfils_a_condition():
    found = values(
        feature("fuel", "min", "age", "fuel_lines > 0"),
        feature("none", "min", "age", "fuel_lines > 5"),
        feature("second", "min", "age", "rank = 2"),
        feature("first", "max", "age", "fuel_lines > 0"),
        feature("recent", "min", "age", "lines = 3", days=5),
    )
    assert (found["fuel"], found["second"], found["first"]) == (2, 5, 5)
    assert np.isnan([found["none"], found["recent"]]).all()


def test_a_first_visit_has_no_gap():
    found = values(
        feature("gap", "last", "gap"),
        feature("least", "min", "gap_squared"),
        feature("known", "count", where="gap IS NOT NULL"),
        feature("not_long", "count", where="NOT (gap > 3)"),
        day=DAY[:1],
        cells=VALUES[:, :1],
    )
    assert np.isnan([found["gap"], found["least"]]).all()
    assert (found["known"], found["not_long"]) == (0, 0)


def test_sums_go_beyond_32_bits():
    found = values(
        feature("lines", "sum", "lines"),
        feature("squares", "sum", "gap_squared"),
        day=np.array([0, 50_000, 100_000], np.int32),
        cells=np.array([[2**40, 1, 1], [0, 0, 0]], np.int64),
        as_of=100_001,
    )
    assert (found["lines"], found["squares"]) == (2**40 + 2, 2 * 50_000**2)
    day = np.array([0, 50_000], np.int32)
    far = values(feature("squares", "sum", "gap_squared"), day=day, cells=VALUES[:, :2], as_of=50_001)
    assert far["squares"] == 50_000**2


def test_without_rows_counts_are_0_and_the_rest_unknown():
    plan = DayPlan(
        [feature("n", "count"), feature("age", "min", "age"), feature("s", "sum", "lines")], MEASURES
    )
    found = dict(zip(plan.names, plan.empty, strict=True))
    assert (found["n"], found["s"]) == (0, 0)
    assert np.isnan(found["age"])


def test_threads_do_not_share_what_they_work_on():
    plan = DayPlan(
        [feature("lines", "sum", "lines"), feature("fuel", "min", "age", "fuel_lines > 0")], MEASURES
    )

    def once(i: int) -> bool:
        cells = VALUES + i
        return plan.values(DAY, cells, 1000) == [float(cells[0].sum()), 2.0]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(400)))


def test_a_plan_without_features_has_no_values():
    assert DayPlan([], MEASURES).values(DAY, VALUES, 1000) == []
