from __future__ import annotations

import re

from features.declarations import COLUMNS_OF, DATED, FAMILIES, OPERATIONS, RELATIONS, ROW_COLUMNS
from features.measures import MEASURE_NAMES, TOUCH_NAMES


def test_columns_are_the_measures_and_what_a_row_knows_of_itself():
    assert (*MEASURE_NAMES, *ROW_COLUMNS) == tuple(COLUMNS_OF["visits"])
    assert (*TOUCH_NAMES, "age") == tuple(COLUMNS_OF["touches"])
    assert not {"customer_id", "day", "known_day", "as_of", "until_day"} & {
        column for columns in COLUMNS_OF.values() for column in columns
    }


def test_every_relation_has_columns():
    assert list(COLUMNS_OF) == list(RELATIONS)
    assert set(DATED) <= set(RELATIONS)


def test_operations_are_those_of_the_type():
    assert OPERATIONS == ("count", "sum", "min", "max", "last")


def test_names_are_plain():
    for name in (*FAMILIES, *(column for columns in COLUMNS_OF.values() for column in columns)):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
