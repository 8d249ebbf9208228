from __future__ import annotations

import re

from features import online
from features.declarations import COLUMNS, FAMILIES, OPERATIONS, ROW_COLUMNS
from features.sql import feature_sql
from features.tiles import MEASURE_NAMES


def test_columns_are_the_measures_and_what_a_row_knows_of_itself():
    assert (*MEASURE_NAMES, *ROW_COLUMNS) == COLUMNS
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert not set(COLUMNS) & {"customer_id", "day", "known_day", "as_of"}


def test_operations_are_those_of_the_type():
    assert OPERATIONS == ("count", "sum", "min", "max", "last")


def test_names_are_plain():
    for name in (*COLUMNS, *FAMILIES):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


def test_both_engines_know_every_column_of_a_row():
    import numpy as np

    rows = online._Rows(np.array([990, 995]), np.zeros((2, len(MEASURE_NAMES)), np.int64), 1000)
    expected = {
        "age": [10, 5],
        "gap": [0, 5],
        "gap_squared": [0, 25],
        "rank": [2, 1],
        "recency": [5, 5],
        "weekday": [(990 + 3) % 7, (995 + 3) % 7],
        "opens_week": [1, 1],
    }
    assert {name: rows.whole(name).tolist() for name in ROW_COLUMNS} == expected
    assert np.isnan(rows.number("gap")[0])
    assert feature_sql(["sd_gap_all", "weekend_share_91", "active_weeks_13", "longer_gaps_all"], ())
