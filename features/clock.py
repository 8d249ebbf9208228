"""Days: the platform's unit of time; and instants, which are UTC.

Instants are kept in UTC. A day is the local calendar day of the source, kept as an integer: days since
1970-01-01. An as-of T is 00:00 local of day T, the first instant that is not known.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from features.errors import UserError, unknown

EPOCH = date(1970, 1, 1)
# What is said to be from then on is a mistake, also of the end of a campaign.
END = datetime(2200, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


def to_day(when: date) -> int:
    """Days from 1970-01-01 to `when`."""
    return (when - EPOCH).days


def to_date(day: int) -> date:
    """The calendar date of a day number."""
    return EPOCH + timedelta(days=int(day))


def parse_date(text: str, *, name: str = "as-of") -> date:
    """Read a date written as YYYY-MM-DD, the one form that is accepted.

    Raises:
        UserError: the text is not such a date.
    """
    try:
        # The library reads 20171201 and 2017-W48-5, too.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise UserError(f"{name} is not a date: {text!r}. Write it as YYYY-MM-DD, like 2017-12-01.") from None


def parse_instant(text: str) -> datetime | None:
    """The UTC instant that a text states with its offset; None for a text that does not."""
    try:
        read = datetime.fromisoformat(text)
        return None if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_utc(when: datetime) -> datetime:
    """The instant in UTC; one without an offset is UTC already."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def to_microseconds(when: datetime) -> int:
    """Microseconds from 1970-01-01 00:00 UTC to an instant; one without an offset is UTC."""
    return (as_utc(when) - _BEGIN) // _STEP


def from_microseconds(microseconds: int) -> datetime:
    """The UTC instant of so many microseconds since 1970-01-01."""
    return _BEGIN + microseconds * _STEP


@cache
def zones() -> frozenset[str]:
    """The names of the IANA time zone database; not `localtime`, which is another on each computer."""
    return frozenset(available_timezones() - {"localtime"})


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name in zones():
        return ZoneInfo(name)
    # Zones of places are what a source's shops are in; the rest of the list would only hide them.
    places = {zone for zone in zones() if "/" in zone and not zone.startswith(("Etc/", "System"))}
    raise unknown("time zone", name, {"UTC", *places})
