from __future__ import annotations

import duckdb
import pytest

from features.identity import keys


def sql(expression: str, *values: str) -> object:
    with duckdb.connect() as opened:
        row = opened.execute(f"SELECT {expression} FROM (SELECT $1 AS kind, $2 AS value)", values).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("Mobile", "phone"),
        ("Number plate", "plate"),
        ("openid", "open_id"),
        ("DOB", "birth_date"),
        ("Shoe", "shoe"),
    ],
)
def test_kinds_have_one_name(given: str, kind: str) -> None:
    assert sql(keys.kind("kind"), given, "") == kind


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("plate", "京a·\uff112345", "京A12345"),
        ("card", "6222-0000 1111", "622200001111"),
        ("phone", "\uff11\uff13\uff18 1234 5678", "138 1234 5678"),
        ("name", "Anna\u3000Li", "Anna Li"),
    ],
)
def test_what_is_hashed(kind: str, value: str, written: str) -> None:
    assert sql(keys.written("kind", "value"), kind, value) == written
    assert written in keys.forms(value)


@pytest.mark.parametrize(
    ("kind", "value", "credible"),
    [
        ("national_id", "11010519491231002X", True),
        ("national_id", "11010519491231002x", True),
        ("national_id", "110105194912310021", False),
        ("national_id", "AB123456C", True),
        ("phone", "13812345678", True),
        ("phone", "0000 0000 000", False),
        ("card", "9999999999999999", False),
        ("card", " ", False),
    ],
)
def test_what_cannot_be_an_identifier(kind: str, value: str, credible: bool) -> None:
    assert keys.is_credible(kind, value) is credible
