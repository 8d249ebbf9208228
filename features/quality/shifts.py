"""Shifts: what is different in the rows that an ingest brought from the rows that were there before.

New rows are compared with the recent rows of the previous profile, not totals with totals: in the total of a
year a bad day does not show. A difference beyond its bound is a warning, never a refusal: a source may well
have changed. Without a previous profile there is nothing to compare, and nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from features.clock import to_date
from features.errors import UserError, unknown
from features.quality.profile import Days, Profile, TableProfile

# A mean of few rows moves by chance: so many standard errors it does not.
_ERRORS: Final = 4
# A choice of which so many rows were to be expected does not stay away by chance.
_EXPECTED: Final = 20


@dataclass(frozen=True)
class Bounds:
    """How far new rows may be from what was there: `[quality]` of `source.toml`.

    Attributes:
        rows_per_day: least ratio of rows per day, new to recent; its inverse is the largest.
        missing: largest rise of the share of rows without a value, per column.
        mean: largest relative move of a mean, per column of numbers.
        choices: share of rows from which a choice counts that is new or has vanished, per column of choices.
        late: largest rise of the share of rows that became known on a later day than they happened.
        gap_days: most days between the last day there was and the first new one, or between new ones, unless
            there have been longer gaps.
        least_rows: with fewer new rows only gaps are looked at.
    """

    rows_per_day: float = 0.5
    missing: float = 0.05
    mean: float = 0.25
    choices: float = 0.01
    late: float = 0.05
    gap_days: int = 14
    least_rows: int = 100

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> Bounds:
        """The bounds of a parsed section.

        Raises:
            UserError: a key is not known, or its value is no bound.
        """
        whole = {field.name for field in fields(cls) if isinstance(field.default, int)}
        for key, value in section.items():
            if key not in {field.name for field in fields(cls)}:
                raise unknown("key of [quality]", key, [field.name for field in fields(cls)])
            number = isinstance(value, int) if key in whole else isinstance(value, (int, float))
            if isinstance(value, bool) or not number or not 0 < value < float("inf"):
                kind = "a whole number" if key in whole else "a number"
                raise UserError(f"[quality] {key} is {value!r}: it has to be {kind} above 0.")
        if section.get("rows_per_day", 0.5) > 1:
            raise UserError(
                f"[quality] rows_per_day is {section['rows_per_day']!r}: it is the least ratio, at most 1."
            )
        return cls(**section)


@dataclass(frozen=True)
class Shift:
    """One difference beyond its bound.

    Attributes:
        table: its table.
        column: stored column; empty when it is about whole rows.
        what: rows_per_day, missing, mean, new_choice, lost_choice, late, last_day or gap_days.
        before: the measure before: a ratio, share, mean, day or number of days.
        now: the measure of the new rows.
        bound: how far they may be apart; 0 where there is no bound to set.
        says: the same as a sentence.
    """

    table: str
    column: str
    what: str
    before: float
    now: float
    bound: float
    says: str


def compare(
    name: str, earlier: TableProfile, new: Profile, after: Profile | None, bounds: Bounds
) -> list[Shift]:
    """The shifts of one table.

    Args:
        name: the table.
        earlier: its previous profile.
        new: profile of the rows that this ingest brought.
        after: of these, the rows of days after the previous last day; None for a table of things.
        bounds: how far they may be apart.
    """
    usual = earlier.recent or earlier.whole
    found: list[Shift] = []
    if earlier.whole.days and after and after.days:
        found += _gap(name, earlier.whole.days, after.days, bounds)
    if not usual.rows or new.rows < bounds.least_rows:
        return found
    if usual.days and new.days:
        found += _days(name, usual.days, new, after, bounds)
    for column in new.columns:
        # A column that a newer version has declared has no past.
        if column in usual.columns:
            found += _column(name, column, usual, new, bounds)
    return found


def _gap(name: str, before: Days, now: Days, bounds: Bounds) -> Iterator[Shift]:
    gap = max(now.first - before.last, now.longest_gap)
    if gap > bounds.gap_days and gap > before.longest_gap:
        says = (
            f"{name}: {gap} days without a row, up to {to_date(now.last)}, the last day now; it was "
            f"{to_date(before.last)} (at most {bounds.gap_days} days)"
        )
        yield Shift(name, "", "gap_days", before.longest_gap, gap, bounds.gap_days, says)


def _days(name: str, usual: Days, new: Profile, after: Profile | None, bounds: Bounds) -> Iterator[Shift]:
    assert new.days is not None
    last = usual.last
    if after is None or after.days is None:
        says = f"{name}: {new.rows:,} new rows, but the last day is still {to_date(last)}"
        yield Shift(name, "", "last_day", last, last, 0, says)
    else:
        now = after.rows / (after.days.last - last)
        ratio = now / usual.rows_per_day
        if not bounds.rows_per_day <= ratio <= 1 / bounds.rows_per_day:
            says = (
                f"{name}: {now:,.4g} rows a day since {to_date(last)}, {ratio:.2g} times the "
                f"{usual.rows_per_day:,.4g} before (at least {bounds.rows_per_day:g}, at most "
                f"{1 / bounds.rows_per_day:g} times)"
            )
            yield Shift(name, "", "rows_per_day", usual.rows_per_day, now, bounds.rows_per_day, says)
    if new.days.late - usual.late > bounds.late:
        says = (
            f"{name}: {new.days.late:.1%} of the new rows became known on a later day, "
            f"{usual.late:.1%} before (at most {bounds.late:.1%} more)"
        )
        yield Shift(name, "", "late", usual.late, new.days.late, bounds.late, says)


def _column(name: str, column: str, usual: Profile, new: Profile, bounds: Bounds) -> Iterator[Shift]:
    before, now = usual.columns[column], new.columns[column]
    where = f"{name}.{column}"
    if now.missing - before.missing > bounds.missing:
        says = (
            f"{where}: missing in {now.missing:.1%} of the new rows, {before.missing:.1%} before "
            f"(at most {bounds.missing:.1%} more)"
        )
        yield Shift(name, column, "missing", before.missing, now.missing, bounds.missing, says)
    if before.mean and now.mean is not None and _moved(column, usual, new, bounds):
        says = (
            f"{where}: the mean of the new rows is {now.mean:,.6g}, {before.mean:,.6g} before "
            f"(at most {bounds.mean:.0%} off)"
        )
        yield Shift(name, column, "mean", before.mean, now.mean, bounds.mean, says)
    # A column whose choices have become too many is no column of choices; without values it is missing.
    if before.shares and now.shares:
        values = new.rows * (1 - now.missing)
        for choice in sorted({*before.shares, *now.shares}):
            was, share = before.shares.get(choice, 0.0), now.shares.get(choice, 0.0)
            if not was and share >= bounds.choices:
                says = f"{where}: {choice!r} is new, in {share:.1%} of the new rows"
                yield Shift(name, column, "new_choice", 0, share, bounds.choices, says)
            if not share and was >= bounds.choices and was * values >= _EXPECTED:
                says = f"{where}: {choice!r} is not in the new rows, it was in {was:.1%}"
                yield Shift(name, column, "lost_choice", was, 0, bounds.choices, says)


def _moved(column: str, usual: Profile, new: Profile, bounds: Bounds) -> bool:
    """Whether a mean moved beyond its bound, and further than chance moves it."""
    before, now = usual.columns[column], new.columns[column]
    assert before.mean is not None
    assert now.mean is not None
    counts = [rows.rows * (1 - rows.columns[column].missing) for rows in (usual, new)]
    error = (before.sd or 0.0) * sum(1 / count for count in counts) ** 0.5
    return bool(abs(now.mean - before.mean) > max(bounds.mean * abs(before.mean), _ERRORS * error))
