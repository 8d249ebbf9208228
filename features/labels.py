"""What counts as churned, as an eligible customer, as an item: definitions that belong to the source.

A telecom's contract end or a bank's dormancy is another value here, not other code. All windows are in
local days; a window of w days before as-of T is [T - w, T), a horizon of h days after it is [T, T + h).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from features.errors import UserError, unknown


@dataclass(frozen=True)
class ChurnLabel:
    """Churned: no visit in the horizon, among customers with enough visits in the window before."""

    horizon_days: int = 28
    window_days: int = 91
    minimum_visits: int = 2


@dataclass(frozen=True)
class DeclineLabel:
    """Declined: spend in the horizon below half of the spend in the same number of days before."""

    horizon_days: int = 56


@dataclass(frozen=True)
class NextPurchaseLabel:
    """Days to the next visit, answered as a probability for each horizon."""

    horizons_days: tuple[int, ...] = (7, 14, 28)
    window_days: int = 91
    minimum_visits: int = 2


@dataclass(frozen=True)
class RecommendationLabel:
    """Which products are items, and which customers get a list."""

    horizon_days: int = 28
    minimum_item_baskets: int = 10
    minimum_customer_baskets: int = 3
    require_product_type: bool = False
    excluded_departments: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelDefinitions:
    """All label definitions of a source."""

    churn: ChurnLabel = field(default_factory=ChurnLabel)
    decline: DeclineLabel = field(default_factory=DeclineLabel)
    next_purchase: NextPurchaseLabel = field(default_factory=NextPurchaseLabel)
    recommendation: RecommendationLabel = field(default_factory=RecommendationLabel)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> LabelDefinitions:
        """The definitions of a `[labels]` section, or of stored JSON; what is not given has its default.

        Raises:
            UserError: a name is unknown or a value is not of its kind.
        """
        parts = {part.name: part.default_factory for part in fields(cls)}
        for name in given:
            if name not in parts:
                raise unknown("section of [labels]", name, parts)
        return cls(
            **{name: _read(f"labels.{name}", make, given.get(name, {})) for name, make in parts.items()}
        )

    def plain(self) -> dict[str, Any]:
        """As plain JSON values; `read` turns them back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def _read(section: str, make: Any, given: Any) -> Any:
    """One label dataclass from its section, each value checked against the type of its default."""
    if not isinstance(given, Mapping):
        raise UserError(f"[{section}] is {given!r}: it has to be a section of keys and values.")
    defaults = make()
    known = {part.name: getattr(defaults, part.name) for part in fields(defaults)}
    for name in given:
        if name not in known:
            raise unknown(f"key of [{section}]", name, known)
    return make(**{name: _value(f"{section}.{name}", value, known[name]) for name, value in given.items()})


def _value(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise UserError(f"{name} is {value!r}: it has to be true or false.")
        return value
    if isinstance(default, int):
        if not _is_count(value):
            raise UserError(f"{name} is {value!r}: it has to be a whole number of 1 or more, like {default}.")
        return value
    items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if name.endswith("_days"):
        if not items or not all(map(_is_count, items)) or sorted(set(items)) != list(items):
            raise UserError(f"{name} is {value!r}: it has to be a rising list of days, like {list(default)}.")
    elif not all(isinstance(item, str) for item in items):
        raise UserError(f"{name} is {value!r}: it has to be a list of texts.")
    return items


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
