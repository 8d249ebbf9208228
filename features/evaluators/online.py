"""Features of one customer now, in numpy: the same declarations and the same numbers as `sql.py`.

The declarations are compiled once into a plan: one pass over the rows of each relation (`online_days.py`,
`online_keys.py`), whose sums stay whole until the end, then all formulas as one function on plain floats
(`formulas.py`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.catalogue import DECLARATIONS, NAMES, formula
from features.customer_store.history import History
from features.declarations import Declaration, Derived, Feature
from features.evaluators.online_days import DayPlan
from features.evaluators.online_keys import (
    KEY_COLUMNS,
    MEMBER_COLUMNS,
    UNKNOWN,
    KeyPlan,
    basket_values,
    household_values,
)
from features.evaluators.sql import needs
from features.expressions.formulas import together
from features.measures import MEASURE_NAMES, TOUCH_NAMES

_PACKED: Final = struct.Struct(f"{len(NAMES)}d")
_SPEND: Final = MEASURE_NAMES.index("amount_cents")


@dataclass(frozen=True)
class Plan:
    """Declarations, arranged for one pass.

    Attributes:
        visits: features over visits; the others likewise.
        formulas: from the values of each relation, in that order, to the values wanted.
    """

    visits: DayPlan
    touches: DayPlan
    keys: KeyPlan
    household: KeyPlan
    formulas: Callable[..., list[float]]

    @classmethod
    def of(cls, declarations: tuple[Declaration, ...], wanted: tuple[str, ...]) -> Plan:
        """The plan for declarations whose facts are all there."""
        over: dict[str, list[Feature]] = {}
        for feature in (d for d in declarations if isinstance(d, Feature)):
            over.setdefault(feature.of, []).append(feature)
        visits = DayPlan(over.get("visits", ()), MEASURE_NAMES)
        touches = DayPlan(over.get("touches", ()), TOUCH_NAMES)
        keys = KeyPlan([over.get("products", ()), over.get("stores", ())], KEY_COLUMNS)
        household = KeyPlan([over.get("household", ())], MEMBER_COLUMNS, UNKNOWN)
        nodes = {d.name: formula(d).root for d in declarations if isinstance(d, Derived)}
        given = [plan.names for plan in (visits, touches, keys, household)]
        return cls(visits, touches, keys, household, together(nodes, given, wanted))

    def values(self, history: History, as_of: int) -> list[float] | None:
        """The values wanted, NaN where unknown; None if no visit is known before `as_of`."""
        day, values = history.visits.visible(as_of)
        if not len(day):
            return None
        touched, touches = history.touches.visible(as_of)
        return self.formulas(
            self.visits.values(day, values, as_of),
            self.touches.values(touched, touches, as_of) if len(touched) else self.touches.empty,
            basket_values(self.keys, history.baskets, as_of),
            household_values(self.household, history, _SPEND, as_of)
            if history.members
            else self.household.empty,
        )


@cache
def _plan(absent: frozenset[str]) -> Plan:
    return Plan.of(tuple(d for d in DECLARATIONS if not needs(d.name) & absent), NAMES)


def evaluate(history: History, as_of: int) -> NDArray[np.float64]:
    """The catalogue's features of one customer.

    Args:
        history: the customer's record.
        as_of: day T; only what was known before T counts.

    Returns:
        float64[f] in the order of `catalogue.NAMES`, NaN where unknown; all NaN if the customer has no visit
        known before T. Equal to the customer's row of `offline.compute`, bit for bit.
    """
    values = _plan(history.absent).values(history, as_of)
    if values is None:
        return np.full(len(NAMES), np.nan)
    # Packed: numpy takes three times as long to read a list of floats.
    packed = bytearray(_PACKED.size)
    _PACKED.pack_into(packed, 0, *values)
    return np.frombuffer(packed)
