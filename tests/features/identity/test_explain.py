"""Explanations, and corrections that stay."""

from __future__ import annotations

from datetime import date

import pytest

from features.errors import UserError
from features.identity import resolution
from features.identity.explain import explain, merge, split
from features.identity.people import people
from tests.features.identity.conftest import LAST, Identify, Seen, at

ROWS: list[Seen] = [
    ("a", 3, "phone", "13812345678"),
    ("b", 5, "phone", "138-1234-5678"),
    ("c", 7, "plate", "京A12345"),
    ("c", 7, "card", "6222000011112222"),
]


@pytest.mark.parametrize("given", ["a", "b", "13812345678", "+86 138 1234 5678"])
def test_explained_by_any_of_its_ids(identify: Identify, given: str) -> None:
    (one,) = explain(identify(ROWS), given)
    (link,) = one.links
    assert (one.customer_id, one.aliases, one.household_id) == ("a", ("b",), None)
    assert (link.reference_a, link.reference_b, link.kind, link.reason) == ("a", "b", "person", "same phone")
    assert (link.probability, link.known, link.state) == (0.99, date(2024, 1, 5), "counts")
    assert link.evidence.startswith("hash_")


def test_an_identifier_of_several_customers(identify: Identify) -> None:
    rows: list[Seen] = [("a", 3, "phone", "13812345678"), ("b", 5, "phone", "13812345678")]
    rows += [("a", 3, "name", "Bruno Albrecht"), ("b", 5, "name", "Klara Albrecht")]
    workspace = identify(rows)
    both = explain(workspace, "13812345678")
    assert [(one.customer_id, one.household) for one in both] == [("a", ("b",)), ("b", ("a",))]
    with pytest.raises(UserError, match="2 references have that identifier: a, b"):
        split(workspace, "13812345678")


def test_nobody(identify: Identify) -> None:
    with pytest.raises(UserError, match="no customer, reference or identifier is that one") as error:
        explain(identify(ROWS), "13000000001")
    assert "13000000001" not in str(error.value)


def test_a_split_survives_every_ingest(identify: Identify) -> None:
    workspace = identify(ROWS)
    before = resolution.fingerprint(workspace)
    changed = split(workspace, "b")
    assert changed.customers == {"a": "a", "b": "b"}
    assert changed.from_date == date(2024, 2, 1)
    assert resolution.fingerprint(workspace) != before
    assert at(workspace, LAST).customer("b") == "a"
    for rows in (ROWS, [("d", 9, "phone", "13812345678")]):
        workspace = identify(rows)
        assert people(workspace).customer("b") == "b"
    assert people(workspace).references("a") == ("a", "d")
    (one,) = explain(workspace, "b")
    assert {link.state for link in one.links} == {"overruled"}
    assert [made.what for made in one.corrections] == ["split"]


def test_a_merge_survives_and_a_later_split_takes_it_back(identify: Identify) -> None:
    workspace = identify(ROWS)
    merge(workspace, "6222-0000-1111-2222", "b")
    assert people(workspace).references("a") == ("a", "b", "c")
    assert people(identify(ROWS)).references("a") == ("a", "b", "c")
    assert any(link.reason == "merged by hand" for link in explain(workspace, "c")[0].links)
    split(workspace, "c")
    assert people(identify(ROWS)).references("a") == ("a", "b")


def test_corrections_that_change_nothing(identify: Identify) -> None:
    workspace = identify(ROWS)
    with pytest.raises(UserError, match="nothing to split"):
        split(workspace, "c")
    with pytest.raises(UserError, match="one customer already: a"):
        merge(workspace, "a", "b")


def test_references_without_identities_can_be_merged(identify: Identify) -> None:
    lines = "customer_id,occurred_at,amount\nx,2024-01-31,1\ny,2024-01-31,1\n"
    workspace = identify([], {"transactions.csv": lines})
    merge(workspace, "y", "x")
    assert people(workspace).references("x") == ("x", "y")
