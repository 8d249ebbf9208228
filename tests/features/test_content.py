from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from features import content, session
from features.content import ALWAYS, DaySum
from features.tables import TABLES

TRANSACTIONS = TABLES["transactions"]


@pytest.fixture
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    with session.connect() as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in TRANSACTIONS.stored.items())
        connection.execute(f"CREATE TABLE transactions ({columns})")
        connection.execute(
            "INSERT INTO transactions BY NAME SELECT 'c' || i % 3 AS customer_id, "
            "TIMESTAMP '2017-01-01' + to_days((i % 4)::INTEGER) AS occurred_at, 17167 + i % 4 AS day, "
            "17167 + i % 4 + (i % 5) // 4 AS known_day, i AS amount_cents FROM range(40) AS t(i)"
        )
        yield connection


def test_order_does_not_matter_and_every_cell_does(opened: duckdb.DuckDBPyConnection) -> None:
    def text(relation: str) -> str:
        return content.fingerprint(content.day_sums(opened, TRANSACTIONS, relation), None)

    whole = text("transactions")
    assert text("(FROM transactions ORDER BY amount_cents DESC)") == whole
    assert text("(SELECT * REPLACE (nullif(amount_cents, 7) AS amount_cents) FROM transactions)") != whole
    assert text("(FROM transactions UNION ALL FROM transactions LIMIT 41)") != whole
    assert text("(SELECT * REPLACE (coalesce(channel, '') AS channel) FROM transactions)") != whole


def test_a_fingerprint_until_is_that_of_the_rows_known_before(opened: duckdb.DuckDBPyConnection) -> None:
    sums = content.day_sums(opened, TRANSACTIONS, "transactions")
    for until in range(17166, 17173):
        seen = f"(FROM transactions WHERE day < {until} AND known_day < {until})"
        visible = content.day_sums(opened, TRANSACTIONS, seen)
        assert content.fingerprint(sums, until) == content.fingerprint(visible, None)


def test_what_is_beside_the_rows_counts() -> None:
    assert content.fingerprint([], None, zone="UTC") != content.fingerprint([], None, zone="Asia/Shanghai")


def test_things_are_always_known() -> None:
    sums = [DaySum("products", ALWAYS, 1, 5)]
    assert content.fingerprint(sums, 0) == content.fingerprint(sums, None)
    assert content.fingerprint([DaySum("transactions", 3, 1, 5)], 3) == content.fingerprint([], None)


def test_sums_are_kept_exactly_or_counted(opened: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    session.write_parquet(opened, "FROM transactions", tmp_path / "transactions.parquet")
    counted = content.read(opened, tmp_path)
    assert counted == content.day_sums(opened, TRANSACTIONS, "transactions")
    kept = [*counted, DaySum("products", ALWAYS, 2, 2**70 + 1)]
    content.write(opened, kept, tmp_path)
    assert content.read(opened, tmp_path) == kept
    content.write(opened, [], tmp_path)
    assert content.read(opened, tmp_path) == []


def test_same_content(opened: duckdb.DuckDBPyConnection) -> None:
    sums = content.day_sums(opened, TRANSACTIONS, "transactions")
    assert content.is_same(opened, TRANSACTIONS, "transactions", sums)
    assert not content.is_same(opened, TRANSACTIONS, "(FROM transactions LIMIT 39)", sums)
    assert content.is_same(opened, TRANSACTIONS, "(FROM transactions LIMIT 0)", [])
