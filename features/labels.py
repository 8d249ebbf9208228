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
class CategoryLabel:
    """Days to the next purchase in a category, answered as a probability for each horizon.

    Attributes:
        horizons_days: horizons.
        window_days: window of eligibility.
        minimum_days: days with a purchase in the category that the window has to have.
        names: categories. One may be named when the catalogue declares `<name>_visits_<window_days>`, the
            days that count, and `days_since_<name>`.
    """

    horizons_days: tuple[int, ...] = (7, 14, 28)
    window_days: int = 91
    minimum_days: int = 2
    names: tuple[str, ...] = ("fuel",)


@dataclass(frozen=True)
class RhythmLabel:
    """Broken habit: no visit in the horizon, among customers who come often and not too irregularly.

    Attributes:
        horizon_days: horizon.
        window_days: window of eligibility.
        minimum_visits: visit days that the window has to have.
        variation_percent: the standard deviation of gaps between visits is at most this share of their mean.
        overdue_days: days beyond the own mean gap from which the plain rule alerts, which the model has to
            beat.
    """

    horizon_days: int = 14
    window_days: int = 91
    minimum_visits: int = 6
    variation_percent: int = 100
    overdue_days: int = 3


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
class ResponseLabel:
    """Responded: an answer of one of the kinds while the campaign ran.

    Once there are enough contacts of our own whose window is over, models learn from these instead: accepted
    or redeemed within `own_days` from the day on as of which the contact was decided.

    Attributes:
        horizon_days: models learn from campaigns that start and end within so many days, and a report is
            about those of the same span.
        kinds: answers that count, as `responses.kind` has them; upper and lower case are the same.
        own_days: days in which an answer to a contact of our own counts.
        own_contacts: contacts that are enough.
        own_answers: answered ones among them that are enough, and unanswered ones.
    """

    horizon_days: int = 92
    kinds: tuple[str, ...] = ("redemption",)
    own_days: int = 28
    own_contacts: int = 2_000
    own_answers: int = 200


@dataclass(frozen=True)
class ValueLabel:
    """Value: how often a known customer comes in the horizon, and what they spend.

    Attributes:
        horizon_days: what forecasts and reports are about.
        learn_days: windows that models learn from, no longer than the horizon: where history is too short for
            windows of the whole horizon, the rest of it is what Pareto/NBD expects.
    """

    horizon_days: int = 91
    learn_days: int = 91


@dataclass(frozen=True)
class LabelDefinitions:
    """All label definitions of a source."""

    churn: ChurnLabel = field(default_factory=ChurnLabel)
    decline: DeclineLabel = field(default_factory=DeclineLabel)
    next_purchase: NextPurchaseLabel = field(default_factory=NextPurchaseLabel)
    category: CategoryLabel = field(default_factory=CategoryLabel)
    rhythm: RhythmLabel = field(default_factory=RhythmLabel)
    recommendation: RecommendationLabel = field(default_factory=RecommendationLabel)
    response: ResponseLabel = field(default_factory=ResponseLabel)
    value: ValueLabel = field(default_factory=ValueLabel)

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
