from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from features.errors import UserError
from features.quality.profile import ColumnProfile, Days, Profile, TableProfile
from features.quality.shifts import Bounds, Shift, compare

LAST = 1000


def days(first: int, last: int, rows: int, *, gap: int = 1, late: float = 0.0) -> Days:
    each = rows // (last - first + 1)
    return Days(first, last, last - first + 1, gap, each, each, each, rows / (last - first + 1), late, 3)


def column(**changes: Any) -> ColumnProfile:
    return ColumnProfile(
        **{**dataclasses.asdict(ColumnProfile(0.0, 50, 1, 900, 300.0, 200.0, {})), **changes}
    )


USUAL: Mapping[str, ColumnProfile] = {
    "amount_cents": column(),
    "channel": column(mean=None, sd=None, shares={"app": 0.3, "shop": 0.695, "kiosk": 0.005}),
}


def earlier(**columns: ColumnProfile) -> TableProfile:
    rows = Profile(28_000, {**USUAL, **columns}, days(LAST - 27, LAST, 28_000))
    return TableProfile(rows, rows)


def delivered(
    rows: int = 2000,
    *,
    first: int = LAST + 1,
    last: int = LAST + 2,
    late: float = 0.0,
    **columns: ColumnProfile,
) -> Profile:
    return Profile(rows, {**USUAL, **columns}, days(first, last, rows, late=late))


def shifts(new: Profile, after: Profile | None = None, bounds: Bounds | None = None) -> list[Shift]:
    return compare("transactions", earlier(), new, after or new, bounds or Bounds())


def whats(found: list[Shift]) -> list[tuple[str, str]]:
    return [(shift.column, shift.what) for shift in found]


def test_rows_like_those_before_are_no_shift() -> None:
    assert shifts(delivered()) == []


@pytest.mark.parametrize(
    ("new", "column_of", "what", "words"),
    [
        (delivered(900), "", "rows_per_day", "450 rows a day since 1972-09-27, 0.45 times the 1,000 before"),
        (delivered(5000), "", "rows_per_day", "2.5 times"),
        (delivered(late=0.06), "", "late", "6.0% of the new rows became known on a later day, 0.0% before"),
        (delivered(amount_cents=column(mean=376.0)), "amount_cents", "mean", "new rows is 376, 300 before"),
        (delivered(amount_cents=column(mean=224.0)), "amount_cents", "mean", "(at most 25% off)"),
        (delivered(channel=column(missing=0.051)), "channel", "missing", "missing in 5.1% of the new rows"),
        (delivered(channel=column(shares={"shop": 1.0})), "channel", "lost_choice", "'app' is not in"),
        (
            delivered(channel=column(shares={"shop": 0.6, "app": 0.3, "fax": 0.1})),
            "channel",
            "new_choice",
            "'fax' is new, in 10.0% of the new rows",
        ),
    ],
)  # fmt: skip
def test_a_shift_is_named_with_both_numbers(new: Profile, column_of: str, what: str, words: str) -> None:
    found = shifts(new)
    assert whats(found) == [(column_of, what)]
    assert words in found[0].says


@pytest.mark.parametrize(
    "new",
    [
        delivered(1000),
        delivered(4000),
        delivered(late=0.05),
        delivered(amount_cents=column(mean=375.0)),
        delivered(channel=column(missing=0.05)),
        delivered(channel=column(shares={"shop": 0.695, "app": 0.3, "fax": 0.005})),
        # Fewer missing, fewer late: nothing to warn of.
        delivered(late=0.0, channel=column(missing=0.0, shares=USUAL["channel"].shares)),
    ],
)
def test_at_the_bound_is_within_it(new: Profile) -> None:
    assert shifts(new) == []


def test_a_mean_of_few_rows_may_move_by_chance() -> None:
    wild = {"amount_cents": column(sd=3000.0)}
    before = earlier(**wild)
    for rows, expected in ((200, []), (60_000, [("amount_cents", "mean")])):
        new = delivered(rows, last=LAST + rows // 1000 + 1, amount_cents=column(mean=400.0))
        bounds = Bounds(rows_per_day=0.01)
        assert whats(compare("transactions", before, new, new, bounds)) == expected


def test_few_rows_are_looked_at_for_gaps_only() -> None:
    assert shifts(delivered(99, amount_cents=column(mean=900.0))) == []
    found = shifts(delivered(1, first=LAST + 2900, last=LAST + 2900))
    assert whats(found) == [("", "gap_days")]
    assert "2900 days without a row, up to 1980-09-05, the last day now; it was 1972-09-27" in found[0].says


def test_a_gap_as_long_as_earlier_ones_is_usual() -> None:
    sparse = earlier()
    assert sparse.whole.days is not None
    sparse = TableProfile(
        dataclasses.replace(sparse.whole, days=dataclasses.replace(sparse.whole.days, longest_gap=30)),
        sparse.recent,
    )
    new = delivered(1, first=LAST + 30, last=LAST + 30)
    assert compare("exposures", sparse, new, new, Bounds()) == []
    assert whats(shifts(new)) == [("", "gap_days")]


def test_new_rows_of_old_days_alone_say_that_the_last_day_stands() -> None:
    new = delivered(500, first=LAST - 3, last=LAST)
    found = shifts(new, Profile(0, {}, None))
    assert whats(found) == [("", "last_day")]
    assert "500 new rows, but the last day is still 1972-09-27" in found[0].says


def test_late_rows_of_old_days_do_not_count_as_rows_of_a_day() -> None:
    new, after = delivered(2500, first=LAST - 60), delivered(2000)
    assert shifts(new, after) == []


def test_things_are_compared_without_days() -> None:
    before = TableProfile(Profile(5000, {"brand": column(shares={"A": 1.0})}, None), None)
    new = Profile(300, {"brand": column(missing=0.5, shares={"A": 1.0})}, None)
    assert whats(compare("products", before, new, None, Bounds())) == [("brand", "missing")]


def test_a_column_declared_later_has_no_past() -> None:
    assert shifts(delivered(loyalty_tier=column(missing=1.0))) == []


def test_bounds_are_adjusted() -> None:
    bounds = Bounds.read({"rows_per_day": 0.4, "mean": 1})
    assert (bounds.rows_per_day, bounds.mean, bounds.missing) == (0.4, 1, 0.05)
    assert shifts(delivered(900), bounds=bounds) == []


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"missin": 0.1}, r"key of \[quality\] not found: 'missin'. Hint: did you mean 'missing'"),
        ({"mean": 0}, "mean is 0: it has to be a number above 0"),
        ({"mean": "0.1"}, "mean is '0.1'"),
        ({"mean": True}, "mean is True"),
        ({"late": float("nan")}, "late is nan"),
        ({"gap_days": 1.5}, "gap_days is 1.5: it has to be a whole number"),
        ({"rows_per_day": 2}, "rows_per_day is 2: it is the least ratio, at most 1"),
    ],
)
def test_a_wrong_bound_is_one_sentence(section: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Bounds.read(section)
