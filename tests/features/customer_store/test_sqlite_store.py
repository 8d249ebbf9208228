from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from features.customer_store.history import History
from features.customer_store.sqlite_store import SqliteStore, create
from features.customer_store.store import NOWHERE, Change, Content, Position, ReplacedError


def test_a_store_cannot_be_written_through_its_reader(tmp_path):
    create(tmp_path / "store.db", Content([History("a")], {}))
    opened = SqliteStore(tmp_path / "store.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        opened._connection.execute("DELETE FROM customers")
    opened.close()


def test_a_file_that_is_gone_has_been_replaced(tmp_path):
    create(tmp_path / "store.db", Content([History("a")], {}))
    link = tmp_path / "link.db"
    link.symlink_to("store.db")
    opened = SqliteStore(link)
    assert not opened.replaced
    link.unlink()
    link.symlink_to("newer.db")
    assert opened.replaced
    assert opened.get("a") is not None, "who has it open reads on"
    (tmp_path / "store.db").unlink()
    with ThreadPoolExecutor(1) as pool, pytest.raises(ReplacedError, match="open it again"):
        pool.submit(opened.get, "a").result()
    with pytest.raises(ReplacedError, match="open it again"):
        opened.apply(Change([History("a")], {}, NOWHERE, Position("j", 1)))
    assert not (tmp_path / "store.db").exists()
    opened.close()


def test_a_defect_of_a_write_is_no_replacement(tmp_path):
    create(tmp_path / "store.db", Content([History("a")], {}))
    opened = SqliteStore(tmp_path / "store.db")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DROP TABLE customers")
    connection.close()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        opened.apply(Change([History("a")], {}, NOWHERE, Position("j", 1)))
    assert opened.position == NOWHERE
    opened.close()
