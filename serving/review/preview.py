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
from serving.scoring.meanings import LANGUAGES

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
class Reworded:
    """An action of both catalogues that says something else.

    Attributes:
        action: its id.
        fields: which of "name" and "text" change.
        languages: the languages in which they do.
        customers: customers who would read it: for whom it would stand first at any place.
    """

    action: str
    fields: tuple[str, ...]
    languages: tuple[str, ...]
    customers: int


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
        reworded: actions whose names or texts change, by id.
    """

    before: str
    after: str
    as_of: str
    customers: int
    totals: tuple[Total, ...]
    changes: tuple[Change, ...]
    reworded: tuple[Reworded, ...] = ()

    def lines(self) -> list[str | Table]:
        """The report for people."""
        head = f"catalogue {self.before} -> {self.after} on {self.customers:,} customers as of {self.as_of}"
        totals = [
            (t.place, f"{t.changed:,}", figure(t.before_cents, "cents"), figure(t.after_cents, "cents"))
            for t in self.totals
        ]
        grid = table("places", ("place", "customers with another first", "expected", "would be"), totals)
        others = [
            (one.action, " and ".join(one.fields), ", ".join(one.languages), f"{one.customers:,}")
            for one in self.reworded
        ]
        named = ("action", "what", "languages", "customers who would read it")
        words = [table("what is said otherwise", named, others)] if others else []
        if not self.changes:
            ending = "nobody is offered anything else." if words else "nothing changes for anybody."
            return [head, grid, *words, ending]
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
        return [head, grid, table("who gains and loses what", columns, rows), *words]


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
        reworded=tuple(_reworded(before, after)),
    )


def _reworded(before: Outlook, after: Outlook) -> Iterator[Reworded]:
    old = {action.id: action for action in before.catalogue.actions}
    firsts = {place: _Firsts.of(after, place).action for place in after.places}
    for action in after.catalogue.actions:
        if action.id not in old:
            continue
        pairs = {
            field: (getattr(old[action.id], field), getattr(action, field)) for field in ("name", "text")
        }
        fields = tuple(field for field, (was, is_) in pairs.items() if was != is_)
        if fields:
            languages = tuple(
                language
                for language in LANGUAGES
                if any(was.in_language(language) != is_.in_language(language) for was, is_ in pairs.values())
            )
            reads = np.any([first == action.id for first in firsts.values()], axis=0)
            yield Reworded(action.id, fields, languages, int(reads.sum()))


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
