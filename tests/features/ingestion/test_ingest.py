from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features import clock
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.ingestion.ingest import ingest
from features.ingestion.ingest_report import IngestReport
from features.workspace import Workspace

Run = Callable[..., IngestReport]
HEADER = "customer_id,occurred_at,amount\n"
LINES = HEADER + "a,2017-01-02 08:00:00,1.50\na,2017-01-02 08:00:00,1.50\nb,2017-01-03 09:00:00,-2\n"
TOML = 'name = "shop"\ntime_zone = "America/New_York"\ncurrency = "USD"\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def run(tmp_path: Path, workspace: Workspace) -> Run:
    """`run({"transactions.csv": text, ...}, toml)`: ingest a new folder of these files."""
    folders = iter(tmp_path / f"source{number}" for number in range(20))

    def go(files: Mapping[str, str], toml: str = "") -> IngestReport:
        folder = next(folders)
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if toml:
            (folder / "source.toml").write_text(toml, encoding="utf-8")
        return ingest(workspace, str(folder))

    return go


def rows(workspace: Workspace, query: str) -> list[tuple[Any, ...]]:
    with Canonical.open(workspace).connect() as opened:
        return opened.execute(query).fetchall()


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_canonical_names_need_no_mapping(run: Run, workspace: Workspace) -> None:
    report = run({"transactions.csv": LINES})
    assert rows(workspace, "SELECT customer_id, amount_cents, day FROM transactions") == [
        ("a", 150, clock.to_day(datetime(2017, 1, 2).date())),  # noqa: DTZ001
        ("a", 150, clock.to_day(datetime(2017, 1, 2).date())),  # noqa: DTZ001
        ("b", -200, clock.to_day(datetime(2017, 1, 3).date())),  # noqa: DTZ001
    ]
    (table,) = report.tables
    assert (table.read, table.accepted, table.added, table.quarantined, table.rows) == (3, 3, 3, 0, 3)
    assert "product_id" in table.lacking
    assert "consents" in report.missing
    assert any("UTC" in warning for warning in report.warnings)


