"""Which area a customer belongs to, for keys that are limited to areas.

What the source says of the customer counts; else the area of the store with most of the customer's baskets,
the last visited of equal ones. A customer of whom neither is known belongs to no area and may be asked about
by everybody: a person who has never been anywhere has to be served anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from features.canonical import Canonical
from features.customer_store.history import History
from features.customer_store.store import CustomerStore
from serving.access.keys import Key
from serving.messages.problems import ProblemError


@dataclass(frozen=True)
class Areas:
    """The areas of customers and stores, as the source says them.

    Attributes:
        of_customer: by customer id, where it is said.
        of_store: by store id, where it is said.
    """

    of_customer: Mapping[str, str]
    of_store: Mapping[str, str]

    @classmethod
    def read(cls, canonical: Canonical) -> Areas:
        """The areas that the tables name."""
        found: list[dict[str, str]] = []
        with closing(canonical.connect()) as connection:
            for table, key in (("customers", "customer_id"), ("stores", "store_id")):
                rows: list[tuple[str, str]] = []
                if canonical.has(table):
                    query = f"SELECT {key}, area FROM {table} WHERE area IS NOT NULL"
                    rows = connection.execute(query).fetchall()
                found.append(dict(rows))
        return cls(*found)

    def of(self, customer_id: str, history: History | None, as_of: int, store: CustomerStore) -> str | None:
        """The area of a customer as of a day; None when it is not known."""
        stated = self.of_customer.get(customer_id)
        if stated is not None or history is None or not self.of_store:
            return stated
        seen = history.stores.visible(as_of)
        baskets: dict[int, tuple[int, int]] = {}
        for code, day, count in zip(
            seen.keys.tolist(), seen.day.tolist(), seen.baskets.tolist(), strict=True
        ):
            total, last = baskets.get(code, (0, -1))
            baskets[code] = (total + count, max(last, day))
        if not baskets:
            return None
        home = max(baskets, key=lambda code: (*baskets[code], -code))
        return self.of_store.get(str(store.stores[home]))


def check(key: Key, area: str | None) -> None:
    """Refuse a question about a customer of another area.

    Raises:
        ProblemError: the key is limited to areas, and the customer's is none of them (403).
    """
    if key.areas is not None and area is not None and area not in key.areas:
        raise ProblemError(
            403,
            f"this key may ask about customers of {', '.join(sorted(key.areas))} only; this is another's.",
            "area",
        )
