from __future__ import annotations

from pathlib import Path

import numpy as np

from serving.decisions.decided import LARGEST
from tests.serving.decision_catalogue import catalogue, columns, decide


def test_the_list_of_all_is_that_of_each(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {"id": "a", "value_cents": "spend_28", "channels": ["cashier", "receipt"]},
        {"id": "b", "value_cents": "50"},
        {"id": "c", "eligible": "spend_28 > 70"},
    )
    found = decide(given, "till", columns(spend_28=[0.0, 40.0, 100.0, np.nan]))
    row, rank, pair = found.listed()
    told = [
        (customer, choice.rank, choice.pair, choice.expected_value_cents)
        for customer in range(4)
        for choice in found.ranked(customer)
    ]
    assert [*zip(row, rank, pair, found.expected[row, pair], strict=True)] == told
    assert [(found.offers.actions[found.offers.pair_action[one]].id) for one in pair[row == 2]] == [
        "a",
        "c",
        "b",
    ]
    assert [choice.rank for choice in found.ranked(2, 2)] == [1, 2]


def test_numbers_beyond_exact_cents_are_an_error_of_the_catalogue(tmp_path: Path) -> None:
    given = catalogue(tmp_path, {"id": "a", "value_cents": "spend_28", "propensity": "0"}, {"id": "b"})
    for amount in (LARGEST * 2, np.inf, -np.inf, np.nan):
        found = decide(given, "till", columns(spend_28=[amount]))
        assert [choice.action.id for choice in found.ranked(0)] == ["b"]
