from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.ingestion.ingest_report import IngestReport
from features.json_file import read_json
from features.quality import profile, review
from features.workspace import Workspace

START = date(2024, 3, 1)
TOML = 'name = "shop"\ncurrency = "CNY"\n'


class Till:
    """A source that is filled day by day: `ROWS` lines a day, every tenth by app."""

    ROWS = 60

    def __init__(self, root: Path) -> None:
        self.workspace, self.folder = Workspace(root / "workspace"), root / "source"
        self.folder.mkdir()
        self.toml = TOML

    def deliver(
        self,
        days: Sequence[int],
        *,
        rows: int = ROWS,
        amount: float = 5.0,
        channels: Sequence[str] = ("shop",) * 9 + ("app",),
        known: int = 0,
        table: str = "transactions",
    ) -> IngestReport:
        event = {"transactions": "occurred_at", "exposures": "contacted_at"}.get(table, "occurred_at")
        extra = {"transactions": "amount", "service_events": "kind"}.get(table, "campaign_id")
        lines = [f"customer_id,{event},known_at,{extra},channel"]
        for day in days:
            when, then = START + timedelta(days=day), START + timedelta(days=day + known)
            for number in range(rows):
                value = {"amount": amount + number % 3, "kind": "rating"}.get(extra, "c1")
                cells = (f"c{number}", f"{when} 08:{number % 60:02}", f"{then} 09:00", value)
                lines.append(",".join(map(str, (*cells, channels[number % len(channels)]))))
        for old in self.folder.iterdir():
            old.unlink()
        (self.folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "source.toml").write_text(self.toml, encoding="utf-8")
        return ingest(self.workspace, str(self.folder))


@pytest.fixture
def till(tmp_path: Path) -> Till:
    made = Till(tmp_path)
    report = made.deliver(range(40))
    # Nothing to compare with, nothing to say.
    assert report.shifts == ()
    return made


def whats(report: IngestReport) -> list[tuple[str, str, str]]:
    return [(shift.table, shift.column, shift.what) for shift in report.shifts]


def test_days_like_those_before_and_the_same_days_again_are_no_shift(till: Till) -> None:
    assert till.deliver([40, 41]).shifts == ()
    published = till.workspace.tables.resolve()
    again = till.deliver([40, 41])
    assert (again.changed, again.shifts) == (False, ())
    assert till.workspace.tables.resolve() == published
    assert len(review.history(till.workspace.tables)) == 2


def test_a_whole_export_with_new_days_is_judged_by_the_new_days(till: Till) -> None:
    assert till.deliver(range(42)).shifts == ()
    # Ten times what was paid, on two of 44 days: in the total it would be a move of 40 %.
    report = till.deliver([*range(42)]), till.deliver([42, 43], amount=50.0)
    assert whats(report[1]) == [("transactions", "amount_cents", "mean")]


def test_a_shift_is_a_warning_and_stays_until_the_next_ingest_that_brings_something(till: Till) -> None:
    report = till.deliver([40, 41, 42, 43, 44], rows=25)
    assert whats(report) == [("transactions", "", "rows_per_day")]
    assert "  warning: transactions: 25 rows a day since 2024-04-09" in "\n".join(report.lines())
    assert review.last(till.workspace.tables) == report.shifts
    till.deliver([40, 41, 42, 43, 44], rows=25)
    assert review.last(till.workspace.tables) == report.shifts
    assert till.deliver([45, 46]).shifts == ()
    assert review.last(till.workspace.tables) == ()


def test_bounds_of_the_source_hold(till: Till) -> None:
    till.toml = TOML + "[quality]\nrows_per_day = 0.4\n"
    assert till.deliver([40, 41, 42, 43, 44], rows=25).shifts == ()


def test_choices_late_rows_and_one_wrong_date(till: Till) -> None:
    report = till.deliver([40, 41], channels=("shop", "app", "fax"))
    assert whats(report) == [("transactions", "channel", "new_choice")]
    assert whats(till.deliver([42, 43], known=3)) == [("transactions", "", "late")]
    report = till.deliver([400], rows=1)
    assert whats(report) == [("transactions", "", "gap_days")]
    assert "357 days without a row" in report.shifts[0].says


def test_every_table_of_events_is_reviewed_and_late_rows_are_kept_with_their_day(till: Till) -> None:
    for table in ("exposures", "responses", "service_events"):
        till.deliver(range(40), table=table)
        assert whats(till.deliver([40, 41], table=table, known=2)) == [(table, "", "late")]
        days = profile.read(till.workspace.tables)[table].whole.days
        assert days is not None
        assert (days.late, days.latest) == (pytest.approx(2 / 42, abs=1e-6), 2)


def test_known_later_is_seen_later_in_every_table_of_events(till: Till) -> None:
    for table in ("exposures", "responses", "service_events"):
        till.deliver([10], table=table, known=5)
    canonical = Canonical.open(till.workspace)
    first = canonical.first_day
    for table in ("exposures", "responses", "service_events"):
        for until, rows in ((first + 11, 0), (first + 15, 0), (first + 16, Till.ROWS)):
            with canonical.connect(until=until) as opened:
                assert opened.execute(f"SELECT count(*) FROM {table}").fetchall() == [(rows,)], until


def test_the_profile_is_the_same_in_however_many_pieces_the_rows_came(tmp_path: Path, till: Till) -> None:
    till.deliver([40, 41])
    (tmp_path / "other").mkdir()
    other = Till(tmp_path / "other")
    other.deliver(range(42))
    files = [each.workspace.tables / profile.PROFILE_FILE for each in (till, other)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert "ingested_at" not in files[0].read_text()


def test_the_history_is_bounded(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "KEPT", 2)
    till.deliver([40, 41])
    till.deliver([42, 43])
    kept = review.history(till.workspace.tables)
    assert [entry["profile"]["transactions"]["whole"]["rows"] for entry in kept] == [2520, 2640]
    assert [entry["new"]["transactions"]["rows"] for entry in kept] == [120, 120]


def test_a_workspace_without_profiles_gets_them_and_is_not_compared(till: Till) -> None:
    for name in (profile.PROFILE_FILE, review.HISTORY_FILE):
        (till.workspace.tables / name).unlink()
    report = till.deliver(range(40))
    assert (report.changed, report.shifts) == (True, ())
    assert set(read_json(till.workspace.tables / profile.PROFILE_FILE)) == {"transactions"}


def test_a_new_definition_keeps_the_profile(till: Till) -> None:
    before = (till.workspace.tables / profile.PROFILE_FILE).read_bytes()
    till.toml = TOML + "[labels.churn]\nhorizon_days = 35\n"
    report = till.deliver(range(40))
    assert (report.changed, report.shifts) == (True, ())
    assert (till.workspace.tables / profile.PROFILE_FILE).read_bytes() == before
