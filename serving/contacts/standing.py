"""What the contact policy knows of customers as of a day: contacts and answers, complaints, consents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

SHOWN, ACCEPTED, REFUSED, IGNORED, REDEEMED, COMPLAINED = range(6)
KINDS: Final = ("shown", "accepted", "refused", "ignored", "redeemed", "complained")
# Position of an action or a channel that the catalogue does not have.
OTHER: Final = -1


def _never(_action: str, _days: int) -> int:
    return 0


@dataclass(frozen=True)
class Standing:
    """What the contact policy knows of n customers as of a day; m contacts and answers in all.

    Attributes:
        customers: n.
        row: whose each of the m is, int64[m], ascending.
        age_days: whole local days before the as-of, int32[m]; 1 is the day before it, 0 that day or later.
            Of one customer the oldest stands first.
        action: position in `actions`, int16[m]; `OTHER` for one that is none of these.
        channel: position in `channels`, int16[m]; `OTHER` likewise.
        kind: position in `KINDS`, int8[m]. A contact is one `SHOWN` row: the same action through the same
            channel counts once a local day.
        actions: ids of the catalogue's actions.
        channels: names of the catalogue's channels.
        complaint_age: whole local days since the latest complaint that is still open, float64[n]; NaN
            without one.
        consent: by (purpose, channel) and (purpose, "" for all channels), float64[n]: 1 granted, 0 refused,
            NaN nothing stated. What holds for a channel is the later of what was stated for it and for all
            channels; a channel that no statement names has no entry, and that for all channels holds.
        consents_known: False when the source gives no consents: nothing can be said of any.
        contacted: contacts of all customers with an action within so many days before the as-of, that day
            included.
        zones: time zones that customers have of their own.
        zone: position in `zones`, -1 where the source's holds, int16[n]; None: it holds for all.
        missing: a sentence for answers when what came of our own decisions cannot be read now.
    """

    customers: int
    row: NDArray[np.int64]
    age_days: NDArray[np.int32]
    action: NDArray[np.int16]
    channel: NDArray[np.int16]
    kind: NDArray[np.int8]
    actions: tuple[str, ...]
    channels: tuple[str, ...]
    complaint_age: NDArray[np.float64]
    consent: Mapping[tuple[str, str], NDArray[np.float64]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    consents_known: bool = False
    contacted: Callable[[str, int], int] = _never
    missing: str = ""
    zones: tuple[str, ...] = ()
    zone: NDArray[np.int16] | None = None

    @classmethod
    def empty(cls, customers: int) -> Standing:
        """Of customers with whom nobody has had any contact, from a source without consents."""
        return cls(
            customers=customers,
            row=np.empty(0, dtype=np.int64),
            age_days=np.empty(0, dtype=np.int32),
            action=np.empty(0, dtype=np.int16),
            channel=np.empty(0, dtype=np.int16),
            kind=np.empty(0, dtype=np.int8),
            actions=(),
            channels=(),
            complaint_age=np.full(customers, np.nan),
        )

    def contacts_of(self, action: str, days: int) -> int:
        """Contacts of all customers with an action in the last so many days, the as-of's included."""
        return self.contacted(action, days)

    def slice(self, first: int, end: int) -> Standing:
        """The standing of the customers from `first` up to `end`."""
        begin, stop = np.searchsorted(self.row, (first, end)).tolist()
        return Standing(
            end - first,
            self.row[begin:stop] - first,
            self.age_days[begin:stop],
            self.action[begin:stop],
            self.channel[begin:stop],
            self.kind[begin:stop],
            self.actions,
            self.channels,
            self.complaint_age[first:end],
            {key: held[first:end] for key, held in self.consent.items()},
            self.consents_known,
            self.contacted,
            self.missing,
            self.zones,
            None if self.zone is None else self.zone[first:end],
        )

    def minute(self, at: int, source: str) -> NDArray[np.int64]:
        """The minute of each customer's local day at an instant, int64[n].

        Args:
            at: UTC microseconds.
            source: time zone of customers without one of their own.
        """
        utc = datetime.fromtimestamp(at / 1e6, UTC)
        local = [utc.astimezone(ZoneInfo(name)) for name in (*self.zones, source)]
        minutes = np.array([each.hour * 60 + each.minute for each in local], dtype=np.int64)
        # Position -1 is the last, the source's.
        return minutes[np.full(self.customers, -1) if self.zone is None else self.zone]

    def consent_to(self, purpose: str, channel: str = "") -> NDArray[np.float64]:
        """What holds for a purpose through a channel, float64[n]: 1 granted, 0 refused, NaN unstated."""
        found = self.consent.get((purpose, channel))
        if found is None:
            found = self.consent.get((purpose, ""))
        return np.full(self.customers, np.nan) if found is None else found
