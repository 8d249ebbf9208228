"""Numbers as pictures and tables of a report show them."""

from __future__ import annotations

import pytest

from training.reporting import profit, style


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.85, 3, "0.850"),
        (6.2839, 4, "6.284"),
        (99.96, 3, "100"),
        (9838.7, 4, "9,839"),
        (17440.4, 4, "17,440"),
        (-1234567.0, 3, "-1,234,567"),
        (7.333e-05, 4, "0.00007333"),
        (3.53e-05, 3, "0.0000353"),
        (1e-12, 3, "0.0"),
    ],
)
def test_a_large_number_keeps_its_digits_and_needs_no_power_of_ten(
    value: float, digits: int, shown: str
) -> None:
    assert style.number(value, digits) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(22430.0, "22,430"), (5e-06, "0.000005000"), (0.1442, "0.1442"), (0.0, "0"), (float("nan"), "-")],
)
def test_a_fact_needs_no_power_of_ten(value: float, shown: str) -> None:
    assert style.fact(value) == shown


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(0.004, 0, "0.4%"), (0.0002, 1, "0.02%"), (0.0, 0, "0%"), (0.31, 0, "31%"), (1e-9, 0, "under 0.001%")],
)
def test_a_small_share_does_not_read_as_nothing(value: float, digits: int, shown: str) -> None:
    assert profit.share(value, digits) == shown
