"""Contacts, answers, complaints and consents that are younger than the tables, read where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from features import clock
from features.customer_store.applying import Applier
from features.customer_store.events import Event
from features.customer_store.owners import Owners
from serving.contacts.standing import COMPLAINED, SHOWN
from serving.contacts.tables import CLOSED, NO_DEADLINE, RESPONSES

# Up to so many customers are looked up one by one, more in one sweep.
ONE_BY_ONE: Final = 50


class Touch(NamedTuple):
    """A contact, or an answer to one, that is not among the tables' rows.

    Attributes:
        reference: whose it was.
        day: local day.
        at: UTC microseconds.
        action: the action's id; empty for none.
        channel: in lower case; empty for none.
        kind: position in `standing.KINDS`.
    """

    reference: str
    day: int
    at: int
    action: str
    channel: str
    kind: int


class OwnContacts(Protocol):
    """Who keeps what came of our own decisions."""

    def touches(self, references: Sequence[str] | None, before: int | None) -> Iterable[Touch]:
        """Contacts and answers of some references, or of all, known before a day, or all known."""

    def contacted(self, action: str, since: int, before: int | None) -> int:
        """Contacts with an action from a day on, known before another, or all known."""


class Touches(NamedTuple):
    """What is younger than the tables, of some of the customers asked about; first of each row: which one.

    Attributes:
        touches: contacts and answers.
        complaints: UTC microseconds, local day, whether the row settles matters or opens one, and until when
            it has to be settled (UTC microseconds, `NO_DEADLINE`).
        consents: UTC microseconds, purpose and channel, and whether it was granted.
    """

    touches: list[tuple[int, Touch]]
    complaints: list[tuple[int, int, int, bool, int]]
    consents: list[tuple[int, int, tuple[str, str], bool]]

    @classmethod
    def none(cls) -> Touches:
        """Nothing, to be added to."""
        return cls([], [], [])

    def add_own(
        self, own: OwnContacts, owners: Owners, customers: Sequence[str], as_of: int, *, live: bool
    ) -> None:
        """Add what came of our own decisions.

        Raises:
            RecordsDownError: it cannot be read now.
        """
        for row, touch in _own(own, owners, customers, as_of, None if live else as_of):
            self.touches.append((row, touch))
            if touch.kind == COMPLAINED:
                self.complaints.append((row, touch.at, touch.day, False, NO_DEADLINE))

    def add_posted(self, applier: Applier, customers: Sequence[str], as_of: int, *, live: bool) -> None:
        """Add posted events that the tables do not have."""
        for row, event, known, until in applier.of_customers(customers):
            if as_of <= until and (live or max(event.day, known) < as_of):
                self._take(row, event)

    def _take(self, row: int, event: Event) -> None:
        """Sort an event into what it is about."""
        at = clock.to_microseconds(event.occurred_at)
        values = event.values
        channel = _word(values.get("channel"))
        if event.table == "consents":
            self.consents.append((row, at, (_word(values["purpose"]), channel), values["granted"]))
        elif event.table == "service_events":
            closes = _word(values.get("status")) in CLOSED
            if closes or values["kind"] == "complaint":
                until = values.get("deadline_at")
                deadline = NO_DEADLINE if until is None else clock.to_microseconds(until)
                self.complaints.append((row, at, event.day, closes, deadline))
        else:
            kind = SHOWN if event.table == "exposures" else RESPONSES.get(_word(values.get("kind")))
            if kind is not None:
                action = values.get("action_id") or ""
                self.touches.append((row, Touch(event.customer_id, event.day, at, action, channel, kind)))


def _own(
    own: OwnContacts, owners: Owners, customers: Sequence[str], as_of: int, before: int | None
) -> Iterator[tuple[int, Touch]]:
    """Own contacts of the customers whose each reference is as of the day."""
    if len(customers) > ONE_BY_ONE:
        rows = {customer: row for row, customer in enumerate(customers)}
        for touch in own.touches(None, before):
            found = rows.get(owners.owner(touch.reference, as_of) or "")
            if found is not None:
                yield found, touch
        return
    for row, customer in enumerate(customers):
        for touch in own.touches(sorted(owners.references(customer)), before):
            if owners.owner(touch.reference, as_of) == customer:
                yield row, touch


def _word(text: str | None) -> str:
    return (text or "").strip().lower()
