"""Potential value: what comparable customers reach, minus own; the customers who would gain most come first.

Within reach is the value that a declared share of a customer's peers stays below (`potential` of
`features/life_cycle/rules.yaml`): linear interpolation between order statistics, as `numpy.quantile`.
Nobody has less than none. It says where there is room among customers of the same kind, not what an action
would bring.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.columns import CUSTOMER_ID
from features.errors import UserError
from features.life_cycle.peers import Peers
from features.life_cycle.portrait import Base, base_at
from features.life_cycle.rules import GROUP_COLUMNS, RULES, Lifecycle

if TYPE_CHECKING:
    import pandas as pd

    from features.canonical import Canonical

# Products like 0.2 x 15 come out a hair above the whole number that is meant.
_HAIR = 1e-9


@dataclass(frozen=True)
class Potential:
    """The potential of n customers as of a day.

    Attributes:
        as_of: the day.
        figure: the feature that counts.
        customer_id: object[n].
        own_cents: int64[n], what each brings; unknown counts as 0.
        reached_cents: int64[n], what is within reach.
        group: object[n], the peers in words.
        peers: int64[n], how many they are.
    """

    as_of: int
    figure: str
    customer_id: NDArray[Any]
    own_cents: NDArray[np.int64]
    reached_cents: NDArray[np.int64]
    group: NDArray[Any]
    peers: NDArray[np.int64]

    @property
    def potential_cents(self) -> NDArray[np.int64]:
        """What is missing to what is within reach, 0 or more."""
        missing: NDArray[np.int64] = np.maximum(self.reached_cents - self.own_cents, 0)
        return missing

    def top(self, share: float) -> NDArray[np.intp]:
        """Rows of the share of all customers with the largest potential, largest first; none without any.

        Raises:
            UserError: the share is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise UserError(
                f"--top is {share}: it has to be a share of the customers, above 0 and at most 1."
            )
        missing = self.potential_cents
        order = np.lexsort((self.customer_id.astype(str), -missing))
        quota = math.ceil(share * len(order) - _HAIR)
        return order[:quota][missing[order[:quota]] > 0]

    def to_pandas(self) -> pd.DataFrame:
        """One row per customer."""
        import pandas as pd

        return pd.DataFrame(
            {
                CUSTOMER_ID: self.customer_id,
                "as_of": self.as_of,
                "own_cents": self.own_cents,
                "reached_cents": self.reached_cents,
                "potential_cents": self.potential_cents,
                "group": self.group,
                "peers": self.peers,
            }
        )


def potential_at(canonical: Canonical, as_of: int, rules: Lifecycle = RULES) -> Potential:
    """The potential of a source's customers as of a day."""
    return of(base_at(canonical, as_of, rules))


def of(base: Base) -> Potential:
    """The potential of a base's customers."""
    rules = base.rules.potential
    figure = base.peers.figures[rules.figure]
    peers = Peers(base.peers.columns, {rules.figure: figure}, rules.peers)
    places = list(zip(*(base.peers.columns[column] for column in GROUP_COLUMNS), strict=True))
    within = {}
    for place in dict.fromkeys(places):
        found = peers.group_of(dict(zip(GROUP_COLUMNS, place, strict=True)))
        ranked = found.ranked[rules.figure]
        reached = round(float(np.quantile(ranked, rules.reach))) if len(ranked) else 0
        within[place] = (reached, found.name, found.size)
    rows = [within[place] for place in places]
    return Potential(
        as_of=base.as_of,
        figure=rules.figure,
        customer_id=base.customer_id,
        own_cents=np.nan_to_num(figure).astype(np.int64),
        reached_cents=np.array([row[0] for row in rows], dtype=np.int64),
        group=np.array([row[1] for row in rows], dtype=object),
        peers=np.array([row[2] for row in rows], dtype=np.int64),
    )
