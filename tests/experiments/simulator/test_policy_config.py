"""Audiences and the logging rules: what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.simulator.policy_config import FOREVER, Audience, Logging
from features.errors import UserError


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Audience(silent=(9, 9)), r"silent of an audience is \[9, 9\]"),
        (lambda: Audience(tenure=(-1, 9)), r"tenure of an audience is \[-1, 9\]"),
        (lambda: Audience(expiry=(1, 2, 3)), r"expiry of an audience is \[1, 2, 3\]"),  # type: ignore[arg-type]
        (lambda: Audience(months=(0,)), "from 1 to 12"),
        (lambda: Audience(months=()), "from 1 to 12"),
        (lambda: Logging(daily_chance=1.1), "daily_chance is 1.1"),
        (lambda: Logging(rest_days=-1), "rest_days is -1"),
        (lambda: Logging(exploration=2), "exploration is 2"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make()


def test_an_audience_is_everybody_unless_told() -> None:
    assert Audience() == Audience(silent=(0, FOREVER), tenure=(0, FOREVER), months=tuple(range(1, 13)))
