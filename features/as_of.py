"""The --as-of option of commands that look at the data of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from features.clock import parse_date, to_date, to_day
from features.errors import ExitCode, UserError

if TYPE_CHECKING:
    from features.canonical import Canonical

AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DATE", help="First day that is not known. Default: the workspace's clock."
    ),
]


def as_of_day(canonical: Canonical, as_of: str | None) -> int:
    """The day of an --as-of option; the workspace's clock if it is not given.

    Raises:
        UserError: it is not a date, or no transaction was known before it.
    """
    if as_of is None:
        return canonical.clock_day
    day = to_day(parse_date(as_of))
    if day <= canonical.first_day:
        raise UserError(
            f"as-of {as_of} is not after the first transaction ({to_date(canonical.first_day)}): "
            f"nothing was known. Give a later date, like {to_date(canonical.clock_day)}.",
            ExitCode.USAGE,
        )
    return day


def known_day(canonical: Canonical, day: int) -> int:
    """The day, for work that keeps or compares what it finds; `as_of_day` alone would let a later one pass.

    Raises:
        UserError: it is after the workspace's clock.
    """
    if day > canonical.clock_day:
        raise UserError(
            f"as-of {to_date(day)} is after the workspace's clock, {to_date(canonical.clock_day)}: days "
            "that nothing is known of would count as days without a visit. Ingest newer data, or use an "
            "earlier date.",
            ExitCode.USAGE,
        )
    return day
