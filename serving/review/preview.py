"""Who would gain and lose what, if another catalogue were active: found before it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.output import figure, table
from serving.catalogue.actions import NONE
from serving.review.outlook import NOTHING, AtPlace, Outlook

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES: Final = 3


@dataclass(frozen=True)
class Change:
    """What changes for one action, or for doing nothing, at one place; counted by what stands first.

    Attributes:
        place: the place.
        action: its id; "none": nothing is offered.
        before: customers for whom it stands first today.
        after: customers for whom it would.
        gained: customers who would get it and do not today.
        lost: customers who get it today and would not.
        instead: what most of those who lose it would get, "" when nobody does.
        before_cents: expected value of those who get it today.
        after_cents: expected value of those who would.
        gaining: ids of some who gain it, those first for whom the expected value rises most.
        losing: ids of some who lose it, those first for whom the expected value falls most.
    """

    place: str
    action: str
    before: int
    after: int
    gained: int
    lost: int
    instead: str
    before_cents: int
    after_cents: int
    gaining: tuple[str, ...]
    losing: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """One place before and after.

    Attributes:
        place: the place.
        changed: customers for whom something else would stand first.
        before_cents: expected value of what stands first today.
        after_cents: of what would, by the numbers of the new catalogue.
    """

    place: str
    changed: int
    before_cents: int
    after_cents: int


@dataclass(frozen=True)
class PreviewReport:
    """What a catalogue would change.

    Attributes:
        before: version of the active catalogue.
        after: version of the other.
        as_of: day of the base.
        customers: of the base.
        totals: by place.
        changes: actions at places for which anything changes; the place's order, then most changed first.
    """

    before: str
    after: str
    as_of: str
    customers: int
    totals: tuple[Total, ...]
    changes: tuple[Change, ...]

    def lines(self) -> list[str | Table]:
        """The report for people."""
        head = f"catalogue {self.before} -> {self.after} on {self.customers:,} customers as of {self.as_of}"
        totals = [
            (t.place, f"{t.changed:,}", figure(t.before_cents, "cents"), figure(t.after_cents, "cents"))
            for t in self.totals
        ]
        grid = table("places", ("place", "customers with another first", "expected", "would be"), totals)
        if not self.changes:
            return [head, grid, "nothing changes for anybody."]
        columns = ("place", "action", "first", "would be", "gain", "lose", "expected", "would be", "examples")
        rows = [
            (
                change.place,
                change.action,
                f"{change.before:,}",
                f"{change.after:,}",
                f"{change.gained:,}",
                f"{change.lost:,}" + (f" (most to {change.instead})" if change.instead else ""),
                figure(change.before_cents, "cents"),
                figure(change.after_cents, "cents"),
                " ".join([*(f"+{name}" for name in change.gaining), *(f"-{name}" for name in change.losing)]),
            )
            for change in self.changes
        ]
        return [head, grid, table("who gains and loses what", columns, rows)]


def compare(before: Outlook, after: Outlook) -> PreviewReport:
    """What changes from one catalogue to another for the same base."""
    totals, changes = [], []
    for place in {**before.places, **after.places}:
        old, new = _Firsts.of(before, place), _Firsts.of(after, place)
        changed = int((old.action != new.action).sum())
        totals.append(Total(place, changed, int(old.cents.sum()), int(new.cents.sum())))
        found = _changes(place, before.customer_id, old, new)
        changes += sorted(found, key=lambda change: (-change.gained - change.lost, change.action))
    return PreviewReport(
        before=before.catalogue.version,
        after=after.catalogue.version,
        as_of=str(clock.to_date(before.as_of)),
        customers=len(before.customer_id),
        totals=tuple(totals),
        changes=tuple(changes),
    )


@dataclass(frozen=True)
class _Firsts:
    """What stands first for each of n customers: action ids, and expected values in cents."""

    action: NDArray[Any]
    cents: NDArray[np.int64]

    @classmethod
    def of(cls, outlook: Outlook, place: str) -> _Firsts:
        seen: Mapping[str, AtPlace] = outlook.places
        if place not in seen:
            size = len(outlook.customer_id)
            return cls(np.full(size, NONE, dtype=object), np.zeros(size, dtype=np.int64))
        # Position -1, for nothing, finds the last of the names.
        assert NOTHING == -1
        names = np.array([*seen[place].actions, NONE], dtype=object)
        return cls(names[seen[place].first], seen[place].expected)


def _changes(place: str, customers: NDArray[Any], old: _Firsts, new: _Firsts) -> Iterator[Change]:
    rise = new.cents - old.cents
    for action in sorted({*old.action.tolist(), *new.action.tolist()}):
        had, has = old.action == action, new.action == action
        gained, lost = np.flatnonzero(has & ~had), np.flatnonzero(had & ~has)
        before_cents, after_cents = int(old.cents[had].sum()), int(new.cents[has].sum())
        if not len(gained) and not len(lost) and before_cents == after_cents:
            continue
        names, counts = np.unique(new.action[lost].astype(np.str_), return_counts=True)
        yield Change(
            place=place,
            action=action,
            before=int(had.sum()),
            after=int(has.sum()),
            gained=len(gained),
            lost=len(lost),
            instead=str(names[counts.argmax()]) if len(names) else "",
            before_cents=before_cents,
            after_cents=after_cents,
            gaining=tuple(customers[gained[np.argsort(-rise[gained], kind="stable")[:EXAMPLES]]].tolist()),
            losing=tuple(customers[lost[np.argsort(rise[lost], kind="stable")[:EXAMPLES]]].tolist()),
        )
