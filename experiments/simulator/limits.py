"""Checks of a world's configuration: each refuses an impossible value in one sentence that names it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence, Sized
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import available_timezones

from features.clock import zone
from features.errors import UserError, unknown

MOST: Final = 10**6
"""Of anything that has no tighter limit of its own."""
MOST_MONEY: Final = 1e6
"""Currency units of a price or a cost: with the three limits below, cents fit into int64."""
MOST_OF_LINE: Final = 1e7
"""Currency units of a mean line."""
MOST_FACTOR: Final = 100.0
MOST_SPREAD: Final = 1.5
"""Standard deviation of a logarithm: one in forty is twenty times the median."""
MOST_CODES: Final = 127
"""Of things that stand in tables by a number of eight bits."""
MOST_ELASTICITY, MOST_VOLATILITY = 5.0, 0.2
"""Of a mean customer, and of a price: ten times as sensitive a one still makes no number without end."""
FIRST, LAST = date(1971, 1, 1), date(2100, 12, 31)
"""Days on which a world may begin."""


def number(what: str, value: Any, *, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number from `least` to `most`.

    Raises:
        UserError: something else was given.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        ends = " ".join(
            f"{word} {end:g}" for word, end in (("from", least), ("to", most)) if math.isfinite(end)
        )
        raise UserError(f"{what} is {value!r}; it has to be {f'a number {ends}' if ends else 'a number'}.")
    if not math.isfinite(value):
        raise UserError(f"{what} is {value!r}; it has to be a finite number.")
    return float(value)


def share(what: str, value: Any) -> float:
    """A share or a chance, from 0 to 1.

    Raises:
        UserError: something else was given.
    """
    return number(what, value, least=0, most=1)


def above(what: str, value: Any, bound: float = 0, *, most: float = math.inf) -> float:
    """A finite number above `bound`, at most `most`.

    Raises:
        UserError: something else was given.
    """
    if number(what, value) <= bound:
        raise UserError(f"{what} is {value!r}; it has to be above {bound:g}.")
    return number(what, value, most=most)


def few(what: str, values: Sized) -> None:
    """No more than can be told apart in a table.

    Raises:
        UserError: there are more.
    """
    if len(values) > MOST_CODES:
        raise UserError(f"there are {len(values)} {what}; {MOST_CODES} are the most. Leave some out.")


def whole(what: str, value: Any, *, least: int = 0, most: int = MOST) -> int:
    """A whole number of `least` or more, at most `most`.

    Raises:
        UserError: something else was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"{what} is {value!r}; it has to be a whole number of {least} or more.")
    if value > most:
        raise UserError(f"{what} is {value!r}; it has to be a whole number from {least} to {most}.")
    return value


def day(what: str, value: Any) -> date:
    """A date of the years in which worlds may lie.

    Raises:
        UserError: something else was given.
    """
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UserError(f"{what} is {value}; it has to be a date, without an hour.")
    if not FIRST <= value <= LAST:
        raise UserError(f"{what} is {value}; it has to be from {FIRST} to {LAST}.")
    return value


def time_zone(name: str) -> None:
    """The IANA name of a time zone.

    Raises:
        UserError: there is none of that name; one near to it is suggested.
    """
    try:
        zone(name)
    except UserError:
        near = difflib.get_close_matches(name, sorted(available_timezones()), n=1, cutoff=0.8)
        hint = f"Hint: did you mean {near[0]!r}?" if near else "Write one like 'Asia/Shanghai'."
        raise UserError(f"time zone not found: {name!r}. {hint}") from None


def weights(what: str, values: Sequence[Any], *, count: int | None = None) -> None:
    """Numbers of 0 or more that are not all 0.

    Raises:
        UserError: something else was given, or another count than `count`.
    """
    if count is not None and len(values) != count:
        raise UserError(f"{what} has {len(values)} numbers; it has to have {count}.")
    if sum(number(f"a number of {what}", value, least=0, most=MOST) for value in values) <= 0:
        raise UserError(f"{what} is {list(values)}; one of its numbers has to be above 0.")


def whole_of(what: str, shares: Iterable[float]) -> None:
    """Shares that make up 1.

    Raises:
        UserError: they do not.
    """
    if abs((total := sum(shares)) - 1) > 1e-6:  # noqa: PLR2004 (what decimal fractions lose in a sum)
        raise UserError(f"{what} add up to {total:g}; they have to make 1.")


def distinct(what: str, names: Sequence[str]) -> None:
    """One or more different names.

    Raises:
        UserError: there is none, or one stands twice.
    """
    if not names:
        raise UserError(f"no {what} is given; one or more are needed.")
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise UserError(f"the name of a {what} is {name!r}; it has to be a text.")
        if names.count(name) > 1:
            raise UserError(f"{what} {name!r} is given twice. Rename one.")


def known(what: str, name: str, names: Iterable[str]) -> str:
    """A name that is among the known ones.

    Raises:
        UserError: it is not; the nearest one is suggested.
    """
    if name not in (names := tuple(names)):
        raise unknown(what, str(name), names)
    return name
