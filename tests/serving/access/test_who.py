"""Whom a request is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from features.identity.identifiers import KINDS, Identifiers
from features.identity.profile import Vehicle
from features.pseudonyms import KEY_VARIABLE, PREFIX, Pseudonyms
from features.workspace import Workspace
from serving.access.who import Found, find
from serving.messages.schemas import Customer


@pytest.fixture
def identifiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Identifiers:
    """The phone of a and b, whom b has shown last, the plate of c, and an old id of a."""
    monkeypatch.setenv(KEY_VARIABLE, "a key of the tests")
    pseudonyms = Pseudonyms(Workspace(tmp_path), plain_ids=False)
    rows = [("13812345678", "phone", 1), ("13812345678", "phone", 0), ("京A12345", "plate", 2)]
    hashes = [pseudonyms.of_value(value).removeprefix(PREFIX) for value, _, _ in rows]
    order = sorted(range(len(rows)), key=lambda row: hashes[row])

    def column(values: list[int], kind: type[np.generic]) -> Any:
        return np.array(values, dtype=kind)[order]

    return Identifiers(
        high=column([int(text[:16], 16) for text in hashes], np.uint64),
        low=column([int(text[16:], 16) for text in hashes], np.uint64),
        kind=column([KINDS.index(kind) for _, kind, _ in rows], np.int8),
        customer=column([customer for _, _, customer in rows], np.int32),
        vehicle=column([-1, -1, 0], np.int32),
        vehicles=(Vehicle("car", "98 octane", None, 2019),),
        customers=np.array(["a", "b", "c"]),
        aliases={"old a": "a"},
        pseudonyms=pseudonyms,
    )


def test_by_id_by_an_older_id_and_by_an_identifier(identifiers: Identifiers) -> None:
    assert find(identifiers, Customer(customer_id="a")) == Found("a")
    assert find(identifiers, Customer(customer_id="old a")) == Found("a")
    found = find(identifiers, Customer(plate="京a·12345"))
    assert found == Found("c", "plate", 1)
    assert found.degraded() == []


def test_a_shared_identifier_says_so(identifiers: Identifiers) -> None:
    found = find(identifiers, Customer(phone="138 1234 5678"))
    assert found == Found("b", "phone", 2)
    (sentence,) = found.degraded()
    assert sentence.startswith("the phone belongs to 2 customers: the answer is for the one who was seen")


def test_an_identifier_of_nobody_is_a_hash(identifiers: Identifiers) -> None:
    found = find(identifiers, Customer(plate="京Z99999"))
    assert found.customer_id.startswith(PREFIX)
    assert (found.by, found.holders, found.degraded()) == ("plate", 0, [])


@pytest.mark.parametrize("given", [{}, {"customer_id": "a", "plate": "x"}, {"plate": None}])
def test_exactly_one_way_to_name_a_customer(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give exactly one of customer_id, phone, card, plate"):
        Customer(**given)
