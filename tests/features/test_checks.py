from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from features import session
from features.checks import Reading, masked, staged
from features.raw import Part
from features.tables import TABLES

LATEST = datetime(2026, 1, 1)  # noqa: DTZ001
NO_TIME = "is not a time (write it as 2017-12-01 08:30:00)"
NEW_YORK = Reading("America/New_York", "utc", "", LATEST)


@pytest.fixture(scope="module")
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    with session.connect() as connection:
        yield connection


def checked(
    opened: duckdb.DuckDBPyConnection, reading: Reading = NEW_YORK, table: str = "transactions", **cells: str
) -> dict[str, Any]:
    """One row of these SQL values, checked; what is not said is a good row."""
    given = {"customer_id": "'c1'", "occurred_at": "'2017-01-02 08:00:00'", "amount": "'1'"} | cells
    return one_row(opened, table, given, reading)


def one_row(
    opened: duckdb.DuckDBPyConnection, table: str, given: dict[str, str], reading: Reading = NEW_YORK
) -> dict[str, Any]:
    """One row of some SQL values, checked."""
    relation = f"SELECT 1 AS _row, {', '.join(f'{value} AS {name}' for name, value in given.items())}"
    types = {row[0]: row[1] for row in opened.execute(f"DESCRIBE {relation}").fetchall() if row[0] != "_row"}
    query = staged(TABLES[table], 0, Part("file", relation, types), {name: name for name in given}, reading)
    result = opened.execute(query)
    names = [column[0] for column in result.description or ()]
    (row,) = result.fetchall()
    return dict(zip(names, row, strict=True))


@pytest.mark.parametrize(
    ("given", "cents"),
    [
        ("'12.34'", 1234),
        ("' 12.345 '", 1234),
        ("'12.355'", 1236),
        ("'-0.125'", -12),
        ("'0.12500000000001'", 13),
        ("'1e2'", 10_000),
        ("'9007199254740993.01'", 900_719_925_474_099_301),
        ("12.345::DOUBLE", 1234),
        ("12.355::DOUBLE", 1236),
        ("2.675::DOUBLE", 268),
        ("0.1::FLOAT", 10),
        ("-7.125::FLOAT", -712),
        ("3::BIGINT", 300),
        ("12.345::DECIMAL(9, 3)", 1234),
        ("1234567890.125::DOUBLE", 123_456_789_012),
    ],
)
def test_amounts_are_exact_cents_half_even(opened: duckdb.DuckDBPyConnection, given: str, cents: int) -> None:
    row = checked(opened, amount=given)
    assert (row["amount_cents"], row["_reason"]) == (cents, None)


@pytest.mark.parametrize(
    ("column", "given", "reason"),
    [
        ("amount", "'abc'", "amount: 'abc' is not an amount of money"),
        ("amount", "'1,234.50'", "amount: '1,234.50' is not an amount of money"),
        ("amount", "'nan'", "amount: 'nan' is not an amount of money"),
        ("amount", "'nan'::DOUBLE", "amount: 'nan' is not an amount of money"),
        ("amount", "'inf'::DOUBLE", "amount: 'inf' is not an amount of money"),
        ("amount", "'1e30'", "amount: '1e30' is too large an amount"),
        ("amount", "1e30::DOUBLE", "amount: '1e+30' is too large an amount"),
        ("amount", "NULL::DOUBLE", "amount: is missing"),
        ("amount", "'  '", "amount: is missing"),
        ("customer_id", "''", "customer_id: is missing"),
        ("customer_id", "'nan'::DOUBLE", "customer_id: is missing"),
        ("customer_id", "repeat('x', 1001)", f"customer_id: '{'x' * 60}' is longer than 1000 characters"),
        ("occurred_at", "'13/01/2017'", "occurred_at: '13/01/2017' " + NO_TIME),
        ("occurred_at", "'2017-02-30'", "occurred_at: '2017-02-30' " + NO_TIME),
        ("occurred_at", "1512000000::DOUBLE", "occurred_at: '1512000000' " + NO_TIME),
        ("occurred_at", "'1969-12-31 12:00:00'", "occurred_at: '1969-12-31 12:00:00' is before 1970"),
        ("occurred_at", "'2026-01-01 00:00:00'", "occurred_at: '2026-01-01 00:00:00' lies in the future"),
        ("occurred_at", "'infinity'::TIMESTAMP", "occurred_at: 'infinity' lies in the future"),
        ("discount", "'-0.01'", "discount: '-0.01' is below 0"),
        ("quantity", "'inf'", "quantity: 'inf' is not a number"),
        ("quantity", "'two'", "quantity: 'two' is not a number"),
    ],
)  # fmt: skip
def test_bad_cells_have_their_reason(
    opened: duckdb.DuckDBPyConnection, column: str, given: str, reason: str
) -> None:
    assert checked(opened, **{column: given})["_reason"] == reason


