"""The contacts of customers with us: from the tables, from events posted since, and from our own outcomes.

What the tables say is held in memory (`contact_tables.py`). What is younger is read where it is kept, by
customer: posted events in their journal, outcomes in the record store. So nothing is held twice, and what one
worker has taken in counts in the next answer of every other.

An answer as of a day counts what was known before that day, wherever it is kept. A live one, for a request
that names no day, counts what was posted and what came of decisions at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical
from features.customer_store.applying import Applier
from features.customer_store.owners import Owners
from serving.contacts.standing import OTHER, SHOWN, Standing
from serving.contacts.tables import ContactTables
from serving.contacts.touches import OwnContacts, Touches
from serving.records.store import RecordsDownError

# Seconds for which a count over all customers stands: a capacity is a matter of thousands.
COUNTED_FOR: Final = 1.0
_Contacts = tuple[
    NDArray[np.int64], NDArray[np.int32], NDArray[np.int16], NDArray[np.int16], NDArray[np.int8]
]
_NO_CONTACTS: Final[_Contacts] = (
    np.empty(0, np.int64),
    np.empty(0, np.int32),
    np.empty(0, np.int16),
    np.empty(0, np.int16),
    np.empty(0, np.int8),
)


class _Codes(NamedTuple):
    """The catalogue's positions: by the tables' codes, and by text; and the channels that a text means."""

    actions: NDArray[np.int16]
    channels: NDArray[np.int16]
    action_of: dict[str, int]
    channel_of: dict[str, int]
    means: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class ContactHistory:
    """What is known of contacts, by customer. Safe to share between threads.

    Attributes:
        tables: what the source's tables say.
        owners: whose each reference is.
        actions: the catalogue's action ids.
        channels: the catalogue's channels, each with the names it is known as beside its own.
        applier: knows the posted events that the tables do not have; None to leave them out.
        own: what came of our own decisions; None for nothing.
    """

    tables: ContactTables
    owners: Owners
    actions: tuple[str, ...]
    channels: Mapping[str, Sequence[str]]
    applier: Applier | None = None
    own: OwnContacts | None = None
    _counted: dict[tuple[str, int, int, bool], tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        canonical: Canonical,
        actions: Sequence[str],
        channels: Mapping[str, Sequence[str]],
        *,
        applier: Applier | None = None,
        own: OwnContacts | None = None,
    ) -> ContactHistory:
        """Read the tables' part; see the attributes."""
        tables = ContactTables.read(canonical)
        return cls(tables, Owners.of(canonical), tuple(actions), dict(channels), applier, own)

    def named(self, actions: Sequence[str], channels: Mapping[str, Sequence[str]]) -> ContactHistory:
        """The same for another catalogue's names."""
        return replace(self, actions=tuple(actions), channels=dict(channels), _counted={})

    def standing(self, customers: Sequence[str], as_of: int, *, live: bool) -> Standing:
        """What is known of customers.

        Args:
            customers: their ids.
            as_of: the day; nothing the tables say from it on counts.
            live: count what was posted and what came of decisions at once, whatever its time.
        """
        place = self.tables.places(customers)
        extra, missing = self.younger(customers, as_of, live=live)
        row, age, action, channel, kind = self._contacts(place, as_of, extra)
        return Standing(
            customers=len(customers),
            row=row,
            age_days=age,
            action=action,
            channel=channel,
            kind=kind,
            actions=self.actions,
            channels=tuple(self.channels),
            complaint_age=self._complaints(place, as_of, extra),
            consent=self._consents(place, as_of, extra),
            consents_known=self.tables.consents_known or bool(extra.consents),
            contacted=lambda name, days: self._contacted(name, days, as_of, live=live),
            missing=missing,
            zones=self.tables.zones,
            zone=self.tables.zone[place] if self.tables.zones else None,
        )

    def younger(self, customers: Sequence[str], as_of: int, *, live: bool) -> tuple[Touches, str]:
        """What is younger than the tables, and what of it cannot be read now; arguments as of `standing`."""
        extra, missing = Touches.none(), ""
        try:
            if self.own is not None:
                extra.add_own(self.own, self.owners, customers, as_of, live=live)
        except RecordsDownError as error:
            missing = f"{error} What came of our own decisions does not count."
        if self.applier is not None:
            extra.add_posted(self.applier, customers, as_of, live=live)
        return extra, missing

    @cached_property
    def _codes(self) -> _Codes:
        action_of = {name: position for position, name in enumerate(self.actions)}
        means: dict[str, tuple[str, ...]] = {}
        for channel, others in self.channels.items():
            for name in dict.fromkeys(text.lower() for text in (channel, *others)):
                means[name] = (*means.get(name, ()), channel)
        # A contact is through one channel: the one of that name, else the first that is known as it.
        position = {name: place for place, name in enumerate(self.channels)}
        channel_of = {name: position[found[0]] for name, found in means.items()}
        channel_of |= {name.lower(): place for name, place in position.items()}
        return _Codes(
            np.array([action_of.get(text, OTHER) for text in self.tables.action_texts], dtype=np.int16),
            np.array([channel_of.get(text, OTHER) for text in self.tables.channel_texts], dtype=np.int16),
            action_of,
            channel_of,
            means,
        )

    def _contacts(self, place: NDArray[np.int64], as_of: int, extra: Touches) -> _Contacts:
        """Rows, ages, actions, channels and kinds, by customer, the oldest first."""
        held = self.tables.contacts
        row, index = held.visible(place, as_of)
        if not len(row) and not extra.touches:
            return _NO_CONTACTS
        age = (as_of - held.day[index]).astype(np.int32)
        action = self._codes.actions[held.cells["action"][index]]
        channel = self._codes.channels[held.cells["channel"][index]]
        kind = held.cells["kind"][index].astype(np.int8)
        if not extra.touches:
            return row, age, action, channel, kind
        day = held.day[index]
        there = set(
            zip(
                *(a[(kind == SHOWN) & (action >= 0)].tolist() for a in (row, day, action, channel)),
                strict=True,
            )
        )
        added: list[tuple[int, int, int, int, int]] = []
        for owner, touch in sorted(extra.touches, key=lambda each: (each[1].day, each[1].at)):
            what = self._codes.action_of.get(touch.action, OTHER)
            through = self._codes.channel_of.get(touch.channel, OTHER)
            contact = (owner, touch.day, what, through)
            if touch.kind == SHOWN and what >= 0:
                if contact in there:
                    continue
                there.add(contact)
            added.append((owner, max(as_of - touch.day, 0), what, through, touch.kind))
        more = np.array(added, dtype=np.int64).reshape(-1, 5).T
        parts = [
            np.concatenate((a, b.astype(a.dtype)))
            for a, b in zip((row, age, action, channel, kind), more, strict=True)
        ]
        order = np.lexsort((-parts[1], parts[0]))
        row, age, action, channel, kind = (part[order] for part in parts)
        return row, age, action, channel, kind

    def _complaints(self, place: NDArray[np.int64], as_of: int, extra: Touches) -> NDArray[np.float64]:
        """Days since the latest complaint that no later row has closed; NaN without one."""
        held = self.tables.complaints
        row, index = held.visible(place, as_of)
        age = np.full(len(place), np.nan)
        # Rows stand in the order of their instants: the last of a customer's tells whether a matter is open.
        closes = held.cells["closes"][index]
        if len(row):
            age[row] = np.where(closes, np.nan, as_of - held.day[index])
        if extra.complaints:
            last = dict(
                zip(
                    row.tolist(),
                    zip(held.cells["instant"][index].tolist(), closes.tolist(), strict=True),
                    strict=True,
                )
            )
            for owner, at, day, settles, _ in sorted(extra.complaints, key=lambda each: (each[1], each[3])):
                if (at, settles) >= last.get(owner, (at, settles)):
                    age[owner] = np.nan if settles else max(as_of - day, 0)
                    last[owner] = (at, settles)
        return age

    def _consents(
        self, place: NDArray[np.int64], as_of: int, extra: Touches
    ) -> Mapping[tuple[str, str], NDArray[np.float64]]:
        """What was stated last for each purpose and channel.

        A channel that the catalogue does not know may be any: who refuses it has refused all, who permits it
        nothing.
        """
        held = self.tables.consents
        row, index = held.visible(place, as_of)
        texts = list(
            dict.fromkeys((*self.tables.consent_texts, *(about for _, _, about, _ in extra.consents)))
        )
        nothing, means = np.full(len(place), np.nan), self._codes.means
        meant = [(purpose, name) for purpose, channel in texts for name in means.get(channel, ("",))]
        found = dict.fromkeys((*texts, *meant), nothing)
        if not len(row) and not extra.consents:
            return found
        about, granted = held.cells["about"][index], held.cells["granted"][index]
        if extra.consents:
            more = [(owner, at, texts.index(what), given) for owner, at, what, given in extra.consents]
            at = held.cells["instant"][index]
            row, at, about, granted = (
                np.concatenate((a, np.array(b, dtype=a.dtype)))
                for a, b in zip((row, at, about, granted), zip(*more, strict=True), strict=True)
            )
            # Of statements of one instant a refusal stands.
            order = np.lexsort((~granted, at))
            row, about, granted = row[order], about[order], granted[order]
        for purpose, channel in found:
            of_purpose = [(code, said) for code, (what, said) in enumerate(texts) if what == purpose]
            codes = [c for c, said in of_purpose if said in {"", channel} or channel in means.get(said, ())]
            strange = [c for c, said in of_purpose if said and said not in means]
            said = np.isin(about, codes) | (np.isin(about, strange) & ~granted)
            if said.any():
                latest = nothing.copy()
                # Of several values for one place the last one stays.
                latest[row[said]] = granted[said]
                found[purpose, channel] = latest
        return found

    def _contacted(self, action: str, days: int, as_of: int, *, live: bool) -> int:
        """Contacts of all customers with an action in the last so many days, a second old at most."""
        asked = (action, days, as_of, live)
        until, count = self._counted.get(asked, (0.0, 0))
        if time.monotonic() < until:
            return count
        held = self.tables.contacts
        seen = (held.cells["kind"] == SHOWN) & (
            self._codes.actions[held.cells["action"]] == self._codes.action_of.get(action, -2)
        )
        seen &= (held.day < as_of) & (held.day >= as_of - days) & (held.known_day < as_of)
        if held.until_day is not None:
            seen &= held.until_day >= as_of
        count = int(seen.sum())
        if self.own is not None:
            try:
                count += self.own.contacted(action, as_of - days, None if live else as_of)
            except RecordsDownError:
                # `standing` has said so.
                self._counted.pop(asked, None)
                return count
        if len(self._counted) > len(self.actions):
            self._counted.clear()
        self._counted[asked] = (time.monotonic() + COUNTED_FOR, count)
        return count
