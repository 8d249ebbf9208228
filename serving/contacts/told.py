"""A customer's contacts and open complaints one by one, with their dates: what the contact policy counts.

They are the rows that `ContactHistory.standing` sums up, from the same places and by the same as-of, so that
a portrait shows what a decision goes by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from serving.contacts.history import ContactHistory
from serving.contacts.standing import SHOWN
from serving.contacts.tables import NO_DEADLINE
from serving.contacts.touches import Touches


@dataclass(frozen=True)
class Contact:
    """A contact with what came of it, or an answer to a contact that nobody has reported.

    Attributes:
        day: local day of the contact; None for an answer alone.
        action: the action's id; empty when the source names none.
        channel: in lower case; empty when it is not known.
        answer: position in `standing.KINDS` of the latest answer; None without any.
        answer_day: its local day.
    """

    day: int | None
    action: str
    channel: str
    answer: int | None = None
    answer_day: int | None = None

    @property
    def latest(self) -> int:
        """Local day of the last that happened."""
        return max(day for day in (self.day, self.answer_day) if day is not None)


@dataclass(frozen=True)
class Complaint:
    """A complaint that no later row has closed.

    Attributes:
        day: local day.
        age_days: whole local days before the as-of; 0 that day or later.
        deadline: UTC microseconds until when it has to be settled; None when nobody has stated it.
    """

    day: int
    age_days: int
    deadline: int | None


@dataclass(frozen=True)
class Told:
    """What is known of one customer.

    Attributes:
        contacts: the latest first.
        complaints: the latest first.
        consents: (purpose, channel, granted) as they stand; an empty channel for all.
    """

    contacts: tuple[Contact, ...]
    complaints: tuple[Complaint, ...]
    consents: tuple[tuple[str, str, bool], ...]


def told(history: ContactHistory, customer: str, as_of: int, *, live: bool) -> Told:
    """What is known of a customer; arguments as of `ContactHistory.standing`."""
    extra, _ = history.younger([customer], as_of, live=live)
    stated = history.standing([customer], as_of, live=live).consent
    consents = sorted((*about, bool(held[0])) for about, held in stated.items() if not np.isnan(held[0]))
    return Told(
        tuple(sorted(_contacts(history, customer, as_of, extra), key=lambda one: -one.latest)),
        tuple(_complaints(history, customer, as_of, extra)),
        tuple(consents),
    )


def _contacts(history: ContactHistory, customer: str, as_of: int, extra: Touches) -> list[Contact]:
    """Contacts, each with the latest answer to its action before the next contact with it."""
    tables = history.tables
    _, index = tables.contacts.visible(tables.places([customer]), as_of)
    cells = tables.contacts.cells
    rows = [
        (
            int(tables.contacts.day[row]),
            tables.action_texts[cells["action"][row]],
            tables.channel_texts[cells["channel"][row]],
            int(cells["kind"][row]),
        )
        for row in index
    ]
    there = {row for row in rows if row[3] == SHOWN and row[1]}
    for _, touch in sorted(extra.touches, key=lambda each: (each[1].day, each[1].at)):
        row = touch.day, touch.action, touch.channel, touch.kind
        # The same action through the same channel is one contact a day.
        if row in there:
            continue
        if touch.kind == SHOWN and touch.action:
            there.add(row)
        rows.append(row)
    found: list[Contact] = []
    last: dict[str, int] = {}
    for day, action, channel, kind in sorted(rows, key=lambda row: row[0]):
        if kind == SHOWN:
            last[action] = len(found)
            found.append(Contact(day, action, channel))
        elif action in last:
            found[last[action]] = replace(found[last[action]], answer=kind, answer_day=day)
        else:
            last[action] = len(found)
            found.append(Contact(None, action, channel, kind, day))
    return found


def _complaints(history: ContactHistory, customer: str, as_of: int, extra: Touches) -> list[Complaint]:
    """Complaints after the last row that settles matters."""
    held = history.tables.complaints
    _, index = held.visible(history.tables.places([customer]), as_of)
    columns = (held.cells["instant"], held.cells["closes"], held.day, held.cells["deadline"])
    rows = list(zip(*(column[index].tolist() for column in columns), strict=True))
    rows += [(at, closes, day, deadline) for _, at, day, closes, deadline in extra.complaints]
    found: list[Complaint] = []
    for _, closes, day, deadline in sorted(rows):
        if closes:
            found.clear()
        else:
            until = None if deadline == NO_DEADLINE else deadline
            found.insert(0, Complaint(day, max(as_of - day, 0), until))
    return found
