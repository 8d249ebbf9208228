"""The review of an ingest: every table's profile, what is different from before, and the history of both.

`profile.json` beside the tables is the same whenever the same rows came. `profile_history.json` has, for each
of the last ingests that changed something, when it was, the profile it left, its new rows' and the shifts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from features import columns
from features.content import ALWAYS, DaySum
from features.contract import Table
from features.json_file import read_json, write_json
from features.quality import profile
from features.quality.profile import Profile, TableProfile
from features.quality.shifts import Bounds, Shift, compare
from features.session import parquet
from features.tables import TABLES

HISTORY_FILE: Final = "profile_history.json"
# Ingests whose profiles are kept.
KEPT: Final = 20


def review(
    opened: duckdb.DuckDBPyConnection,
    folder: Path,
    earlier: Path | None,
    sums: tuple[Iterable[DaySum], Iterable[DaySum]],
    bounds: Bounds,
) -> list[Shift]:
    """Profile the tables in a folder, write the profiles and their history beside them, and compare.

    Args:
        opened: a session.
        folder: of the tables about to be published.
        earlier: of the tables published before; None when there are none.
        sums: what the tables hold by day: before, and now.
        bounds: how far new rows may be from those before.
    """
    had = profile.read(earlier) if earlier else {}
    before, now = (_by_table(each) for each in sums)
    profiles: dict[str, TableProfile] = {}
    brought: dict[str, Profile] = {}
    found: list[Shift] = []
    for name in now:
        table, file = TABLES[name], folder / f"{name}.parquet"
        if name in had and before.get(name) == now[name]:
            profiles[name] = had[name]
            continue
        profiles[name] = profile.of_table(opened, table, file)
        if earlier and name in had and name in before:
            changed = [day for day, total in now[name].items() if before[name].get(day) != total]
            _new_rows(opened, table, (file, earlier / f"{name}.parquet"), changed)
            brought[name] = profile.of_rows(opened, table, "_new_rows")
            found += compare(name, had[name], brought[name], _after(opened, had[name]), bounds)
    profile.write(profiles, folder)
    entry = {
        "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": {name: asdict(each) for name, each in profiles.items()},
        "new": {name: asdict(each) for name, each in brought.items()},
        "shifts": [asdict(shift) for shift in found],
    }
    past = history(earlier) if earlier else []
    write_json(folder / HISTORY_FILE, {"ingests": [*past, entry][-KEPT:]})
    return found


def _by_table(sums: Iterable[DaySum]) -> dict[str, dict[int, tuple[int, int]]]:
    found: dict[str, dict[int, tuple[int, int]]] = {}
    for part in sums:
        found.setdefault(part.table, {})[part.day] = (part.rows, part.total)
    return found


def _new_rows(
    opened: duckdb.DuckDBPyConnection, table: Table, files: tuple[Path, Path], days: list[int]
) -> None:
    """Make the view `_new_rows`: rows of the first file that the second lacks, on the days that differ."""
    day = f"greatest({columns.DAY}, {columns.KNOWN_DAY})" if table.event else str(ALWAYS)
    chosen = ", ".join(map(str, days)) or "NULL"
    names = ", ".join(table.stored)
    now, before = (f"SELECT {names} FROM {parquet(file)} WHERE {day} IN ({chosen})" for file in files)
    opened.execute(f"CREATE OR REPLACE TEMP TABLE _new_rows AS {now} EXCEPT ALL {before}")


def _after(opened: duckdb.DuckDBPyConnection, earlier: TableProfile) -> Profile | None:
    """Of the new events those after the last day there was: what late rows fill up is not a day's rows."""
    days = earlier.whole.days
    if days is None:
        return None
    relation = f"(SELECT * FROM _new_rows WHERE {columns.DAY} > {days.last})"
    found = profile.by_day(opened, relation)
    return Profile(sum(rows for _, rows, _, _ in found), {}, profile.of_days(found) if found else None)


def history(folder: Path) -> list[dict[str, Any]]:
    """Ingests that changed something, oldest first, the last `KEPT`: when, profiles, new rows, shifts."""
    kept: list[dict[str, Any]] = read_json(folder / HISTORY_FILE).get("ingests", [])
    return kept


def last(folder: Path) -> tuple[Shift, ...]:
    """The shifts that the last ingest which changed something found."""
    kept = history(folder)
    return tuple(Shift(**shift) for shift in kept[-1]["shifts"]) if kept else ()
