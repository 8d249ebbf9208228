"""Areas of customers, and keys that are limited to some."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.customer_store.history import History
from features.customer_store.rows import Keyed
from serving.access.areas import Areas, check
from serving.access.keys import Key
from serving.messages.problems import ProblemError

AREAS = Areas({"told": "North"}, {"s0": "Harbour", "s1": "Old Town"})
STORE: Any = SimpleNamespace(stores=np.array(["s0", "s1", "s2"]))


def history(*baskets: tuple[int, int]) -> History:
    """Baskets by store's code and day."""
    rows = sorted(baskets)
    days = [day for _, day in rows]
    return History("c", stores=Keyed.of([code for code, _ in rows], days, days, [1] * len(rows)))


@pytest.mark.parametrize(
    ("customer", "baskets", "area"),
    [
        ("told", [(0, 3)], "North"),
        ("c", [(0, 3), (1, 4), (1, 5)], "Old Town"),
        ("c", [(0, 3), (1, 4)], "Old Town"),
        ("c", [(0, 3), (1, 12), (1, 13)], "Harbour"),
        ("c", [(2, 3)], None),
        ("c", [], None),
    ],
)
def test_what_is_said_counts_then_where_the_customer_goes_before_the_day(
    customer: str, baskets: list[tuple[int, int]], area: str | None
) -> None:
    assert AREAS.of(customer, history(*baskets), 10, STORE) == area


def test_nobody_has_seen_the_customer() -> None:
    assert AREAS.of("c", None, 10, STORE) is None


def test_a_key_is_limited_to_its_areas() -> None:
    key = Key("north", areas=frozenset({"North"}))
    for allowed in ("North", None):
        check(key, allowed)
    check(Key("all"), "Harbour")
    with pytest.raises(ProblemError, match="this key may ask about customers of North only") as refused:
        check(key, "Harbour")
    assert refused.value.status == 403
