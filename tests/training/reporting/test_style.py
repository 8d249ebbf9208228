"""Numbers as pictures and tables of a report show them."""

from __future__ import annotations

import pytest

from training.reporting import style


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.85, 3, "0.850"),
        (6.2839, 4, "6.284"),
        (99.96, 3, "100"),
        (9838.7, 4, "9,839"),
        (17440.4, 4, "17,440"),
        (-1234567.0, 3, "-1,234,567"),
    ],
)
def test_a_large_number_keeps_its_digits_and_needs_no_power_of_ten(
    value: float, digits: int, shown: str
) -> None:
    assert style.number(value, digits) == shown
