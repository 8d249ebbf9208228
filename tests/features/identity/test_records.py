from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from features import session
from features.identity import records, writings
from features.session import write_parquet

Versions = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    def go(rows: Sequence[tuple[str, int, str, str]], columns: str) -> list[tuple[object, ...]]:
        with session.connect() as opened:
            writings.nothing(opened)
            opened.execute(f"CREATE TEMP TABLE {records.VOID} (hash VARCHAR)")
            opened.execute("CREATE TABLE i (customer_id VARCHAR, day INTEGER, kind VARCHAR, value VARCHAR)")
            for who, seen, kind, value in rows:
                opened.execute("INSERT INTO i VALUES (?, ?, ?, md5(?))", [who, seen, kind, value])
                opened.execute(
                    f"INSERT INTO {writings.WRITINGS} VALUES (?, ?, md5(?), ?)", [who, kind, value, value]
                )
            write_parquet(opened, "SELECT *, day AS known_day FROM i", tmp_path / "i.parquet")
            records.write(opened, {"identities": tmp_path / "i.parquet"})
            return opened.execute(f"SELECT {columns} FROM {records.RECORDS} ORDER BY record").fetchall()

    return go


def test_a_record_grows(versions: Versions) -> None:
    rows = [("a", 5, "phone", "+86 138 1234 5678"), ("a", 3, "name", "Li, Anna"), ("a", 9, "name", "Anna Ly")]
    found = versions(rows, "reference, day, name, phone")
    assert found == [
        ("a", 3, "anna li", None),
        ("a", 5, "anna li", "3812345678"),
        ("a", 9, "anna ly", "3812345678"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "column", "form"),
    [
        ("birth_date", "17.05.1980", "birth_date", "1980-05-17"),
        ("birth_date", "19800517", "birth_date", "1980-05-17"),
        ("birth_date", "1900-01-01", "birth_date", None),
        ("birth_date", "soon", "birth_date", None),
        ("birth_year", "1980", "birth_year", 1980),
        ("sex", "女", "sex", "f"),
        ("name", "N/A.", "name", None),
        ("name", "欧阳小明", "name", "欧阳小明"),
        ("name", "王小明", "name", "小明 王"),
        ("name", "José  O'Neil", "name", "jose neil o"),
        ("address", "5, Elm St.", "address", "5 elm st"),
        ("national_id", "11010519491231002X", "birth_date", "1949-12-31"),
        ("national_id", "11010519491231002X", "sex", "f"),
    ],
)
def test_forms(versions: Versions, kind: str, value: str, column: str, form: object) -> None:
    assert versions([("a", 1, kind, value)], column) == [(form,)]
