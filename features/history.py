"""One customer's history: what the customer store keeps and the online evaluator reads."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]


def _no_days() -> Days:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class History:
    """The tiles and purchases of one customer, all of them: an as-of is applied by who reads.

    Attributes:
        customer_id: the customer.
        day: int32[n], local day of each tile, ascending (ties by known_day).
        known_day: int32[n], day from which the tile is known; the same object as `day` if none is late.
        measures: int64[n, m], columns in the order of `tiles.MEASURE_NAMES`.
        purchase_product: int32[p], codes into the store's `products`; ascending, then by day and known day.
        purchase_day: int32[p].
        purchase_known_day: int32[p].
        purchase_baskets: int32[p], baskets with the product that day.
        absent: optional tables the source does not have; features that need them are unknown.
    """

    customer_id: str
    day: Days
    known_day: Days
    measures: NDArray[np.int64]
    purchase_product: Days = field(default_factory=_no_days)
    purchase_day: Days = field(default_factory=_no_days)
    purchase_known_day: Days = field(default_factory=_no_days)
    purchase_baskets: Days = field(default_factory=_no_days)
    absent: frozenset[str] = frozenset()

    def visible(self, as_of: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What is known before `as_of`, one row per day.

        Returns:
            The days, int64[v] ascending, and the measures, int64[v, m].
        """
        if self.known_day is self.day:
            rows = int(np.searchsorted(self.day, as_of))
            day, measures = self.day[:rows], self.measures[:rows]
        else:
            seen = (self.day < as_of) & (self.known_day < as_of)
            day, measures = self.day[seen], self.measures[seen]
        if len(day) > 1:
            new = np.empty(len(day), dtype=bool)
            new[0] = True
            np.not_equal(day[1:], day[:-1], out=new[1:])
            if not new.all():
                starts = new.nonzero()[0]
                day, measures = day[starts], np.add.reduceat(measures, starts, axis=0)
        return day.astype(np.int64), measures

    def purchases(self, as_of: int) -> tuple[Days, Days, Days]:
        """Purchases known before `as_of`: product codes, days, baskets."""
        seen = (self.purchase_day < as_of) & (self.purchase_known_day < as_of)
        return self.purchase_product[seen], self.purchase_day[seen], self.purchase_baskets[seen]
