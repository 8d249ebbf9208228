"""The days of a block of customers put together: all that happened, by kind, person and instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from experiments.simulator.events import (
    Answers,
    Consents,
    Contacts,
    Contracts,
    Events,
    Joined,
    Lines,
    ServiceEvents,
)
from experiments.simulator.rows import Flags, Ints, Rows

_DAY_BITS: Final = 20


@dataclass(frozen=True)
class Lived:
    """All that happened to a block.

    Attributes:
        joined: who registered.
        lines: what was bought and billed.
        line_day: local day of each line, int64[m].
        contacts: contacts that took place.
        contact_day: local day of each.
        answers: answers to contacts.
        answer_day: local day of each.
        service: complaints, ratings, visits, surveys, referrals.
        consents: statements of consent.
        contracts: contracts made and cancelled.
    """

    joined: Joined
    lines: Lines
    line_day: Ints
    contacts: Contacts
    contact_day: Ints
    answers: Answers
    answer_day: Ints
    service: ServiceEvents
    consents: Consents
    contracts: Contracts

    @classmethod
    def of(cls, days: Sequence[Events]) -> Lived:
        """The days of a block put together."""
        lines, line_day = _joined(days, "lines", Lines)
        contacts, contact_day = _joined(days, "contacts", Contacts)
        answers, answer_day = _joined(days, "answers", Answers)
        return cls(
            joined=_joined(days, "joined", Joined)[0],
            lines=lines,
            line_day=line_day,
            contacts=contacts,
            contact_day=contact_day,
            answers=answers,
            answer_day=answer_day,
            service=_joined(days, "service", ServiceEvents)[0],
            consents=_joined(days, "consents", Consents)[0],
            contracts=_joined(days, "contracts", Contracts)[0],
        )

    @property
    def begins(self) -> Flags:
        """Whether each line is the first of its basket."""
        person, basket = self.lines.person, self.lines.basket
        first = np.ones(len(person), dtype=bool)
        first[1:] = (person[1:] != person[:-1]) | (basket[1:] != basket[:-1])
        return first

    @property
    def asked_day(self) -> Ints:
        """Day of the contact that each answer is to: the last one of its action and channel by then."""
        made = np.sort(_key(self.contacts, self.contact_day))
        asked = _key(self.answers, self.answer_day)
        if not len(made):
            return self.answer_day
        found = made[np.searchsorted(made, asked, side="right") - 1]
        known = found >> _DAY_BITS == asked >> _DAY_BITS
        return np.where(known, found & (2**_DAY_BITS - 1), self.answer_day)


def _joined(days: Sequence[Events], name: str, kind: type[Any]) -> tuple[Any, Ints]:
    """The rows of a kind, and the local day of each."""
    parts: list[Rows] = [getattr(day, name) for day in days]
    rows = kind.concat(parts)
    date = np.repeat([day.day for day in days], [len(part) for part in parts])
    # Stable: within one instant the order is the person's own.
    order = np.lexsort((rows.starts_at if kind is Contracts else rows.at, rows.person))
    return rows.take(order), date[order]


def _key(rows: Contacts | Answers, day: Ints) -> Ints:
    """Numbers that tell person, action and channel apart, and rise with the day."""
    pair = rows.action.astype(np.int64) << 8 | rows.channel
    return (rows.person << 16 | pair) << _DAY_BITS | day
