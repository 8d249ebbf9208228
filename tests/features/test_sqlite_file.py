from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from features.sqlite_file import SqliteFile

SCHEMA = "CREATE TABLE IF NOT EXISTS counted (number INTEGER)"


def test_writers_wait_for_each_other(tmp_path):
    file = SqliteFile(tmp_path / "file.db", schema=SCHEMA)

    def add(_: int) -> None:
        with file.writing() as connection:
            (most,) = connection.execute("SELECT coalesce(max(number), 0) FROM counted").fetchone()
            connection.execute("INSERT INTO counted VALUES (?)", (most + 1,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    rows = file.connection.execute("SELECT number FROM counted ORDER BY 1").fetchall()
    assert [row[0] for row in rows] == list(range(1, 81))


def test_a_block_that_raises_is_undone(tmp_path):
    file = SqliteFile(tmp_path / "file.db", schema=SCHEMA)

    def fail() -> None:
        with file.writing() as connection:
            connection.execute("INSERT INTO counted VALUES (1)")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert file.connection.execute("SELECT count(*) FROM counted").fetchone() == (0,)


def test_a_thread_keeps_its_connection_until_it_is_closed(tmp_path):
    file = SqliteFile(tmp_path / "file.db", schema=SCHEMA)
    first = file.connection
    assert file.connection is first
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: file.connection is first).result() is False
    file.close()
    with pytest.raises(sqlite3.ProgrammingError):
        first.execute("SELECT 1")
    assert file.connection is not first


def test_a_reader_neither_makes_the_file_nor_writes_it(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        _ = SqliteFile(tmp_path / "none.db", mode="ro").connection
    assert not (tmp_path / "none.db").exists()
    writer = SqliteFile(tmp_path / "file.db", schema=SCHEMA)
    writer.connection.execute("INSERT INTO counted VALUES (1)")
    reader = SqliteFile(tmp_path / "file.db", mode="ro")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.connection.execute("DELETE FROM counted")
