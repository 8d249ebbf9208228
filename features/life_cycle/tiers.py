"""Tiers by value: what a customer's money of the last months makes of them, and how far the next tier is.

Thresholds are in money. Where a kind's levels are declared as shares, its thresholds are found among its own
customers at the as-of: a level that is the best share q of n customers who spent anything begins at the value
of the ceil(q n)-th of them, best first; ties at a threshold are all in. So the thresholds are a fact of one
day, and whoever uses them says of which.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.life_cycle.rules import RULES, SHARE, TierRules

# Products like 0.05 x 20 come out a hair above the whole number that is meant.
_HAIR = 1e-9


@dataclass(frozen=True)
class TierFound:
    """One customer's tier.

    Attributes:
        tier: name of the level.
        kind: kind of customer whose thresholds were used.
        value_feature: the feature that counts.
        value_cents: its value.
        next_tier: the level that comes next; None at the best one, or when nobody has any value.
        next_tier_cents: where it begins.
        next_tier_distance_cents: what is missing to it.
    """

    tier: str
    kind: str
    value_feature: str
    value_cents: int
    next_tier: str | None
    next_tier_cents: int | None
    next_tier_distance_cents: int | None


@dataclass(frozen=True)
class TierSummary:
    """What one tier of one kind holds.

    Attributes:
        kind: kind of customer.
        tier: name of the level.
        from_cents: where it begins; None for the last level, and where nobody spent anything.
        customers: how many.
        customers_share: of the kind's customers.
        value_cents: their value; what is negative (refunds) counts as 0.
        value_share: of the kind's value; NaN when it is 0.
    """

    kind: str
    tier: str
    from_cents: int | None
    customers: int
    customers_share: float
    value_cents: int
    value_share: float


@dataclass(frozen=True)
class Assigned:
    """The tiers of n customers.

    Attributes:
        tier: str[n]; None where the value is unknown.
        kind: str[n], the kind whose thresholds were used.
        distance_cents: float64[n], what is missing to the next tier; NaN at the best one.
    """

    tier: NDArray[Any]
    kind: NDArray[Any]
    distance_cents: NDArray[np.float64]

    def take(self, rows: NDArray[Any] | slice) -> Assigned:
        """The rows of a boolean mask, of positions or of a slice."""
        return Assigned(self.tier[rows], self.kind[rows], self.distance_cents[rows])


@dataclass(frozen=True)
class Thresholds:
    """Where each tier begins, as of a day.

    Attributes:
        as_of: the day.
        rules: what they were made from.
        cents: kind -> least value of each level but the last, best first; infinite where nobody spends.
    """

    as_of: int
    rules: TierRules
    cents: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(
        cls, as_of: int, values: NDArray[np.float64], kinds: NDArray[Any], rules: TierRules = RULES.tiers
    ) -> Thresholds:
        """The thresholds of a base.

        Args:
            as_of: day of the values.
            values: the feature that counts, of all n customers, cents.
            kinds: `customers.kind` of each, None where it is not known.
            rules: levels and bounds.
        """
        resolved = kinds_of(kinds, rules)
        found: dict[str, tuple[float, ...]] = {}
        for kind, bounds in rules.bounds.items():
            if rules.by[kind] == SHARE:
                ranked = np.sort(values[(resolved == kind) & (values > 0)])[::-1]
                found[kind] = tuple(_least(ranked, share) for share in bounds)
            else:
                found[kind] = bounds
        return cls(as_of, rules, found)

    def assign(self, values: NDArray[np.float64], kinds: NDArray[Any]) -> Assigned:
        """Tiers of n customers; arguments as in `of`."""
        resolved = kinds_of(kinds, self.rules)
        level = np.zeros(len(values), dtype=np.intp)
        distance = np.full(len(values), np.nan)
        for kind, cents in self.cents.items():
            rows = np.flatnonzero(resolved == kind)
            starts = np.array(cents)
            level[rows] = (values[rows, None] < starts).sum(axis=1)
            below = rows[level[rows] > 0]
            distance[below] = starts[level[below] - 1] - values[below]
        tier = np.array(self.rules.levels, dtype=object)[level]
        tier[np.isnan(values)] = None
        return Assigned(tier, resolved, np.where(np.isfinite(distance), distance, np.nan))

    def one(self, value: float, kind: str | None) -> TierFound | None:
        """One customer's tier; None when the value is unknown."""
        found = self.assign(np.array([value]), np.array([kind], dtype=object))
        if found.tier[0] is None:
            return None
        distance = found.distance_cents[0]
        following = None
        if not math.isnan(distance):
            # Two levels may begin at the same value: the customer would reach the better one.
            start = value + distance
            following = self.rules.levels[sum(cents > start for cents in self.cents[found.kind[0]])]
        return TierFound(
            tier=found.tier[0],
            kind=found.kind[0],
            value_feature=self.rules.value,
            value_cents=round(value),
            next_tier=following,
            next_tier_cents=None if following is None else round(value + distance),
            next_tier_distance_cents=None if following is None else round(distance),
        )


def kinds_of(kinds: NDArray[Any], rules: TierRules = RULES.tiers) -> NDArray[Any]:
    """The declared kind of each customer: the source's, or the first one when it is none of them."""
    first = next(iter(rules.by))
    known = {kind.lower(): kind for kind in rules.by}
    return np.array(
        [known.get(kind.strip().lower(), first) if isinstance(kind, str) else first for kind in kinds],
        dtype=object,
    )


def summary(values: NDArray[np.float64], found: Assigned, thresholds: Thresholds) -> tuple[TierSummary, ...]:
    """What each tier holds, kind by kind, best first; kinds without customers are left out."""
    rows = []
    money = np.clip(np.nan_to_num(values), 0, None)
    for kind, cents in thresholds.cents.items():
        mine = found.kind == kind
        if not mine.any():
            continue
        total = money[mine].sum()
        for level, start in zip(thresholds.rules.levels, (*cents, math.inf), strict=True):
            chosen = mine & (found.tier == level)
            value = money[chosen].sum()
            rows.append(
                TierSummary(
                    kind=kind,
                    tier=level,
                    from_cents=round(start) if math.isfinite(start) else None,
                    customers=int(chosen.sum()),
                    customers_share=float(chosen.sum() / mine.sum()),
                    value_cents=round(value),
                    value_share=float(value / total) if total else math.nan,
                )
            )
    return tuple(rows)


def _least(ranked: NDArray[np.float64], share: float) -> float:
    """The value of the last customer within the best share; infinite when there is nobody."""
    place = max(1, math.ceil(share * len(ranked) - _HAIR))
    return float(ranked[place - 1]) if len(ranked) else math.inf
