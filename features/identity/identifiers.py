"""Whom an identifier means: a phone, card or plate number or an open id, looked up in memory.

A till reads a plate and cannot wait for a query over the tables. Every identifier's keyed hash is held with
the customer it was seen with, sorted, in some 30 bytes; the number itself is nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import columns
from features.canonical import Canonical
from features.identity import keys
from features.pseudonyms import PREFIX, Pseudonyms

# Kinds by which a customer may be asked for.
KINDS: Final = (keys.PHONE, keys.CARD, keys.PLATE, keys.OPEN_ID)

# A thing that is written down without a day counts as seen before every event.
_NEVER: Final = -1


@dataclass(frozen=True)
class Identifiers:
    """The identifiers of a source's customers; m rows, ordered by hash, then last seen first.

    Attributes:
        high: first 64 bits of each hash, uint64[m].
        low: the other 64, uint64[m].
        kind: position in `KINDS`, int8[m].
        customer: position in `customers`, int32[m].
        customers: customer ids as of the workspace's clock.
        aliases: the customer of each of the source's ids that belongs to another one's.
        pseudonyms: makes the hashes.
    """

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    kind: NDArray[np.int8]
    customer: NDArray[np.int32]
    customers: NDArray[np.str_]
    aliases: Mapping[str, str]
    pseudonyms: Pseudonyms

    @classmethod
    def read(cls, canonical: Canonical, pseudonyms: Pseudonyms) -> Identifiers:
        """All that the tables know; none when the source gives neither identities nor vehicles."""
        aliases, parts = canonical.joined(), []
        if canonical.has("identities"):
            seen = (
                f"SELECT {keys.kind('kind')} AS kind, value, {columns.CUSTOMER_ID}, max({columns.DAY}) AS day"
            )
            parts.append(f"{seen} FROM identities GROUP BY ALL")
        if canonical.has("vehicles"):
            owned = f"SELECT '{keys.PLATE}' AS kind, plate AS value, {columns.CUSTOMER_ID}, {_NEVER} AS day"
            parts.append(f"{owned} FROM vehicles")
        if not parts:
            none = np.empty(0, np.uint64)
            return cls(
                none,
                none,
                none.astype(np.int8),
                none.astype(np.int32),
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
                f"list_position([{kinds}], kind) - 1 AS kind, {columns.CUSTOMER_ID} AS customer "
                f"FROM ({' UNION ALL '.join(parts)}) WHERE kind IN ({kinds}) AND value LIKE '{PREFIX}%' "
                f"GROUP BY ALL ORDER BY high, low, kind, max(day) DESC, customer"
            ).fetchnumpy()
        customers, codes = np.unique(found["customer"].astype(np.str_), return_inverse=True)
        return cls(
            high=found["high"].astype(np.uint64),
            low=found["low"].astype(np.uint64),
            kind=found["kind"].astype(np.int8),
            customer=codes.astype(np.int32),
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
        for form in keys.forms(given):
            digest = self.pseudonyms.of_value(form).removeprefix(PREFIX)
            high, low = np.uint64(int(digest[:16], 16)), np.uint64(int(digest[16:], 16))
            rows = slice(*(int(self.high.searchsorted(high, side)) for side in ("left", "right")))
            mine = (self.low[rows] == low) & (self.kind[rows] == KINDS.index(kind))
            found = self.customers[self.customer[rows][mine]].tolist()
            if found:
                return list(dict.fromkeys(found))
        return []

    def digest(self, given: str) -> str:
        """The keyed hash of an identifier that nobody has."""
        return self.pseudonyms.of_value(keys.forms(given)[-1])
