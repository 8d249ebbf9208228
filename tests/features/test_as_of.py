from __future__ import annotations

import pytest

from features.as_of import as_of_day, known_day
from features.canonical import Canonical
from features.clock import to_date
from features.errors import ExitCode, UserError


@pytest.fixture(scope="module")
def canonical(make_workspace):
    days = (100, 110)
    return Canonical.open(
        make_workspace([{"customer_id": "a", "day": day, "amount_cents": 1} for day in days])
    )


def test_without_a_date_it_is_the_clock(canonical):
    assert as_of_day(canonical, None) == 111
    assert as_of_day(canonical, str(to_date(101))) == 101


def test_a_date_before_the_data_or_none_at_all_is_refused(canonical):
    with pytest.raises(
        UserError, match=r"1970-04-11 is not after the first transaction.*like 1970-04-22"
    ) as e:
        as_of_day(canonical, str(to_date(100)))
    assert e.value.exit_code is ExitCode.USAGE
    with pytest.raises(UserError, match="Write it as YYYY-MM-DD"):
        as_of_day(canonical, "5 June")


def test_a_day_after_the_clock_is_not_known(canonical):
    assert known_day(canonical, 111) == 111
    with pytest.raises(UserError, match="1970-04-23 is after the workspace's clock, 1970-04-22") as e:
        known_day(canonical, 112)
    assert e.value.exit_code is ExitCode.USAGE
