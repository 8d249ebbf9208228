from __future__ import annotations

from features.identity.people import people, resolve
from tests.features.identity.conftest import LAST, Identify, Seen, at

ROWS: list[Seen] = [("a", 3, "phone", "13812345678"), ("13987654321", 5, "phone", "13812345678")]


def test_who_is_who(identify: Identify) -> None:
    workspace = identify(ROWS)
    now = people(workspace)
    (alias,) = now.aliases["a"]
    assert alias.startswith("hash_")
    assert (now.customer(alias), now.customer("a"), now.customer("stranger")) == ("a", "a", "stranger")
    assert now.references("a") == ("a", alias)
    assert at(workspace, 4).aliases == {}
    assert people(workspace) is now


def test_resolve_takes_what_a_source_sends(identify: Identify) -> None:
    workspace = identify(ROWS)
    assert resolve(workspace, "139 8765 4321") == "a"
    assert resolve(workspace, "a") == "a"
    assert resolve(workspace, "nobody") == "nobody"


def test_now_is_the_workspaces_clock(identify: Identify) -> None:
    workspace = identify([*ROWS[:1], ("b", 30, "phone", "13812345678"), ("c", LAST, "phone", "13812345678")])
    assert people(workspace).references("a") == ("a", "b", "c")
