from __future__ import annotations

from pathlib import Path

import pytest

from features import migrations, session
from features.errors import UserError
from features.json_file import read_json, write_json
from features.tables import TABLES


def test_a_new_workspace_has_the_current_version(tmp_path: Path) -> None:
    migrations.migrate(tmp_path)
    assert read_json(tmp_path / "workspace.json") == {"schema_version": migrations.SCHEMA_VERSION}


def test_older_layouts_take_every_step_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    steps = {1: lambda _: taken.append(1), 2: lambda _: taken.append(2)}
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(migrations, "STEPS", steps)
    write_json(tmp_path / "workspace.json", {"schema_version": 1})
    migrations.migrate(tmp_path)
    migrations.migrate(tmp_path)
    assert taken == [1, 2]
    assert read_json(tmp_path / "workspace.json") == {"schema_version": 3}


def test_a_failed_step_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise OSError

    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(migrations, "STEPS", {1: lambda _: None, 2: fail})
    write_json(tmp_path / "workspace.json", {"schema_version": 1})
    with pytest.raises(OSError):  # noqa: PT011
        migrations.migrate(tmp_path)
    assert read_json(tmp_path / "workspace.json") == {"schema_version": 2}


def test_a_newer_workspace_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "workspace.json", {"schema_version": 99})
    with pytest.raises(UserError, match=r"newer than this nextbest"):
        migrations.migrate(tmp_path)


def test_there_is_a_step_for_every_older_version() -> None:
    assert sorted(migrations.STEPS) == list(range(1, migrations.SCHEMA_VERSION))


@pytest.mark.parametrize("killed", [False, True])
def test_version_1_gets_generations_of_its_own_and_keeps_their_names(tmp_path: Path, *, killed: bool) -> None:
    write_json(tmp_path / "workspace.json", {"schema_version": 1})
    for name in ("tables", "features"):
        folder = tmp_path / ".generations" / f"{name}-1a"
        folder.mkdir(parents=True)
        (folder / "content").write_text(name)
        (tmp_path / name).symlink_to(f".generations/{name}-1a")
    if killed:
        (tmp_path / ".tables.generations").mkdir()
        (tmp_path / ".generations" / "tables-1a").rename(tmp_path / ".tables.generations" / "tables-1a")
    migrations.migrate(tmp_path)
    for name in ("tables", "features"):
        assert (tmp_path / name / "content").read_text() == name
        assert (tmp_path / name).resolve() == (tmp_path / f".{name}.generations" / f"{name}-1a").resolve()
    assert not (tmp_path / ".generations").exists()


@pytest.mark.parametrize("folder", ["tables", "features/tables"])
@pytest.mark.parametrize("killed", [False, True])
def test_version_2_gets_wider_tables_and_keeps_their_rows(
    tmp_path: Path, folder: str, *, killed: bool
) -> None:
    write_json(tmp_path / "workspace.json", {"schema_version": 2})
    (tmp_path / folder).mkdir(parents=True)
    new = {"exposures": "propensity", "service_events": "deadline_at"}
    for name, column in new.items():
        before = [
            f"NULL::{kind} AS {stored}" for stored, kind in TABLES[name].stored.items() if stored != column
        ]
        with session.connect() as opened:
            rows = f"SELECT {', '.join(before)} FROM range(3)"
            session.write_parquet(opened, rows, tmp_path / folder / f"{name}.parquet")
    if killed:
        migrations._wider_tables(tmp_path)
    migrations.migrate(tmp_path)
    for name in new:
        file = session.parquet(tmp_path / folder / f"{name}.parquet")
        with session.connect() as opened:
            assert {row[0]: row[1] for row in opened.execute(f"DESCRIBE FROM {file}").fetchall()} == TABLES[
                name
            ].stored
            assert opened.execute(f"SELECT count(*) FROM {file}").fetchall() == [(3,)]
    assert read_json(tmp_path / "workspace.json") == {"schema_version": migrations.SCHEMA_VERSION}


@pytest.mark.parametrize("folder", ["tables", "features/tables"])
@pytest.mark.parametrize("killed", [False, True])
def test_version_3_gets_customers_with_a_time_zone(tmp_path: Path, folder: str, *, killed: bool) -> None:
    write_json(tmp_path / "workspace.json", {"schema_version": 3})
    (tmp_path / folder).mkdir(parents=True)
    stored = TABLES["customers"].stored
    before = ", ".join(f"NULL::{kind} AS {name}" for name, kind in stored.items() if name != "time_zone")
    file = tmp_path / folder / "customers.parquet"
    with session.connect() as opened:
        session.write_parquet(opened, f"SELECT {before} FROM range(3)", file)
    if killed:
        migrations._zones(tmp_path)
    migrations.migrate(tmp_path)
    with session.connect() as opened:
        described = opened.execute(f"DESCRIBE FROM {session.parquet(file)}").fetchall()
        assert [row[:2] for row in described] == list(stored.items())
        assert opened.execute(f"SELECT count(*) FROM {session.parquet(file)}").fetchall() == [(3,)]


def test_a_version_that_is_no_number_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "workspace.json", {"schema_version": "two"})
    with pytest.raises(UserError, match="schema_version 'two'"):
        migrations.migrate(tmp_path)
