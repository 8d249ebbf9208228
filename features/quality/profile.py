"""Profiles: what a table holds in a few numbers, so that two deliveries of a source can be compared.

A profile depends on the rows alone: not on their order, nor on when or in how many pieces they came. Sums are
taken exactly, over integers and decimals; what is not exact is rounded to the digits that are.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb

from features import columns
from features.contract import Column, Kind, Personal, Table
from features.json_file import read_json, write_json
from features.session import parquet
from features.tables import TABLES

PROFILE_FILE: Final = "profile.json"
# What is "recent" in a table of events: what new rows are compared with. Four of every weekday.
RECENT_DAYS: Final = 28
# Up to so many different values a column is a list of choices, whose shares are worth knowing.
CHOICES: Final = 50
_NUMBERS: Final = (Kind.INT, Kind.NUMBER, Kind.MONEY)


@dataclass(frozen=True)
class ColumnProfile:
    """One stored column.

    Attributes:
        missing: share of rows without a value.
        distinct: number of different values, to a few percent.
        minimum: least value of a number or time (as text); None for texts and without values.
        maximum: largest value, likewise.
        mean: of numbers; None for others.
        sd: standard deviation of numbers; None for others.
        shares: of rows with a value, the share of each; empty when there are more than `CHOICES` different
            ones, and for ids and names.
    """

    missing: float
    distinct: int
    minimum: float | str | None
    maximum: float | str | None
    mean: float | None
    sd: float | None
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Days:
    """The days of a table of events.

    Attributes:
        first: first local day with a row, since 1970-01-01.
        last: last local day with a row.
        with_rows: number of days with a row.
        longest_gap: most days between one day with a row and the next.
        least: fewest rows on a day that has some.
        median: median of such days' rows.
        most: most rows on a day.
        rows_per_day: rows by calendar days, from the first to the last.
        late: share of rows that became known on a later day than they happened.
        latest: largest number of days by which one did.
    """

    first: int
    last: int
    with_rows: int
    longest_gap: int
    least: int
    median: float
    most: int
    rows_per_day: float
    late: float
    latest: int


@dataclass(frozen=True)
class Profile:
    """Some rows of a table.

    Attributes:
        rows: how many.
        columns: by stored name; derived days are left out.
        days: of a table of events that has rows; else None.
    """

    rows: int
    columns: Mapping[str, ColumnProfile]
    days: Days | None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Profile:
        """A profile from its plain JSON (`dataclasses.asdict`)."""
        made = {name: ColumnProfile(**column) for name, column in stored["columns"].items()}
        return cls(stored["rows"], made, Days(**stored["days"]) if stored["days"] else None)


@dataclass(frozen=True)
class TableProfile:
    """A stored table.

    Attributes:
        whole: all rows.
        recent: rows of the last `RECENT_DAYS` days of a table of events; None for a table of things.
    """

    whole: Profile
    recent: Profile | None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> TableProfile:
        """A profile from its plain JSON."""
        recent = stored["recent"]
        return cls(Profile.read(stored["whole"]), Profile.read(recent) if recent else None)


def read(folder: Path) -> dict[str, TableProfile]:
    """The profiles kept beside published tables, by table in their order; empty if there are none."""
    stored = read_json(folder / PROFILE_FILE)
    return {name: TableProfile.read(stored[name]) for name in TABLES if name in stored}


def freshness(profiles: Mapping[str, TableProfile], clock_day: int) -> dict[str, int]:
    """By table of events with rows: days without any between its last day and the clock's."""
    return {name: clock_day - 1 - each.whole.days.last for name, each in profiles.items() if each.whole.days}


def write(profiles: Mapping[str, TableProfile], folder: Path) -> None:
    """Keep profiles beside the tables."""
    write_json(folder / PROFILE_FILE, {name: asdict(profile) for name, profile in profiles.items()})


def of_table(opened: duckdb.DuckDBPyConnection, table: Table, file: Path) -> TableProfile:
    """The profile of a stored table."""
    whole = of_rows(opened, table, parquet(file))
    if whole.days is None:
        return TableProfile(whole, None)
    since = whole.days.last - RECENT_DAYS
    if since < whole.days.first:
        return TableProfile(whole, whole)
    recent = f"(SELECT * FROM {parquet(file)} WHERE {columns.DAY} > {since})"
    return TableProfile(whole, of_rows(opened, table, recent))


