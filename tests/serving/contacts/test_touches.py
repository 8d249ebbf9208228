from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from features.customer_store.events import Event
from features.customer_store.owners import Owners
from features.tiles import FOREVER
from serving.contacts.standing import ACCEPTED, COMPLAINED, SHOWN
from serving.contacts.tables import NO_DEADLINE
from serving.contacts.touches import ONE_BY_ONE, Touch, Touches

# `b` is `a` from day 10 on.
OWNERS = Owners({"b": [("b", -1, 10), ("a", 10, FOREVER)]}, {"a": {"b"}, "b": {"b"}})
AT = datetime.fromisoformat("1970-01-06T00:00:01")


class Own:
    """Two contacts and a complaint, of `a` and of `b`."""

    given = (
        Touch("a", 5, 1, "wash", "app", SHOWN),
        Touch("b", 6, 2, "wash", "app", SHOWN),
        Touch("b", 7, 3, "wash", "app", COMPLAINED),
    )

    def touches(self, references: Sequence[str] | None, before: int | None) -> Iterable[Touch]:
        return [
            touch
            for touch in self.given
            if (references is None or touch.reference in references)
            and (before is None or touch.day < before)
        ]

    def contacted(self, action: str, since: int, before: int | None) -> int:
        return len([t for t in self.touches(None, before) if t.action == action and t.day >= since])


class Posted:
    """An applier that knows these events of everybody."""

    def __init__(self, *events: tuple[Event, int, int]) -> None:
        self.events = events

    def of_customers(self, customers: Sequence[str]) -> list[tuple[int, Event, int, int]]:
        return [(customers.index(each[0].customer_id), *each) for each in self.events]


def event(table: str, day: int = 5, **values: Any) -> Event:
    return Event(table, "1", "a", AT, AT, day, day, values)


def own(customers: Sequence[str], as_of: int, *, live: bool = True) -> Touches:
    found = Touches.none()
    found.add_own(Own(), OWNERS, customers, as_of, live=live)
    return found


def test_own_contacts_count_for_whom_the_reference_is_then() -> None:
    assert [(row, t.day) for row, t in own(["b", "a"], 10).touches] == [(0, 6), (0, 7), (1, 5)]
    joined = own(["b", "a"], 11)
    assert sorted((row, t.day) for row, t in joined.touches) == [(1, 5), (1, 6), (1, 7)]
    assert joined.complaints == [(1, 3, 7, False, NO_DEADLINE)]
    assert [t.day for _, t in own(["a"], 7, live=False).touches] == [5]


def test_a_sweep_finds_what_looking_up_finds() -> None:
    names = [*(f"x{number}" for number in range(ONE_BY_ONE)), "b", "a"]
    for as_of in (10, 11):
        few, many = own(["b", "a"], as_of), own(names, as_of)
        assert sorted((row + ONE_BY_ONE, t) for row, t in few.touches) == sorted(many.touches)


def test_posted_events_are_sorted_into_what_they_are_about() -> None:
    events = (
        event("exposures", action_id="wash", channel=" App "),
        event("responses", kind="Click"),
        event("responses", kind="something else"),
        event("service_events", kind="complaint"),
        event("service_events", kind="visit", status=" Resolved", deadline_at=AT + timedelta(microseconds=1)),
        event("service_events", kind="visit"),
        event("consents", purpose="Marketing", granted=False),
    )
    found = Touches.none()
    found.add_posted(Posted(*((each, 5, FOREVER) for each in events)), ["b", "a"], 5, live=True)
    at = 5 * 86_400_000_000 + 1_000_000
    assert found.touches == [
        (1, Touch("a", 5, at, "wash", "app", SHOWN)),
        (1, Touch("a", 5, at, "", "", ACCEPTED)),
    ]
    assert found.complaints == [(1, at, 5, False, NO_DEADLINE), (1, at, 5, True, at + 1)]
    assert found.consents == [(1, at, ("marketing", ""), False)]


def test_a_past_answer_counts_only_what_was_known_by_then() -> None:
    late = (event("exposures"), 8, FOREVER)
    gone = (event("exposures"), 5, 6)
    for as_of, live, count in ((8, False, 0), (9, False, 1), (8, True, 1), (6, True, 2), (6, False, 1)):
        found = Touches.none()
        found.add_posted(Posted(late, gone), ["a"], as_of, live=live)
        assert len(found.touches) == count
