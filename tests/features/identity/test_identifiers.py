"""Customers by phone, card, plate and open id."""

from __future__ import annotations

import pytest

from features.canonical import Canonical
from features.identity.identifiers import Identifiers
from features.identity.profile import Vehicle
from features.pseudonyms import Pseudonyms
from features.workspace import Workspace
from tests.features.identity.conftest import Identify, Seen

ROWS: list[Seen] = [
    ("a", 3, "phone", "13812345678"),
    ("b", 5, "mobile", "138-1234-5678"),
    ("c", 7, "plate", "京A12345"),
    ("c", 7, "card", "6222000011112222"),
    ("c", 7, "wechat", "oX-9f_Aq"),
]


def index(workspace: Workspace) -> Identifiers:
    return Identifiers.read(Canonical.open(workspace), Pseudonyms(workspace))


@pytest.mark.parametrize(
    ("kind", "given", "customer"),
    [
        ("phone", "13812345678", "a"),
        ("phone", "+86 138 1234 5678", "a"),
        ("plate", "京A·12345", "c"),
        ("plate", " 京a 12345", "c"),
        ("card", "6222-0000-1111-2222", "c"),
        ("open_id", "oX-9f_Aq", "c"),
    ],
)
def test_every_writing_of_an_identifier_finds_its_customer(
    identify: Identify, kind: str, given: str, customer: str
) -> None:
    assert index(identify(ROWS)).holders(kind, given) == [customer]


@pytest.mark.parametrize(
    ("kind", "given"), [("phone", "13900000000"), ("card", "13812345678"), ("plate", "")]
)
def test_an_identifier_that_nobody_has(identify: Identify, kind: str, given: str) -> None:
    found = index(identify(ROWS))
    assert found.holders(kind, given) == []
    assert found.digest(given).startswith("hash_")
    assert found.digest("京A·12345") == found.digest("京a 12345")


def test_a_shared_identifier_gives_the_one_seen_with_it_last_first(identify: Identify) -> None:
    rows: list[Seen] = [("a", 3, "phone", "13812345678"), ("b", 5, "phone", "13812345678")]
    rows += [("a", 6, "name", "Bruno Albrecht"), ("b", 2, "name", "Klara Albrecht")]
    assert index(identify(rows)).holders("phone", "13812345678") == ["b", "a"]


def test_another_id_of_a_customer(identify: Identify) -> None:
    found = index(identify(ROWS))
    assert [found.owner(given) for given in ("a", "b", "nobody")] == ["a", "a", "nobody"]


def test_a_source_without_identifiers_has_none(identify: Identify) -> None:
    workspace = identify(ROWS)
    Canonical.open(workspace).path("identities").unlink()
    assert index(workspace).holders("phone", "13812345678") == []


def test_the_vehicle_of_a_plate(identify: Identify) -> None:
    vehicles = "customer_id,plate,kind,fuel,model_year\nc,京A12345,car,98 octane,2019\nd,京B54321,lorry,,\n"
    found = index(identify(ROWS, {"vehicles.csv": vehicles}))
    assert found.vehicle_of("京a·12345") == Vehicle("car", "98 octane", None, 2019)
    assert found.vehicle_of("京B54321") == Vehicle("lorry", None, None, None)
    assert found.holders("plate", "京A12345") == ["c"]
    assert found.vehicle_of("13812345678") is None
    assert index(identify(ROWS)).vehicle_of("京X00000") is None
