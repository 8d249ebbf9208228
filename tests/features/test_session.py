from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features import session


def test_the_session_is_in_utc_whatever_the_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with session.connect() as opened:
        row = opened.execute("SELECT CAST(TIMESTAMPTZ '2017-01-01 00:00:00+00' AS VARCHAR)").fetchone()
    assert row == ("2017-01-01 00:00:00+00",)


def test_names_and_texts_are_quoted(tmp_path: Path) -> None:
    assert session.literal("it's") == "'it''s'"
    assert session.identifier('a"b') == '"a""b"'
    file = tmp_path / "it's.parquet"
    with session.connect() as opened:
        session.write_parquet(opened, f"SELECT 1 AS {session.identifier('odd name')}", file)
        assert opened.execute(f'SELECT "odd name" FROM {session.parquet(file)}').fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            session.write_parquet(opened, "SELECT no_such_column", file)