def test_mapping_and_parquet_parts(tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "source"
    (folder / "transactions").mkdir(parents=True)
    for number, day in enumerate(("2017-01-02", "2017-01-03")):
        query = f"SELECT 7.0::DOUBLE AS household, TIMESTAMP '{day} 12:00:00' AS t, 0.285::DOUBLE AS paid"
        duckdb.connect().sql(f"COPY ({query}) TO '{folder}/transactions/{number}.parquet'")
    mapping = '[columns.transactions]\ncustomer_id = "household"\noccurred_at = "t"\namount = "paid"\n'
    (folder / "source.toml").write_text(TOML + mapping, encoding="utf-8")
    assert ingest(workspace, str(folder)).tables[0].read == 2
    # A float id loses its ".0"; the half cent of the shortest decimal text goes to the even cent.
    assert rows(workspace, "SELECT DISTINCT customer_id, amount_cents FROM transactions") == [("7", 28)]


def test_a_lost_table_is_made_again(run: Run, workspace: Workspace) -> None:
    files = {"transactions.csv": LINES, "products.csv": "product_id,name\np1,Milk\n"}
    run(files)
    (workspace.tables / "products.parquet").unlink()
    assert run(files).changed
    assert rows(workspace, "SELECT product_id, name FROM products") == [("p1", "Milk")]


def test_twice_is_the_same_as_once(run: Run, workspace: Workspace) -> None:
    files = {"transactions.csv": LINES, "products.csv": "product_id,name\n1,apple\n"}
    assert run(files, TOML).changed
    before = content(workspace.tables)
    again = run(files, TOML)
    assert not again.changed
    assert [table.added for table in again.tables] == [0, 0]
    assert content(workspace.tables) == before


def test_new_rows_append_and_change_the_fingerprint(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": LINES}, TOML)
    before = Canonical.open(workspace)
    first, visible = before.fingerprint(), before.fingerprint(before.last_day + 1)
    report = run({"transactions.csv": HEADER + "c,2017-02-01 10:00:00,4\n"}, TOML)
    after = Canonical.open(workspace)
    assert (report.changed, report.tables[0].added, report.tables[0].rows) == (True, 1, 4)
    assert after.fingerprint() != first
    assert after.fingerprint(before.last_day + 1) == visible


def test_source_in_pieces_has_the_fingerprint_of_the_whole(tmp_path: Path) -> None:
    lines = LINES.removeprefix(HEADER).splitlines(keepends=True)
    pieces = {"whole": [LINES], "pieces": [HEADER + lines[2], HEADER + lines[0] + lines[1]]}
    found = set()
    for name, texts in pieces.items():
        workspace = Workspace(tmp_path / name)
        for text in texts:
            (tmp_path / "transactions.csv").write_text(text, encoding="utf-8")
            ingest(workspace, str(tmp_path))
        found.add(Canonical.open(workspace).fingerprint())
    assert len(found) == 1


def test_refused_ingest_changes_nothing(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": LINES}, TOML)
    before = content(workspace.root)
    bad = HEADER + "a,yesterday,1\nb,2017-01-03,two\nc,2017-01-04,3\n"
    with pytest.raises(UserError, match=r"2 of 3 rows are bad.*row 1: occurred_at: 'yesterday'") as error:
        run({"transactions.csv": bad}, TOML)
    assert error.value.exit_code is ExitCode.BAD_DATA
    assert content(workspace.root) == before


def test_declared_share_of_bad_rows_is_accepted(run: Run) -> None:
    bad = HEADER + "a,yesterday,1\nb,2017-01-03,2\n"
    report = run({"transactions.csv": bad}, TOML + "[ingest]\nmax_bad_share = 0.5\n")
    assert report.tables[0].quarantined == 1
    assert report.tables[0].reasons == {
        "occurred_at: is not a time (write it as 2017-12-01 08:30:00)": 1,
    }


def test_local_days_over_daylight_saving(run: Run, workspace: Workspace) -> None:
    # New York leaves daylight saving on 2017-11-05: midnight is 04:00 UTC before that day and 05:00 after.
    times = ["2017-11-05T03:59:59Z", "2017-11-05T04:00:00Z", "2017-11-06T04:59:59Z", "2017-11-06T05:00:00Z"]
    run({"transactions.csv": HEADER + "".join(f"a,{time},1\n" for time in times)}, TOML)
    days = [clock.to_date(day).isoformat() for (day,) in rows(workspace, "SELECT day FROM transactions")]
    assert days == ["2017-11-04", "2017-11-05", "2017-11-05", "2017-11-06"]


def test_known_at_is_honoured_and_never_before_the_event(run: Run, workspace: Workspace) -> None:
    header = "customer_id,occurred_at,amount,known_at\n"
    lines = "a,2017-01-02,1,2017-01-09\nb,2017-01-02,1,2016-12-01\nc,2017-01-02,1,\n"
    run({"transactions.csv": header + lines}, TOML)
    assert rows(workspace, "SELECT known_day - day FROM transactions") == [(7,), (0,), (0,)]


def test_other_source_zone_or_currency_is_refused(run: Run) -> None:
    run({"transactions.csv": LINES}, TOML)
    for toml, words in (
        (TOML.replace("shop", "till"), "has source 'shop'"),
        (TOML.replace("America/New_York", "UTC"), "has time zone 'America/New_York'"),
        (TOML.replace("USD", "CNY"), "has currency 'USD'"),
        ("", "has source 'shop'"),
    ):
        with pytest.raises(UserError, match=words):
            run({"transactions.csv": LINES}, toml)


def test_a_currency_may_be_stated_later_and_then_stays(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": LINES})
    assert run({"transactions.csv": LINES}, 'currency = "CNY"\n').changed
    assert Canonical.open(workspace).source.currency == "CNY"
    assert rows(workspace, "SELECT count(*) FROM transactions") == [(3,)]
    for toml in ("", 'currency = "USD"\n'):
        with pytest.raises(UserError, match=r'has currency \'CNY\'.*say currency = "CNY"'):
            run({"transactions.csv": LINES}, toml)


def test_a_refused_phone_hashes_nothing_and_changes_nothing(run: Run, workspace: Workspace) -> None:
    good = HEADER + "".join(f"c{number},2017-01-02 08:00:00,1\n" for number in range(30))
    run({"transactions.csv": good}, TOML)
    folder, before = workspace.tables.resolve(), Canonical.open(workspace).fingerprint()
    report = run({"transactions.csv": good + "07911123456,2017-01-02 08:00:00,free\n"}, TOML)
    assert (report.changed, report.tables[0].added, report.tables[0].quarantined) == (False, 0, 1)
    assert not any("keyed hashes" in warning for warning in report.warnings)
    assert (workspace.tables.resolve(), Canonical.open(workspace).fingerprint()) == (folder, before)
    ((values,),) = (
        duckdb.connect().sql(f"SELECT values FROM '{workspace.quarantine}/transactions.parquet'").fetchall()
    )
    assert "07***" in values


def test_definitions_may_change(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": LINES}, TOML)
    fingerprint = Canonical.open(workspace).fingerprint()
    assert run({"transactions.csv": LINES}, TOML + "[labels.churn]\nhorizon_days = 35\n").changed
    assert Canonical.open(workspace).source.labels.churn.horizon_days == 35
    assert Canonical.open(workspace).fingerprint() == fingerprint


def test_later_tables_join_earlier_ones(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": LINES}, TOML)
    report = run({"products.csv": "product_id,name\n1,apple\n"}, TOML)
    assert report.changed
    assert Canonical.open(workspace).tables == ("transactions", "products")
    assert "products" not in report.missing


def test_source_without_transactions(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no transactions.*transaction.csv is not used.*transactions.csv"):
        run({"transaction.csv": LINES})
    with pytest.raises(UserError, match=r"no transactions.*no rows"):
        run({"transactions.csv": HEADER})
    with pytest.raises(UserError, match=r"source not found: 'no-such-folder'"):
        ingest(Workspace(tmp_path / "w"), "no-such-folder")


def test_personal_ids_are_stored_as_hashes_everywhere(run: Run, workspace: Workspace) -> None:
    phone, plate = "138 1234 5678", "京A·12345"
    files = {
        "transactions.csv": HEADER
        + f"{phone},2017-01-02 08:00:00,1\n2375,2017-01-02 08:00:00,1\n" * 10
        + f"{phone},never,1\n",
        "identities.csv": "customer_id,seen_at,kind,value\n+86 13812345678,2017-01-01,open_id,o-XyZ\n",
        "vehicles.csv": f"customer_id,plate\n13812345678,{plate}\n",
    }
    report = run(files, TOML)
    ids = {value for (value,) in rows(workspace, "SELECT customer_id FROM transactions")}
    (hashed,) = ids - {"2375"}
    assert hashed.startswith("hash_")
    assert rows(workspace, "SELECT customer_id FROM identities UNION SELECT customer_id FROM vehicles") == [
        (hashed,)
    ]
    assert any("keyed hashes" in warning for warning in report.warnings)
    for table in ("tables", "quarantine"):
        for file in (workspace.root / table).glob("*.parquet"):
            text = str(duckdb.connect().sql(f"FROM '{file}'").fetchall())
            for raw in ("12345678", "1234 5678", "o-XyZ", "O-XYZ", "12345"):
                assert raw not in text


def test_another_hash_key_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"transactions.csv": HEADER + "13812345678,2017-01-02 08:00:00,1\n"}
    run(files)
    monkeypatch.setenv("NEXTBEST_HASH_KEY", "another key of some length")
    with pytest.raises(UserError, match=r"key for hashing"):
        run(files)


def test_owner_may_say_that_ids_are_plain(run: Run, workspace: Workspace) -> None:
    run({"transactions.csv": HEADER + "13812345678,2017-01-02 08:00:00,1\n"}, "plain_customer_ids = true\n")
    assert rows(workspace, "SELECT customer_id FROM transactions") == [("13812345678",)]


def test_event_ids_have_to_stay(run: Run) -> None:
    run({"transactions.csv": LINES}, TOML)
    with pytest.raises(UserError, match=r"with event_id, unlike before"):
        run({"transactions.csv": "customer_id,occurred_at,amount,event_id\na,2017-01-02,1,e1\n"}, TOML)


def test_killed_publication_leaves_the_old_tables(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run({"transactions.csv": LINES}, TOML)
    before = content(workspace.root)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("features.content.write", die)
    with pytest.raises(KeyboardInterrupt):
        run({"transactions.csv": HEADER + "c,2017-02-01 10:00:00,4\n"}, TOML)
    assert content(workspace.root) == before


def test_what_a_killed_ingest_left_is_removed(run: Run, workspace: Workspace) -> None:
    left = workspace.create().root / ".ingest-killed"
    left.mkdir()
    (left / "spilled").write_text("13812345678", encoding="utf-8")
    run({"transactions.csv": LINES}, TOML)
    assert list(workspace.root.glob(".ingest-*")) == []


def test_a_table_that_breaks_its_contract_is_not_published(run: Run, workspace: Workspace) -> None:
    files = {"transactions.csv": LINES, "products.csv": "product_id,price\np1,2.50\n"}
    run(files, TOML)
    # Somebody writes into the workspace; what is merged with it would be published as if it had been checked.
    file = workspace.tables / "products.parquet"
    duckdb.connect().execute(
        f"CREATE TABLE p AS FROM '{file}'; UPDATE p SET price_cents = -250; "
        f"COPY p TO '{file}' (FORMAT parquet)"
    )
    before = content(workspace.root)
    with pytest.raises(
        UserError, match=r"products: .*price_cents is not from 0 to .* in 1 row\. Nothing was changed"
    ) as error:
        run({"products.csv": "product_id,price\np2,3\n"}, TOML)
    assert error.value.exit_code is ExitCode.BAD_DATA
    assert content(workspace.root) == before
