from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import clock
from features.errors import UserError


@given(st.dates())
def test_days_and_dates_are_the_same_thing(when: date) -> None:
    assert clock.to_date(clock.to_day(when)) == when


def test_day_zero_and_a_leap_day() -> None:
    assert clock.to_day(date(1970, 1, 1)) == 0
    assert clock.to_day(date(2016, 3, 1)) - clock.to_day(date(2016, 2, 28)) == 2


def test_dates_are_iso() -> None:
    assert clock.parse_date("2017-12-01") == date(2017, 12, 1)
    for text in (
        "01/12/2017",
        "2017-13-01",
        "tomorrow",
        "",
        "20171201",
        "2017-W48-5",
        "2017-335",
        "2017-12-01\n",
    ):
        with pytest.raises(UserError, match=r"--as-of is not a date.*YYYY-MM-DD"):
            clock.parse_date(text, name="--as-of")


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_and_microseconds_are_the_same_thing(when: datetime) -> None:
    assert clock.from_microseconds(clock.to_microseconds(when)) == when
    assert clock.to_microseconds(when.replace(tzinfo=None)) == clock.to_microseconds(when)
    assert clock.parse_instant(when.isoformat()) == when


def test_an_instant_states_its_offset() -> None:
    read = clock.parse_instant("2018-01-03T08:30:00-05:00")
    assert read == datetime(2018, 1, 3, 13, 30, tzinfo=UTC)
    assert clock.to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
    for text in ("2018-01-03T08:30:00", "2018-01-03", "now", "", "0001-01-01T00:00:00+10:00"):
        assert clock.parse_instant(text) is None


def test_zones() -> None:
    assert clock.zone("Asia/Shanghai").key == "Asia/Shanghai"
    with pytest.raises(UserError, match=r"did you mean 'America/New_York'"):
        clock.zone("America/NewYork")
    for text in ("", "../etc/passwd", "Asia", "localtime"):
        with pytest.raises(UserError, match=r"time zone not found"):
            clock.zone(text)
