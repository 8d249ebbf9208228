from __future__ import annotations

import math
import re
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from features import session
from features.canonical import Canonical
from features.errors import UserError
from features.ingestion import contracts as quality
from features.tables import TABLES
from features.workspace import Workspace

WHEN = datetime(2017, 3, 1, 8, 30)  # noqa: DTZ001
DAY = (WHEN.date() - date(1970, 1, 1)).days


def whole_row(name: str, number: int = 0) -> dict[str, Any]:
    """A row that keeps the contract, every column given."""
    values: dict[str, Any] = {
        "VARCHAR": f"text {number}",
        "BIGINT": 2000 + number,
        "INTEGER": DAY,
        "DOUBLE": 0.5,
        "TIMESTAMP": WHEN,
        "DATE": WHEN.date(),
        "BOOLEAN": True,
    }
    row = {field.name: values[field.kind] for field in quality.fields(TABLES[name])}
    for field in quality.fields(TABLES[name]):
        if field.allowed:
            row[field.name] = field.allowed[0]
        if field.hashed:
            row[field.name] = f"hash_{number}"
    return row


def store(file: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    with duckdb.connect() as connection:
        columns = ", ".join(f"{column} {kind}" for column, kind in TABLES[name].stored.items())
        connection.execute(f"CREATE TABLE rows ({columns})")
        marks = ", ".join("?" for _ in TABLES[name].stored)
        for row in rows:
            connection.execute(f"INSERT INTO rows VALUES ({marks})", list(row.values()))
        connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")
    return file


def refusals(name: str, file: Path) -> list[str]:
    """What ingest's check and pandera say of a stored table; empty texts when they keep silent."""
    said = []
    for check in (
        lambda: quality.verify(session.connect(), TABLES[name], file),
        lambda: quality.validate(name, file),
    ):
        try:
            check()
            said.append("")
        except UserError as error:
            said.append(f"{error.exit_code.name} {error}")
    return said


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_contract_that_a_whole_row_keeps(tmp_path: Path, name: str) -> None:
    contract = quality.schema(name)
    assert list(contract.columns) == list(TABLES[name].stored)
    rows = [whole_row(name, number) for number in range(3)]
    bare = {
        field.name: rows[0][field.name] if field.required else None for field in quality.fields(TABLES[name])
    }
    if TABLES[name].key:
        bare |= {key: whole_row(name, 9)[key] for key in TABLES[name].key}
    file = store(tmp_path / "rows.parquet", name, [*rows, bare])
    assert refusals(name, file) == ["", ""]


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("transactions", {"customer_id": None}, "customer_id is missing in 1 row."),
    ("transactions", {"known_at": None}, "known_at is missing"),
    ("transactions", {"day": None}, "day is missing"),
    ("transactions", {"amount_cents": 2 * 10**18}, "amount_cents is not from"),
    ("transactions", {"discount_cents": -1}, "discount_cents is not from 0"),
    ("transactions", {"quantity": math.inf}, "quantity is not from"),
    ("transactions", {"quantity": math.nan}, "quantity is not from"),
    ("transactions", {"basket_id": ""}, "basket_id is empty or longer"),
    ("transactions", {"store_id": "x" * 1001}, "store_id is empty or longer"),
    ("transactions", {"known_day": DAY - 1}, "known_day is before day"),
    ("transactions", {"known_at": datetime(2017, 2, 28)}, "known_at is before occurred_at"),  # noqa: DTZ001
    ("transactions", {"occurred_at": datetime(1969, 12, 31)}, "occurred_at is not from"),  # noqa: DTZ001
    ("transactions", {"event_id": "text 1"}, "event_id comes again in 1 row."),
    ("customers", {"birth_year": 1700}, "birth_year is not from 1850 to 2200"),
    ("customers", {"customer_id": "text 1"}, "customer_id comes again"),
    ("vehicles", {"plate": "A12345"}, "plate is no keyed hash"),
    ("identities", {"value": "13812345678"}, "value is no keyed hash"),
    ("service_events", {"kind": "praise"}, "kind is not one of complaint"),
    ("contracts", {"starts_at": datetime(2300, 1, 1)}, "starts_at is not from"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("name", "fault", "words"), FAULTS)
def test_sql_and_pandera_refuse_the_same_rows(
    tmp_path: Path, name: str, fault: dict[str, Any], words: str
) -> None:
    rows = [whole_row(name, number) for number in range(3)]
    rows[0] |= fault
    by_sql, by_pandera = refusals(name, store(tmp_path / "rows.parquet", name, rows))
    assert by_sql.startswith("BAD_DATA")
    assert by_pandera.startswith("BAD_DATA")
    assert words in by_sql
    assert "breaks its contract" in by_pandera
    assert "13812345678" not in by_sql + by_pandera


def test_other_columns_or_types_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "stores.parquet"
    kinds = {column: kind for column, kind in TABLES["stores"].stored.items() if column != "opened_on"}
    for last in ("1 AS opened_on", "DATE '2017-01-01' AS opening"):
        cells = ", ".join(f"CAST('1' AS {kind}) AS {column}" for column, kind in kinds.items())
        duckdb.connect().execute(f"COPY (SELECT {cells}, {last}) TO '{file}'")
        by_sql, by_pandera = refusals("stores", file)
        assert "its columns or their types are others" in by_sql
        assert "breaks its contract" in by_pandera


def test_what_ingest_published_keeps_its_contracts(ingested_slice: Workspace) -> None:
    canonical = Canonical.open(ingested_slice)
    for name in canonical.tables:
        assert refusals(name, canonical.path(name)) == ["", ""]


def test_a_frame_in_memory_is_validated_as_it_is(tmp_path: Path) -> None:
    file = store(tmp_path / "stores.parquet", "stores", [whole_row("stores", 1)])
    frame = pd.read_parquet(file, dtype_backend="pyarrow")
    assert quality.schema("stores").validate(frame).equals(frame)


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(
        UserError, match=re.escape("table not found: 'product'. Hint: did you mean 'products'?")
    ):
        quality.schema("product")


def test_pandera_does_not_load_spark() -> None:
    before = sys.modules.get("pyspark")
    quality.schema("stores")
    assert sys.modules.get("pyspark") is before
