"""Cases that effects are measured on, and what their customers did afterwards: came, and spent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical

# Local days since 1970-01-01 stay below it.
_DAYS: Final = 1 << 20


@dataclass(frozen=True)
class Case:
    """A customer for whom an action would have stood first.

    Attributes:
        action: the action.
        customer: the customer.
        day: local day of the decision.
        contacted: whether it was shown; else a control group held it back.
        alone: whether nothing else would have been proposed.
        exposure: propensity per unit of what outcomes correct in it.
        value_cents: what it was worth if the customer did it.
        corrected: whether the action had an effect then; the exposure is per unit of it only if so.
    """

    action: str
    customer: str
    day: int
    contacted: bool
    alone: bool
    exposure: float
    value_cents: float = 0.0
    corrected: bool = True


@dataclass(frozen=True)
class Visits:
    """Who came when, and what was spent.

    Attributes:
        customers: ids, rising.
        key: position of the customer x 2^20 + local day, of every visit, rising.
        cents: spent on all visits before each, and on all, int64[visits + 1].
        clock_day: first day that is not known.
    """

    customers: NDArray[Any]
    key: NDArray[np.int64]
    cents: NDArray[np.int64]
    clock_day: int

    @classmethod
    def of(
        cls,
        customer: NDArray[Any],
        day: NDArray[np.int64],
        clock_day: int,
        cents: NDArray[np.int64] | None = None,
    ) -> Visits:
        """From the customer, the day and the money of each visit; nothing was spent where nobody says so."""
        customers, position = np.unique(customer.astype(np.str_), return_inverse=True)
        key, visit = np.unique(position * _DAYS + day, return_inverse=True)
        spent = np.zeros(len(key) + 1, dtype=np.int64)
        if cents is not None:
            np.add.at(spent, visit + 1, cents)
        return cls(customers, key, spent.cumsum(), clock_day)

    @classmethod
    def read(cls, canonical: Canonical) -> Visits:
        """The visits of a workspace's customers."""
        with closing(canonical.connect()) as connection:
            found = connection.execute(
                "SELECT customer_id, day, CAST(sum(amount_cents) AS BIGINT) AS cents FROM transactions "
                "GROUP BY customer_id, day"
            ).fetchnumpy()
        day, cents = (np.asarray(found[name], dtype=np.int64) for name in ("day", "cents"))
        return cls.of(np.asarray(found["customer_id"]), day, canonical.clock_day, cents)

    def came(self, cases: Sequence[Case], days: int) -> NDArray[np.bool_]:
        """Whether each came within so many days after the day of the decision."""
        first, end = self._between(cases, days)
        return np.asarray(end > first)

    def spent(self, cases: Sequence[Case], days: int) -> NDArray[np.int64]:
        """Cents that each spent within so many days after the day of the decision."""
        first, end = self._between(cases, days)
        return self.cents[end] - self.cents[first]

    def _between(self, cases: Sequence[Case], days: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The visits of each case within the days: the first, and the first that is none of them."""
        if not len(self.customers):
            return np.zeros(len(cases), dtype=np.intp), np.zeros(len(cases), dtype=np.intp)
        customer = np.array([case.customer for case in cases], dtype=np.str_)
        position = np.minimum(np.searchsorted(self.customers, customer), len(self.customers) - 1)
        day = np.array([case.day for case in cases], dtype=np.int64)
        first, end = (np.searchsorted(self.key, position * _DAYS + day + later) for later in (1, days + 1))
        return first, np.where(self.customers[position] == customer, end, first)
