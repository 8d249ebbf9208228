"""Life-cycle stages: where a customer stands at an as-of, by rules declared over features.

The rules are read in order and the first that holds gives the stage, so every customer with a history has
exactly one. "Late" is measured by the customer's own rhythm: a gap that ends a weekly habit is ordinary for
somebody who comes every second month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import expressions
from features.catalogue import NAMES
from features.expressions import Expression


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        id: stable name, the value of `stage` in scores and conditions.
        name_zh: name in Chinese.
        meaning: what it says about the customer.
        rule: when it holds, provided that no earlier one does.
    """

    id: str
    name_zh: str
    meaning: str
    rule: Expression

    @property
    def evidence(self) -> tuple[str, ...]:
        """The features that the rule reads."""
        return tuple(sorted(self.rule.names))


def _stage(stage_id: str, name_zh: str, meaning: str, rule: str) -> Stage:
    return Stage(stage_id, name_zh, meaning, expressions.parse(rule, NAMES, kind="boolean"))


STAGES: Final = (
    _stage(
        "lapsing",
        "流失期",
        "absent for four weeks or more, and twice as long as usual",
        "days_since_visit >= 28 AND coalesce(overdue_ratio, 2) >= 2",
    ),
    _stage("exploring", "徘徊期", "came on fewer than four days: no habit to be seen yet", "visits_all < 4"),
    _stage("forming", "形成期", "a habit younger than 13 weeks", "tenure_days < 91"),
    _stage("stable", "稳定期", "a habit that holds", "visits_all >= 4"),
)


def assign(columns: Mapping[str, NDArray[np.float64]]) -> NDArray[Any]:
    """The stage of each of n customers.

    Args:
        columns: features by name, each of length n.

    Returns:
        n stage ids as texts; None for a customer without a history.
    """
    stage = np.full(len(columns["visits_all"]), None, dtype=object)
    for candidate in reversed(STAGES):
        stage[candidate.rule.evaluate(columns)] = candidate.id
    stage[np.isnan(columns["visits_all"]) | (columns["visits_all"] == 0)] = None
    return stage
