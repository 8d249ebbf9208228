"""Where customers stand in the whole base as of a day: stage, tier and peers.

A tier's threshold and a percentile are facts of the base, so they are found once per as-of and kept; a
customer's own features are the asker's, who may know events of this minute. The nightly batch and the service
read the same thresholds, found from the same tables as of the same day.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.canonical import Canonical
from features.columns import CUSTOMER_ID
from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.life_cycle import stages
from features.life_cycle.peers import Peers, PeersFound
from features.life_cycle.rules import ATTRIBUTES, RULES, Lifecycle
from features.life_cycle.stages import StageFound
from features.life_cycle.tiers import Assigned, Thresholds, TierFound

KEPT: Final = 4


@dataclass(frozen=True)
class Standing:
    """Where one customer stands.

    Attributes:
        customer_id: who.
        as_of: day of the base: thresholds and peers are of it.
        stage: stage of the life cycle with its evidence; None without a history.
        tier: tier by value; None without a history.
        peers: key figures beside the peers'; None without a history.
    """

    customer_id: str
    as_of: int
    stage: StageFound | None
    tier: TierFound | None
    peers: PeersFound | None


@dataclass(frozen=True)
class Base:
    """The base as of a day.

    Attributes:
        rules: stages, tiers and peers.
        as_of: the day.
        customer_id: object[n], rising.
        values: what counts for the tiers, cents, float64[n].
        attributes: segment, area and kind of `customers`, object[n] each, None where unknown.
        stage: object[n].
        tiers: of all n customers.
        thresholds: where each tier begins.
        peers: ready to compare.
    """

    rules: Lifecycle
    as_of: int
    customer_id: NDArray[Any]
    values: NDArray[np.float64]
    attributes: Mapping[str, NDArray[Any]]
    stage: NDArray[Any]
    tiers: Assigned
    thresholds: Thresholds
    peers: Peers

    @classmethod
    def of(cls, canonical: Canonical, as_of: int, matrix: FeatureMatrix, rules: Lifecycle = RULES) -> Base:
        """The base of a matrix of every customer as of one day.

        Args:
            canonical: the tables that the matrix is of.
            as_of: the day.
            matrix: has the features `rules.names`.
            rules: stages, tiers and peers.
        """
        values, stage = matrix.column(rules.tiers.value), stages.assign(matrix.columns(), rules.stages)
        attributes = _attributes(canonical, as_of, matrix.customer_id)
        thresholds = Thresholds.of(as_of, values, attributes["kind"], rules.tiers)
        tiers = thresholds.assign(values, attributes["kind"])
        columns = {**attributes, "tier": tiers.tier, "stage": stage}
        figures = {name: matrix.column(name) for name in rules.peers.figures}
        peers = Peers(columns, figures, rules.peers)
        return cls(rules, as_of, matrix.customer_id, values, attributes, stage, tiers, thresholds, peers)

    def standing(self, customer_id: str, values: Mapping[str, float]) -> Standing:
        """Where a customer stands.

        Args:
            customer_id: who; somebody outside the base has no attributes.
            values: the customer's features, all unknown without a history.
        """
        place = self._place(customer_id)
        stage = stages.explain(values, self.rules.stages)
        tier = self.thresholds.one(values[self.rules.tiers.value], place["kind"])
        if stage is None or tier is None:
            return Standing(customer_id, self.as_of, None, None, None)
        peers = self.peers.compare(values, {**place, "tier": tier.tier, "stage": stage.stage})
        return Standing(customer_id, self.as_of, stage, tier, peers)

    def tier_of(self, customer_id: str, value: float) -> Assigned:
        """One customer's tier by a value that is the asker's, by the thresholds of the base."""
        row = self._row(customer_id)
        if row is not None and self.values[row] == value:
            return self.tiers.take(slice(row, row + 1))
        kind = np.array([None if row is None else self.attributes["kind"][row]], dtype=object)
        return self.thresholds.assign(np.array([value]), kind)

    def to_pandas(self) -> pd.DataFrame:
        """One row per customer: stage, tier, value, what is missing to the next tier (both in cents)."""
        return pd.DataFrame(
            {
                CUSTOMER_ID: self.customer_id,
                "as_of": self.as_of,
                "stage": self.stage,
                "kind": self.tiers.kind,
                "tier": self.tiers.tier,
                "value_cents": self.values.astype(np.int64),
                "next_tier_distance_cents": pd.Series(self.tiers.distance_cents).astype("Int64"),
            }
        )

    def _place(self, customer_id: str) -> dict[str, str | None]:
        row = self._row(customer_id)
        if row is None:
            return dict.fromkeys(ATTRIBUTES)
        return {name: values[row] for name, values in self.attributes.items()}

    def _row(self, customer_id: str) -> int | None:
        """Where a customer stands in the base; None outside it."""
        row = int(self.customer_id.searchsorted(customer_id))
        return row if row < len(self.customer_id) and self.customer_id[row] == customer_id else None


class Bases:
    """The bases of some tables by as-of, each found when it is first asked for; the last few are kept."""

    def __init__(self, canonical: Canonical) -> None:
        self._canonical = canonical
        self._kept: OrderedDict[int, Base] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, as_of: int) -> Base:
        """The base as of a day."""
        with self._lock:
            if as_of not in self._kept:
                self._kept[as_of] = base_at(self._canonical, as_of)
            self._kept.move_to_end(as_of)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[as_of]


def base_at(canonical: Canonical, as_of: int, rules: Lifecycle = RULES) -> Base:
    """The base of a source's customers as of a day, computed from its tables."""
    return Base.of(canonical, as_of, offline.compute(canonical, [as_of], names=rules.names), rules)


def standing(canonical: Canonical, customer_id: str, as_of: int, rules: Lifecycle = RULES) -> Standing:
    """Where one customer stands as of a day; without a history, stage, tier and peers are None."""
    matrix = offline.compute(canonical, [as_of], names=rules.names)
    rows = np.flatnonzero(matrix.customer_id == customer_id)
    own = {name: values[rows[0]] if len(rows) else np.nan for name, values in matrix.columns().items()}
    return Base.of(canonical, as_of, matrix, rules).standing(customer_id, own)


def _attributes(canonical: Canonical, as_of: int, customers: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """What `customers` says of each, None where nothing."""
    found = {name: np.full(len(customers), None, dtype=object) for name in ATTRIBUTES}
    if not canonical.has("customers"):
        return found
    with closing(canonical.connect(until=as_of)) as opened:
        rows = opened.execute(f"SELECT {CUSTOMER_ID}, {', '.join(ATTRIBUTES)} FROM customers").fetchall()
    said = {row[0]: row[1:] for row in rows}
    for position, customer in enumerate(customers.tolist()):
        for name, value in zip(ATTRIBUTES, said.get(customer, ()), strict=False):
            found[name][position] = value
    return found
