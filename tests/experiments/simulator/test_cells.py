"""Columns of tables: codes as words, and nothing where nothing is."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from experiments.simulator.cells import instants, numbers, rank, words
from experiments.simulator.codes import NONE, ServiceKind


def test_codes_become_words() -> None:
    assert words(["a", "b"], np.array([1, NONE, 0])).to_pylist() == ["b", None, "a"]
    assert words(ServiceKind, np.array([1, 4], dtype=np.int8)).to_pylist() == ["rating", "referral"]
    assert words(np.array(["x", "y"]), np.array([True, False])).to_pylist() == ["y", "x"]


def test_microseconds_become_instants() -> None:
    assert instants(np.array([0, NONE, 1_500_000])).to_pylist() == [
        datetime(1970, 1, 1),  # noqa: DTZ001 (UTC in tables)
        None,
        datetime(1970, 1, 1, 0, 0, 1, 500_000),  # noqa: DTZ001
    ]


def test_missing_numbers_have_no_value() -> None:
    assert numbers(np.array([1.5, 2.0]), np.array([False, True])).to_pylist() == [1.5, None]


def test_rows_are_numbered_within_their_person() -> None:
    assert rank(np.array([3, 3, 5, 8, 8, 8])).tolist() == [0, 1, 0, 0, 1, 2]
