from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from features import clock
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace

FILES = {
    "transactions.csv": "customer_id,occurred_at,amount,known_at\n"
    "a,2017-01-02 12:00:00,1,\na,2017-01-05 12:00:00,1,\nb,2017-01-03 12:00:00,1,2017-01-09 12:00:00\n",
    "products.csv": "product_id,name\np,apple\n",
    "service_events.csv": "customer_id,occurred_at,kind\na,2017-01-04 12:00:00,complaint\n",
    "source.toml": 'time_zone = "America/New_York"\n',
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    made = Workspace(tmp_path / "workspace")
    ingest(made, str(folder))
    return made


def day(text: str) -> int:
    return clock.to_day(clock.parse_date(text))


def test_not_ingested(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nextbest ingest") as error:
        Canonical.open(Workspace(tmp_path))
    assert error.value.exit_code is ExitCode.NOT_BUILT


def test_what_is_there(workspace: Workspace) -> None:
    canonical = Canonical.open(workspace)
    assert canonical.tables == ("transactions", "products", "service_events")
    assert canonical.has("products")
    assert not canonical.has("consents")
    assert (canonical.first_day, canonical.last_day) == (day("2017-01-02"), day("2017-01-05"))
    assert canonical.profile["rows"] == {"transactions": 3, "products": 1, "service_events": 1}
    assert canonical.profile["fingerprint"] == canonical.fingerprint()


def test_nothing_at_or_after_until_is_visible(workspace: Workspace) -> None:
    canonical = Canonical.open(workspace)

    def count(until: int | None) -> tuple[int, ...]:
        with canonical.connect(until=until) as opened:
            counts = (opened.execute(f"SELECT count(*) FROM {name}").fetchone() for name in canonical.tables)
            return tuple(row[0] for row in counts if row)

    assert count(None) == (3, 1, 1)
    assert count(day("2017-01-02")) == (0, 1, 0)
    assert count(day("2017-01-03")) == (1, 1, 0)
    assert count(day("2017-01-05")) == (1, 1, 1)
    # The row of the 3rd became known on the 9th.
    assert count(day("2017-01-09")) == (2, 1, 1)
    assert count(day("2017-01-10")) == (3, 1, 1)


def test_cut_tables_are_those_visible(workspace: Workspace, tmp_path: Path) -> None:
    canonical = Canonical.open(workspace)
    for until in (canonical.first_day + 1, canonical.last_day, canonical.last_day + 9):
        cut = canonical.cut(until, tmp_path / str(until))
        assert cut.source == canonical.source
        assert cut.fingerprint(until) == cut.fingerprint() == canonical.fingerprint(until)
        assert cut.last_day < until
    assert canonical.fingerprint(canonical.last_day) != canonical.fingerprint(canonical.last_day + 1)


def test_the_fingerprint_is_the_same_in_another_process(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from features.canonical import Canonical; "
        "print(Canonical.read(Path(sys.argv[1])).fingerprint(17170))"
    )
    command = [sys.executable, "-c", code, str(workspace.tables)]
    other = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert other == Canonical.open(workspace).fingerprint(17170)


def test_the_clock(workspace: Workspace, tmp_path: Path) -> None:
    canonical = Canonical.open(workspace)
    assert canonical.clock_day == day("2017-01-06")
    (tmp_path / "source" / "source.toml").write_text(
        FILES["source.toml"] + 'clock = "wall"\n', encoding="utf-8"
    )
    ingest(workspace, str(tmp_path / "source"))
    before = datetime.now(ZoneInfo("America/New_York")).date()
    now = Canonical.open(workspace).clock_day
    assert clock.to_day(before) <= now <= clock.to_day(datetime.now(ZoneInfo("America/New_York")).date())


def test_an_open_generation_does_not_change_under_its_reader(workspace: Workspace) -> None:
    canonical = Canonical.open(workspace)
    assert not canonical.folder.is_symlink()
    assert canonical.folder == workspace.tables.resolve()


def test_persons_are_joined_as_of_the_day(make_workspace, tmp_path):
    lines = [
        {"customer_id": name, "day": day, "amount_cents": 1}
        for name, day in [("a", 100), ("b", 101), ("b", 105)]
    ]
    people = [("b", "b", -(2**31), 103), ("b", "a", 103, 110), ("b", "b", 110, 2**31 - 1)]
    customers = [{"customer_id": "a", "segment": "x"}, {"customer_id": "b", "segment": "y"}]
    canonical = Canonical.open(make_workspace(lines, tables={"customers": customers}, people=people))

    def seen(tables, until):
        with tables.connect(until=until) as opened:
            return (
                opened.execute(
                    "SELECT customer_id, day, known_day FROM transactions ORDER BY day"
                ).fetchall(),
                opened.execute("SELECT customer_id, segment FROM customers ORDER BY 1").fetchall(),
            )

    both = [("a", "x"), ("b", "y")]
    assert seen(canonical, 103) == ([("a", 100, 100), ("b", 101, 101)], both)
    assert seen(canonical, 104) == ([("a", 100, 100), ("a", 101, 103)], [("a", "x")])
    assert seen(canonical, 110) == ([("a", 100, 100), ("a", 101, 103), ("a", 105, 105)], [("a", "x")])
    assert seen(canonical, 111) == ([("a", 100, 100), ("b", 101, 110), ("b", 105, 110)], both)
    assert canonical.joined(110) == {"b": "a"}
    assert canonical.joined(111) == {}
    for until in (103, 104, 110):
        cut = canonical.cut(until, tmp_path / str(until))
        assert seen(cut, until) == seen(canonical, until)
        assert cut.joined(until) == canonical.joined(until)
        assert cut.fingerprint(until) == canonical.fingerprint(until)