def test_every_reason_and_the_values_are_kept(opened: duckdb.DuckDBPyConnection) -> None:
    row = checked(opened, customer_id="'13812345678'", amount="'x'", quantity="'y'")
    assert row["_reason"] == "amount: 'x' is not an amount of money; quantity: 'y' is not a number"
    assert '"amount":"x"' in row["_values"]
    assert "13***" in row["_values"]
    assert "2345678" not in row["_values"]


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("'2017-07-01 08:00:00'", "2017-07-01 08:00:00"),
        ("'2017-07-01T08:00:00Z'", "2017-07-01 08:00:00"),
        ("'2017-07-01T08:00:00.250+08:00'", "2017-07-01 00:00:00.250000"),
        ("'2017-07-01 08:00:00 -0400'", "2017-07-01 12:00:00"),
        ("'2017-07-01 08:00:00+08'", "2017-07-01 00:00:00"),
        ("'2017-07-01'", "2017-07-01 04:00:00"),
        ("'20170701'", "2017-07-01 04:00:00"),
        ("20170701::BIGINT", "2017-07-01 04:00:00"),
        ("DATE '2017-07-01'", "2017-07-01 04:00:00"),
        ("TIMESTAMP '2017-07-01 08:00:00'", "2017-07-01 08:00:00"),
        ("TIMESTAMP_NS '2017-07-01 08:00:00'", "2017-07-01 08:00:00"),
        ("timezone('Asia/Shanghai', TIMESTAMP '2017-07-01 08:00:00')", "2017-07-01 00:00:00"),
    ],
)
def test_instants_are_utc(opened: duckdb.DuckDBPyConnection, given: str, utc: str) -> None:
    row = checked(opened, occurred_at=given)
    assert (str(row["occurred_at"]), row["_reason"]) == (utc, None)


def test_naive_times_may_be_local(opened: duckdb.DuckDBPyConnection) -> None:
    local = Reading("America/New_York", "local", "", LATEST)
    for given in ("'2017-07-01 08:00:00'", "TIMESTAMP '2017-07-01 08:00:00'"):
        assert str(checked(opened, local, occurred_at=given)["occurred_at"]) == "2017-07-01 12:00:00"
    # 02:30 does not exist on the day daylight saving begins: it is taken an hour later.
    gap = checked(opened, local, occurred_at="'2017-03-12 02:30:00'")
    assert str(gap["occurred_at"]) == "2017-03-12 07:30:00"


def test_own_time_format(opened: duckdb.DuckDBPyConnection) -> None:
    timed = Reading("America/New_York", "utc", "%d/%m/%Y %H:%M", LATEST)
    assert (
        str(checked(opened, timed, occurred_at="'13/01/2017 08:00'")["occurred_at"]) == "2017-01-13 08:00:00"
    )
    dated = Reading("America/New_York", "utc", "%d/%m/%Y", LATEST)
    assert str(checked(opened, dated, occurred_at="'13/01/2017'")["occurred_at"]) == "2017-01-13 05:00:00"


def test_ids_keep_their_text(opened: duckdb.DuckDBPyConnection) -> None:
    for given, text in (("' 007 '", "007"), ("7::BIGINT", "7"), ("7::DOUBLE", "7"), ("7.5::DOUBLE", "7.5")):
        assert checked(opened, customer_id=given)["customer_id"] == text


def test_other_types(opened: duckdb.DuckDBPyConnection) -> None:
    relation = {"customer_id": "'c'", "purpose": "'m'", "stated_at": "'2017-01-02'", "granted": "'Yes'"}
    query = f"SELECT 1 AS _row, {', '.join(f'{value} AS {name}' for name, value in relation.items())}"
    part = Part("file", query, dict.fromkeys(relation, "VARCHAR"))
    names = {name: name for name in relation}
    sql = staged(TABLES["consents"], 0, part, names, NEW_YORK)
    assert opened.execute(f"SELECT granted, _reason FROM ({sql})").fetchall() == [(True, None)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2375", "2375"), ("C000123", "C000123"), ("13812345678", "13***"), ("a.b@example.com", "a.***")],
)
def test_masked(opened: duckdb.DuckDBPyConnection, text: str, shown: str) -> None:
    row = opened.execute(f"SELECT {masked('t')} FROM (SELECT '{text}' AS t)").fetchone()
    assert row == (shown,)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC", None])
def test_a_customers_time_zone_is_kept_as_it_is_written(
    opened: duckdb.DuckDBPyConnection, zone: str | None
) -> None:
    given = {"customer_id": "'c1'", "time_zone": "NULL::VARCHAR" if zone is None else f"'{zone}'"}
    found = one_row(opened, "customers", given)
    assert (found["time_zone"], found["_reason"]) == (zone, None)


@pytest.mark.parametrize("zone", ["asia/shanghai", "Mars/Olympus", "+08:00", "localtime"])
def test_an_unknown_time_zone_is_refused_in_one_sentence(
    opened: duckdb.DuckDBPyConnection, zone: str
) -> None:
    found = one_row(opened, "customers", {"customer_id": "'c1'", "time_zone": f"'{zone}'"})
    assert found["_reason"] == f"time_zone: '{zone}' is not an IANA time zone (write it as Asia/Shanghai)"
