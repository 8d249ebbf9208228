"""A customer beside their peers: where each key figure stands within the group it is fair to compare with.

The percentile of a value x within a group is its mid-rank: 100 (below + equal / 2) / known, over the group's
customers whose figure is known, the customer included. Customers of equal value share one percentile, the
mean over a group is 50 whatever the ties, and turning the figure's sign turns p into 100 - p.

The group is the closest of the declared ones (`lifecycle.yaml`) that the customer can be placed in and that
is large enough; which ones were passed over, and why, is part of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.life_cycle.rules import ATTRIBUTES, RULES, PeerRules
from features.life_cycle.stages import Evidence, evidence_of

_EVERYBODY = "everybody"


@dataclass(frozen=True)
class Compared(Evidence):
    """One key figure of a customer beside the group's.

    Attributes:
        percentile: 0 to 100, mid-rank; NaN when the value is unknown or nobody's is known.
        median: of the group; NaN when nobody's is known.
        known: customers of the group whose figure is known.
    """

    percentile: float
    median: float
    known: int


@dataclass(frozen=True)
class PeersFound:
    """A customer's comparison with their peers.

    Attributes:
        group: what the peers have in common, column -> value; empty for everybody.
        name: the group in words.
        size: customers in it.
        passed_over: closer groups that were not used, each with the reason.
        figures: the key figures.
    """

    group: Mapping[str, str]
    name: str
    size: int
    passed_over: tuple[str, ...]
    figures: tuple[Compared, ...]


@dataclass(frozen=True)
class Group:
    """Customers to compare with.

    Attributes:
        common, name, size, passed_over: as in `PeersFound`.
        ranked: by figure, the group's known values in rising order.
    """

    common: Mapping[str, str]
    name: str
    size: int
    passed_over: tuple[str, ...]
    ranked: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Peers:
    """A base as of a day, ready to compare its customers.

    Attributes:
        columns: segment, area, kind, tier and stage, object[n] each, None where unknown.
        figures: the key figures, float64[n] each.
        rules: groups and figures.
    """

    columns: Mapping[str, NDArray[Any]]
    figures: Mapping[str, NDArray[np.float64]]
    rules: PeerRules = RULES.peers
    # A group is asked about again and again: its sorted figures are kept.
    _sorted: dict[tuple[tuple[str, str], ...], tuple[int, dict[str, NDArray[np.float64]]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def compare(self, values: Mapping[str, float], place: Mapping[str, str | None]) -> PeersFound:
        """A customer's figures beside those of their peers.

        Args:
            values: the customer's features.
            place: the customer's value of each column that groups are made of, None where unknown.
        """
        found = self.group_of(place)
        figures = tuple(_compared(name, values[name], found.ranked[name]) for name in self.rules.figures)
        return PeersFound(found.common, found.name, found.size, found.passed_over, figures)

    def group_of(self, place: Mapping[str, str | None]) -> Group:
        """The closest group that a customer can be placed in and that is large enough."""
        passed: list[str] = []
        for group in self.rules.groups:
            words = " x ".join(group) or _EVERYBODY
            if absent := [column for column in group if place.get(column) is None]:
                passed.append(f"{words}: {self._absent(absent[0])}")
                continue
            common = {column: str(place[column]) for column in group}
            size, ranked = self._group(common)
            if size < self.rules.minimum and group:
                passed.append(f"{words}: {size} customers, fewer than {self.rules.minimum}")
                continue
            name = ", ".join(f"{column} {value}" for column, value in common.items()) or _EVERYBODY
            return Group(common, name, size, tuple(passed), ranked)
        raise AssertionError("the last group is everybody")

    def _absent(self, column: str) -> str:
        if column in ATTRIBUTES and all(value is None for value in self.columns[column]):
            return f"the source says nobody's {column}"
        return f"the customer's {column} is not known"

    def _group(self, common: Mapping[str, str]) -> tuple[int, dict[str, NDArray[np.float64]]]:
        """Size of a group, and its known figures in rising order."""
        key = tuple(common.items())
        if key not in self._sorted:
            size = len(next(iter(self.figures.values())))
            rows = np.ones(size, dtype=bool)
            for column, value in key:
                rows &= self.columns[column] == value
            figures = {name: np.sort(self.figures[name][rows]) for name in self.rules.figures}
            known = {name: values[~np.isnan(values)] for name, values in figures.items()}
            self._sorted[key] = (int(rows.sum()), known)
        return self._sorted[key]


def percentile(value: float, ranked: NDArray[np.float64]) -> float:
    """Mid-rank percentile, 0 to 100, of a value within known values in rising order; NaN without any."""
    if math.isnan(value) or not len(ranked):
        return math.nan
    below, through = np.searchsorted(ranked, value, "left"), np.searchsorted(ranked, value, "right")
    return float(100 * (below + through) / 2 / len(ranked))


def _compared(name: str, value: float, ranked: NDArray[np.float64]) -> Compared:
    median = float(np.median(ranked)) if len(ranked) else math.nan
    return Compared(
        **vars(evidence_of(name, value)),
        percentile=percentile(value, ranked),
        median=median,
        known=len(ranked),
    )
