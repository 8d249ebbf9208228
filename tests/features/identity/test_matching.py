from __future__ import annotations

import duckdb
import pytest

from features.identity.people import people
from tests.features.identity.conftest import Identify, Seen, at


def two(left: dict[str, str], right: dict[str, str]) -> list[Seen]:
    return [
        (who, 3, kind, value) for who, facts in (("a", left), ("b", right)) for kind, value in facts.items()
    ]


ANNA = {"name": "Anna Lindqvist", "birth_date": "1980-05-17"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ANNA, True),
        ({"name": "Lindqvist, ANNA", "birth_date": "17.05.1980"}, True),
        ({"first name": "Anna", "last name": "Lindqvist", "dob": "1980-05-17"}, True),
        ({**ANNA, "name": "Anna Lindqvst"}, True),
        ({**ANNA, "birth_date": "1980-05-07"}, False),
        ({**ANNA, "name": "Peter Lindqvist"}, False),
        ({"name": "Anna Lindqvist"}, False),
        ({"birth_date": "1980-05-17"}, False),
        ({"name": "unknown", "birth_date": "1980-05-17"}, False),
    ],
)
def test_who_is_similar(identify: Identify, other: dict[str, str], same: bool) -> None:
    assert (people(identify(two(ANNA, other))).customer("b") == "a") is same


def test_birth_date_and_sex_are_read_from_a_national_id(identify: Identify) -> None:
    left = {"name": "王小明", "national_id": "11010519491231002X"}
    assert people(identify(two(left, {"name": "王小明", "birth_date": "1949-12-31"}))).customer("b") == "a"


def test_a_link_has_the_day_of_the_last_fact_it_rests_on(identify: Identify) -> None:
    rows: list[Seen] = [
        ("a", 2, "name", "Anna Lindqvist"),
        ("a", 4, "birth_date", "1980-05-17"),
        ("b", 3, "name", "Anna Lindqvist"),
        ("b", 9, "birth_date", "1980-05-17"),
        ("b", 20, "sex", "female"),
    ]
    workspace = identify(rows)
    assert (at(workspace, 9).customer("b"), at(workspace, 10).customer("b")) == ("b", "a")


def test_of_a_block_the_first_are_compared(identify: Identify) -> None:
    toml = 'name = "made"\n[identity]\nblock_references = 2\n'
    rows = [(name, day, kind, value) for day, name in enumerate("abc", 3) for kind, value in ANNA.items()]
    assert people(identify(rows, toml=toml)).customer_of == {"b": "a"}


def test_reasons_name_levels_and_no_values(identify: Identify) -> None:
    workspace = identify(two(ANNA, {**ANNA, "name": "Anna Lindqvst"}))
    with duckdb.connect() as opened:
        rows = opened.execute(f"SELECT reason FROM '{workspace.identity}/links.parquet'").fetchall()
    assert rows == [("similar: name near, birth_date exact",)]
