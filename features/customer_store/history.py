"""One customer's history: what the customer store keeps and the online evaluator reads.

All rows of a customer are there: an as-of is applied by who reads.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.customer_store.rows import NO_BASKETS, NO_DAYS, Baskets, Days, Keyed, Rows, Whole
from features.measures import MEASURE_NAMES, TOUCH_NAMES

NO_VISITS: Final = Rows(NO_DAYS, NO_DAYS, np.empty((len(MEASURE_NAMES), 0), dtype=np.int32))
NO_TOUCHES: Final = Rows(NO_DAYS, NO_DAYS, np.empty((len(TOUCH_NAMES), 0), dtype=np.int32))


class Member(NamedTuple):
    """A person of the customer's household, the customer too.

    Attributes:
        customer_id: the person.
        visits: the person's tiles.
        from_day: the last as-of before the two lived together.
        to_day: the last as-of at which they live together.
    """

    customer_id: str
    visits: Rows
    from_day: int
    to_day: int


class History:
    """All that is kept of one customer.

    Attributes:
        customer_id: the customer.
        visits: tiles of days with a purchase; measures in the order of `MEASURE_NAMES`.
        touches: tiles of days with a contact, an answer or a service event; in the order of `TOUCH_NAMES`.
        baskets: baskets by product and by store; keys are codes into the store's `products` and `stores`.
        members: the persons of the household, the customer too; empty without a household.
        absent: facts the source does not give; features that need them are unknown.
    """

    __slots__ = ("absent", "baskets", "customer_id", "members", "touches", "visits")

    def __init__(  # noqa: PLR0917 (parts in the order of the record)
        self,
        customer_id: str,
        visits: Rows = NO_VISITS,
        touches: Rows = NO_TOUCHES,
        products: Keyed = NO_BASKETS,
        stores: Keyed = NO_BASKETS,
        members: tuple[Member, ...] = (),
        absent: frozenset[str] = frozenset(),
        *,
        baskets: Baskets | None = None,
    ) -> None:
        """From its parts; `baskets` stand for products and stores."""
        self.customer_id = customer_id
        self.visits = visits
        self.touches = touches
        self.baskets = Baskets.of(products, stores) if baskets is None else baskets
        self.members = members
        self.absent = absent

    def _replace(self, **changes: Any) -> History:
        """The same with other parts, by the names of the constructor."""
        kept = {name: getattr(self, name) for name in self.__slots__}
        if changes.keys() & {"products", "stores"}:
            kept |= {"products": self.products, "stores": self.stores, "baskets": None}
        return History(**(kept | changes))

    @property
    def products(self) -> Keyed:
        """Baskets by product."""
        return self.baskets.by_product

    @property
    def stores(self) -> Keyed:
        """Baskets by store."""
        return self.baskets.by_store

    @property
    def day(self) -> Days:
        """Local day of each tile of visits, int32[n]."""
        return self.visits.day

    @property
    def known_day(self) -> Days:
        """Day from which each tile of visits is known, int32[n]."""
        return self.visits.known_day

    @property
    def purchase_product(self) -> NDArray[np.int32]:
        """Product code of each purchase, int32[p]; ascending, then by day."""
        return self.products.keys

    @property
    def purchase_day(self) -> Days:
        """Day of each purchase, int32[p]."""
        return self.products.day

    @property
    def purchase_known_day(self) -> Days:
        """Known day of each purchase, int32[p]."""
        return self.products.known_day

    @property
    def purchase_baskets(self) -> Whole:
        """Baskets with the product that day, int[p]."""
        return self.products.baskets

    def visible(self, as_of: int) -> tuple[Days, Whole]:
        """Visits known before `as_of`, one row per day: days [v], ascending, and measures [v, m]."""
        day, values = self.visits.visible(as_of)
        return day, values.T

    def purchases(self, as_of: int) -> tuple[Days, Days, Whole]:
        """Purchases known before `as_of`: product codes, days, baskets."""
        seen = self.products.visible(as_of)
        return seen.keys, seen.day, seen.baskets