def of_rows(opened: duckdb.DuckDBPyConnection, table: Table, relation: str) -> Profile:
    """The profile of rows that have a table's stored columns."""
    parts = [part for column in table.columns for part in _measures(column)]
    (found,) = opened.execute(f"SELECT count(*), {', '.join(parts)} FROM {relation}").fetchall()
    rows, width = found[0], len(parts) // len(table.columns)
    made = {}
    for number, column in enumerate(table.columns):
        cells = found[1 + number * width : 1 + (number + 1) * width]
        shares = _shares(opened, column, relation) if _is_choice(column, cells[1]) else {}
        made[column.stored] = _column(column, rows, cells, shares)
    days = by_day(opened, relation) if table.event else []
    return Profile(rows, made, of_days(days) if days else None)


def _measures(column: Column) -> tuple[str, ...]:
    """SQL of: values, different values, least, largest, exact sum, standard deviation."""
    name = column.stored
    if column.kind in _NUMBERS:
        # Sums of floats depend on their order; numbers beyond 10^18 would not fit, and are left out.
        exact = f"TRY_CAST({name} AS DECIMAL(24, 6))" if column.kind is Kind.NUMBER else name
        spread = f"sum({exact})", f"stddev_samp(CAST({exact} AS DOUBLE))"
    else:
        spread = "NULL", "NULL"
    ends = ("NULL", "NULL")
    if column.kind not in (Kind.TEXT, Kind.BOOL):
        text = name if column.kind in _NUMBERS else f"CAST({name} AS VARCHAR)"
        ends = (f"min({text})", f"max({text})")
    return f"count({name})", f"least(approx_count_distinct({name}), count({name}))", *ends, *spread


def _column(column: Column, rows: int, cells: Sequence[Any], shares: Mapping[str, float]) -> ColumnProfile:
    values, distinct, least, largest, total, spread = cells
    mean = None if total is None or column.kind not in _NUMBERS else float(f"{float(total) / values:.6g}")
    return ColumnProfile(
        missing=_share(rows - values, rows),
        distinct=len(shares) or distinct,
        minimum=least,
        maximum=largest,
        mean=mean,
        sd=None if spread is None else float(f"{spread:.4g}"),
        shares=shares,
    )


def _is_choice(column: Column, distinct: int) -> bool:
    """Whether a column's values are choices: few, and neither ids nor names."""
    if column.kind is Kind.BOOL:
        return distinct > 0
    own = column.personal is not Personal.NO or column.name.endswith("_id") or column.name == "name"
    # The count is not exact, so that a little more than the limit may be the limit.
    return column.kind is Kind.TEXT and not own and 0 < distinct <= CHOICES * 1.2


def _shares(opened: duckdb.DuckDBPyConnection, column: Column, relation: str) -> dict[str, float]:
    name = column.stored
    counts = opened.execute(
        f"SELECT CAST({name} AS VARCHAR), count(*) FROM {relation} WHERE {name} IS NOT NULL "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    total = sum(count for _, count in counts)
    return {value: _share(count, total) for value, count in counts} if len(counts) <= CHOICES else {}


def by_day(opened: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[int, int, int, int]]:
    """Per day with rows: the day, its rows, those known on a later day, and the most days that took."""
    late = f"{columns.KNOWN_DAY} - {columns.DAY}"
    return opened.execute(
        f"SELECT {columns.DAY} AS day, count(*), count(*) FILTER (WHERE {late} > 0), max({late}) "
        f"FROM {relation} GROUP BY day ORDER BY day"
    ).fetchall()


def of_days(days: Sequence[tuple[int, int, int, int]]) -> Days:
    """What `by_day` found, in a few numbers."""
    counts = [rows for _, rows, _, _ in days]
    first, last, rows = days[0][0], days[-1][0], sum(counts)
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(days)]
    return Days(
        first=first,
        last=last,
        with_rows=len(days),
        longest_gap=max(gaps, default=0),
        least=min(counts),
        median=float(statistics.median(counts)),
        most=max(counts),
        rows_per_day=float(f"{rows / (last - first + 1):.6g}"),
        late=_share(sum(late for _, _, late, _ in days), rows),
        latest=max(latest for *_, latest in days),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
