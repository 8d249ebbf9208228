"""Whom an identifier means: a phone, card or plate number or an open id, looked up in memory.

A till reads a plate and cannot wait for a query over the tables. Every identifier's keyed hash is held with
the customer it was seen with, sorted, in some 30 bytes; the number itself is nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import columns
from features.canonical import Canonical
from features.identity import keys
from features.identity.profile import Vehicle
from features.pseudonyms import PREFIX, Pseudonyms

# Kinds by which a customer may be asked for.
KINDS: Final = (keys.PHONE, keys.CARD, keys.PLATE, keys.OPEN_ID)

# A thing that is written down without a day counts as seen before every event.
_NEVER: Final = -1
_DESCRIBED: Final = ", ".join(field.name for field in fields(Vehicle))


@dataclass(frozen=True)
class Identifiers:
    """The identifiers of a source's customers; m rows, ordered by hash, then last seen first.

    Attributes:
        high: first 64 bits of each hash, uint64[m].
        low: the other 64, uint64[m].
        kind: position in `KINDS`, int8[m].
        customer: position in `customers`, int32[m].
        vehicle: position in `vehicles` of a number plate's vehicle, -1 for anything else, int32[m].
        vehicles: the different vehicles that the source describes.
        customers: customer ids as of the workspace's clock.
        aliases: the customer of each of the source's ids that belongs to another one's.
        pseudonyms: makes the hashes.
    """

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    kind: NDArray[np.int8]
    customer: NDArray[np.int32]
    vehicle: NDArray[np.int32]
    vehicles: tuple[Vehicle, ...]
    customers: NDArray[np.str_]
    aliases: Mapping[str, str]
    pseudonyms: Pseudonyms

    @classmethod
    def read(cls, canonical: Canonical, pseudonyms: Pseudonyms) -> Identifiers:
        """All that the tables know; none when the source gives neither identities nor vehicles."""
        aliases, parts = canonical.joined(), []
        vehicles: tuple[Vehicle, ...] = ()
        described, vehicle = "", "-1"
        if canonical.has("identities"):
            seen = (
                f"SELECT {keys.kind('kind')} AS kind, value, {columns.CUSTOMER_ID}, max({columns.DAY}) AS day"
            )
            parts.append(f"{seen} FROM identities GROUP BY ALL")
        if canonical.has("vehicles"):
            owned = f"SELECT '{keys.PLATE}' AS kind, plate AS value, {columns.CUSTOMER_ID}, {_NEVER} AS day"
            parts.append(f"{owned} FROM vehicles")
            described = (
                " LEFT JOIN (SELECT plate AS value, min(place) AS place FROM (SELECT plate, "
                f"dense_rank() OVER (ORDER BY {_DESCRIBED}) - 1 AS place FROM vehicles) "
                "GROUP BY plate) USING (value)"
            )
            vehicle = "coalesce(min(place), -1)"
            with closing(canonical.connect()) as connection:
                rows = f"SELECT DISTINCT {_DESCRIBED} FROM vehicles ORDER BY ALL"
                vehicles = tuple(Vehicle(*row) for row in connection.execute(rows).fetchall())
        if not parts:
            none = np.empty(0, np.uint64)
            return cls(
                none,
                none,
                none.astype(np.int8),
                none.astype(np.int32),
                none.astype(np.int32),
                vehicles,
                none.astype(np.str_),
                aliases,
                pseudonyms,
            )
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        first = len(PREFIX) + 1
        with closing(canonical.connect()) as connection:
            found: dict[str, Any] = connection.execute(
                f"SELECT CAST('0x' || substr(value, {first}, 16) AS UBIGINT) AS high, "
                f"CAST('0x' || substr(value, {first + 16}, 16) AS UBIGINT) AS low, "
                f"list_position([{kinds}], kind) - 1 AS kind, {columns.CUSTOMER_ID} AS customer, "
                f"{vehicle} AS vehicle FROM ({' UNION ALL '.join(parts)}){described} "
                f"WHERE kind IN ({kinds}) AND value LIKE '{PREFIX}%' GROUP BY kind, value, "
                f"{columns.CUSTOMER_ID} ORDER BY high, low, kind, max(day) DESC, customer"
            ).fetchnumpy()
        customers, codes = np.unique(found["customer"].astype(np.str_), return_inverse=True)
        return cls(
            high=found["high"].astype(np.uint64),
            low=found["low"].astype(np.uint64),
            kind=found["kind"].astype(np.int8),
            customer=codes.astype(np.int32),
            vehicle=found["vehicle"].astype(np.int32),
            vehicles=vehicles,
            customers=customers,
            aliases=aliases,
            pseudonyms=pseudonyms,
        )

    def owner(self, given: str) -> str:
        """The customer that one of the source's ids belongs to; the id itself when it is no other's."""
        if not self.aliases:
            return given
        return self.aliases.get(given) or self.aliases.get(self.pseudonyms.of(given), given)

    def holders(self, kind: str, given: str) -> list[str]:
        """The customers with an identifier of one of `KINDS`, the one seen with it last first."""
        rows = self._rows(kind, given)
        return list(dict.fromkeys(self.customers[self.customer[rows]].tolist()))

    def vehicle_of(self, plate: str) -> Vehicle | None:
        """What the source says of the vehicle with a number plate; None when it says nothing."""
        found = [code for code in self.vehicle[self._rows(keys.PLATE, plate)].tolist() if code >= 0]
        return self.vehicles[found[0]] if found else None

    def _rows(self, kind: str, given: str) -> NDArray[np.intp]:
        """Positions of an identifier, in the first of its forms that somebody has."""
        for form in keys.forms(given):
            digest = self.pseudonyms.of_value(form).removeprefix(PREFIX)
            high, low = np.uint64(int(digest[:16], 16)), np.uint64(int(digest[16:], 16))
            first, last = (int(self.high.searchsorted(high, side)) for side in ("left", "right"))
            mine = (self.low[first:last] == low) & (self.kind[first:last] == KINDS.index(kind))
            if mine.any():
                return first + np.flatnonzero(mine)
        return np.empty(0, dtype=np.intp)

    def digest(self, given: str) -> str:
        """The keyed hash of an identifier that nobody has."""
        return self.pseudonyms.of_value(keys.forms(given)[-1])
