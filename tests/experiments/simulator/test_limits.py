"""Each check takes what can be and refuses the rest in a sentence that names it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from experiments.simulator import limits
from features.errors import UserError


def test_what_can_be_passes():
    assert limits.number("x", 3, least=0) == 3.0
    assert limits.share("x", 1) == 1.0
    assert limits.above("x", 0.1) == 0.1
    assert limits.whole("x", 0) == 0
    assert limits.known("x", "a", ("a", "b")) == "a"
    limits.weights("x", (0, 1), count=2)
    limits.whole_of("x", [0.1] * 10)
    limits.distinct("x", ["a", "b"])


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: limits.number("x", "3"), "x is '3'; it has to be a number."),
        (lambda: limits.number("x", math.nan), "x is nan; it has to be a number."),
        (lambda: limits.number("x", math.inf), "x is inf; it has to be a finite number."),
        (lambda: limits.number("x", -1, least=0), "x is -1; it has to be a number from 0."),
        (lambda: limits.share("x", 1.5), "x is 1.5; it has to be a number from 0 to 1."),
        (lambda: limits.share("x", True), "x is True; it has to be a number from 0 to 1."),
        (lambda: limits.above("x", 0), "x is 0; it has to be above 0."),
        (lambda: limits.whole("x", 1.0), "x is 1.0; it has to be a whole number of 0 or more."),
        (lambda: limits.above("x", 2, most=1), "x is 2; it has to be a number to 1."),
        (lambda: limits.whole("x", 8, least=1, most=7), "x is 8; it has to be a whole number from 1 to 7."),
        (lambda: limits.day("x", "2024-01-01"), "x is 2024-01-01; it has to be a date, without an hour."),
        (lambda: limits.time_zone("UTD"), "time zone not found: 'UTD'. Write one like 'Asia/Shanghai'."),
        (lambda: limits.weights("x", (1,), count=2), "x has 1 numbers; it has to have 2."),
        (lambda: limits.weights("x", (0, 0)), "x is [0, 0]; one of its numbers has to be above 0."),
        (lambda: limits.whole_of("the shares", [0.5, 0.4]), "the shares add up to 0.9; they have to make 1."),
        (lambda: limits.distinct("shop", []), "no shop is given; one or more are needed."),
        (lambda: limits.distinct("shop", [""]), "the name of a shop is ''; it has to be a text."),
        (lambda: limits.distinct("shop", ["a", "a"]), "shop 'a' is given twice. Rename one."),
        (lambda: limits.known("shop", "ab", ("abc",)), "shop not found: 'ab'. Hint: did you mean 'abc'?"),
    ],
)
def test_what_cannot_be_is_refused(check: Callable[[], object], sentence: str):
    with pytest.raises(UserError) as refused:
        check()
    assert str(refused.value) == sentence
