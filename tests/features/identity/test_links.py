"""What evidence says, end to end on a few identities."""

from __future__ import annotations

import duckdb
import pytest

from features.identity.people import people
from features.workspace import Workspace
from tests.features.identity.conftest import Identify, Seen, at

FAMILY: list[Seen] = [
    ("father", 3, "phone", "13812345678"),
    ("father", 3, "name", "Bruno Albrecht"),
    ("daughter", 5, "phone", "13812345678"),
    ("daughter", 9, "name", "Klara Albrecht"),
    ("father", 3, "birth_date", "1961-02-03"),
    ("daughter", 9, "birth_date", "1993-11-21"),
]


def listed(workspace: Workspace) -> list[tuple[object, ...]]:
    with duckdb.connect() as opened:
        query = "SELECT reference_a, reference_b, kind, reason, known_day - 19722, to_day - 19722"
        return opened.execute(f"{query} FROM '{workspace.identity}/links.parquet' ORDER BY ALL").fetchall()


def test_a_family_phone_is_a_household_once_it_is_known_to_be_one(identify: Identify) -> None:
    workspace = identify(FAMILY)
    assert at(workspace, 8).customer_of == {"daughter": "father"}
    after = at(workspace, 10)
    assert after.customer_of == {}
    assert after.housemates("father") == ("daughter",)
    assert [row[2:5] for row in listed(workspace)] == [
        ("household", "shared phone", 9),
        ("person", "same phone", 5),
    ]


def test_more_holders_than_a_person_has_are_a_household_and_still_more_are_nothing(
    identify: Identify,
) -> None:
    toml = 'name = "made"\n[identity]\nperson_references = 2\nhousehold_references = 3\n'
    rows = [(name, day, "card", "6222000011112222") for day, name in enumerate("abcd", 3)]
    workspace = identify(rows, toml=toml)
    assert at(workspace, 5).customer_of == {"b": "a"}
    assert (at(workspace, 6).customer_of, set(at(workspace, 6).household_of)) == ({}, set("abc"))
    assert people(workspace).household_of == {}


@pytest.mark.parametrize(("second", "person"), [("440308199901010012", "b"), ("440308199901010015", "a")])
def test_two_national_ids_on_one_phone_are_two_people(identify: Identify, second: str, person: str) -> None:
    """Unless the check digit of one is wrong: then it is no number, and parts nobody."""
    rows: list[Seen] = [(name, 3, "phone", "13812345678") for name in "ab"]
    rows += [("a", 4, "id_card", "11010519491231002X"), ("b", 4, "national_id", second)]
    assert people(identify(rows)).customer("b") == person


def test_a_number_of_zeros_links_nobody(identify: Identify) -> None:
    workspace = identify([("a", 3, "phone", "00000000000"), ("b", 3, "phone", "00000000000")])
    assert (people(workspace).customer_of, people(workspace).household_of) == ({}, {})
