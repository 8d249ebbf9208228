from __future__ import annotations

from features import session
from features.identity import writings


def test_what_was_written_gets_its_hash() -> None:
    with session.connect() as opened:
        opened.execute("""CREATE TEMP TABLE staged AS SELECT * FROM (VALUES
            (0, 1, NULL, 'a', 'Plate', '京a·123'), (0, 2, 'bad', 'b', 'phone', '138')
            ) AS t(_part, _row, _reason, customer_id, kind, value)""")
        writings.keep(opened, "staged")
        assert opened.execute("SELECT value FROM staged ORDER BY _row").fetchall() == [("京A123",), ("138",)]
        opened.execute("UPDATE staged SET value = md5(value), customer_id = 'hash_a'")
        writings.pair(opened, "staged")
        rows = opened.execute(
            f"SELECT * EXCLUDE (hash), hash = md5('京A123') FROM {writings.WRITINGS}"
        ).fetchall()
    assert rows == [("hash_a", "plate", "京a·123", True)]


def test_nothing_is_a_table_too() -> None:
    with session.connect() as opened:
        writings.nothing(opened)
        assert opened.execute(f"FROM {writings.WRITINGS}").fetchall() == []
