"""Why a model expects a customer to leave, in the reasons that people who serve customers know.

A contribution that raises the risk speaks for the reason that its input belongs to; which one that is, is
data (`reasons.yaml`). A reason's share is its part of all that raises the customer's risk. Where none of a
reason's inputs is known of a customer, because the source does not give it, there is no evidence: the share
is unknown, not 0. Habit says that somebody stays away, not why.

These are the model's reasons: what goes with leaving, not what causes it. Those that customers gave
themselves, if the source has them (`recorded`), stand beside them in the report of churn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.declarations import FAMILIES
from features.errors import UserError, unknown
from training.examples import RHYTHM_NAMES
from training.task import Contributions

if TYPE_CHECKING:
    from features.canonical import Canonical

Floats = NDArray[np.float64]

TOP: Final = 3
HABIT: Final = "habit"
_RECORDED: Final = (
    "SELECT upper(trim(reason)) AS reason, count(*) AS times FROM service_events "
    "WHERE day >= ? AND reason IS NOT NULL AND trim(reason) <> '' GROUP BY 1 ORDER BY times DESC, reason"
)


@dataclass(frozen=True)
class Reason:
    """One reason.

    Attributes:
        id: stable name.
        en: name for people, in English.
        zh: the same in Chinese.
        meaning: what its inputs are about.
    """

    id: str
    en: str
    zh: str
    meaning: str


@dataclass(frozen=True)
class ReasonMap:
    """Which input speaks for which reason.

    Attributes:
        reasons: by id, in the order in which they are shown.
        families: family of features -> id.
        features: input -> id, where it differs from its family's.
    """

    reasons: Mapping[str, Reason]
    families: Mapping[str, str]
    features: Mapping[str, str]

    def of(self, name: str) -> str:
        """Id of the reason that an input speaks for.

        Raises:
            UserError: the input is neither named nor a feature.
        """
        if name in self.features:
            return self.features[name]
        if name not in BY_NAME:
            raise unknown("input in training/reasons.yaml", name, [*BY_NAME, *RHYTHM_NAMES])
        return self.families[BY_NAME[name].family]


@dataclass(frozen=True)
class Evidence:
    """An input that raises a customer's risk.

    Attributes:
        name: of the input.
        value: what it is for the customer; None when unknown.
        contribution: what it adds to the margin, above 0.
    """

    name: str
    value: float | None
    contribution: float


@dataclass(frozen=True)
class Share:
    """One reason of one customer.

    Attributes:
        reason: which.
        share: part of what raises the risk, 0 to 1; None when nothing is known that could speak for it.
        evidence: the inputs that add most, most first; empty when none adds.
    """

    reason: Reason
    share: float | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Reasons:
    """The reasons of n customers.

    Attributes:
        ids: r reasons.
        shares: float64[n, r]; NaN when nothing is known that could speak for it.
        contributions: of k inputs.
        values: float64[n, k], what the inputs were; NaN when unknown.
    """

    ids: tuple[str, ...]
    shares: Floats
    contributions: Contributions
    values: Floats

    def of(self, row: int, top: int = TOP) -> tuple[Share, ...]:
        """One customer's reasons, each with the strongest of its inputs."""
        reasons, column = declared(), self._columns
        added = self.contributions.values[row]
        order, found = np.argsort(-added, kind="stable"), []
        for place, id_ in enumerate(self.ids):
            share = _known(self.shares[row, place])
            inputs = [i for i in order if column[i] == place and added[i] > 0 and share is not None]
            evidence = tuple(self._evidence(row, i) for i in inputs[:top])
            found.append(Share(reasons.reasons[id_], share, evidence))
        return tuple(found)

    def whole(self) -> dict[str, float | None]:
        """Shares of all customers together, by id; of each reason among those of whom something is known."""
        raising = np.maximum(self.contributions.values, 0.0).sum(axis=1)
        known = ~np.isnan(self.shares)
        sums = (np.where(known, self.shares, 0.0) * raising[:, None]).sum(axis=0)
        totals = (known * raising[:, None]).sum(axis=0)
        with np.errstate(invalid="ignore"):
            shares = np.where(totals > 0, sums / totals, np.where(known.any(axis=0), 0.0, np.nan))
        return {id_: _known(share) for id_, share in zip(self.ids, shares, strict=True)}

    @property
    def _columns(self) -> NDArray[np.intp]:
        return _places(self.contributions.names)

    def _evidence(self, row: int, column: int) -> Evidence:
        value, added = self.values[row, column], self.contributions.values[row, column]
        return Evidence(self.contributions.names[column], _known(value), float(added))


def grouped(contributions: Contributions, values: NDArray[Any]) -> Reasons:
    """The reasons behind n predictions.

    Args:
        contributions: of k inputs to a margin that rises with the risk.
        values: n x k, the inputs as the model read them, NaN where unknown.

    Raises:
        UserError: an input belongs to no reason.
    """
    ids = tuple(declared().reasons)
    belongs = np.zeros((len(contributions.names), len(ids)))
    belongs[np.arange(len(belongs)), _places(contributions.names)] = 1.0
    seen = np.isfinite(values).astype(np.float64) @ belongs > 0
    raising = np.maximum(contributions.values, 0.0) @ belongs
    total = np.where(seen, raising, 0.0).sum(axis=1, keepdims=True)
    shares = np.divide(raising, total, out=np.zeros_like(raising), where=total > 0)
    return Reasons(ids, np.where(seen, shares, np.nan), contributions, np.asarray(values, dtype=np.float64))


def recorded(canonical: Canonical, as_of: int, days: int = 364) -> dict[str, int] | None:
    """Reasons that service events of the days before an as-of state, in capitals, and how often.

    None when the source gives no service events.
    """
    if not canonical.has("service_events"):
        return None
    with canonical.connect(until=as_of) as connection:
        return dict(connection.execute(_RECORDED, [as_of - days]).fetchall())


@cache
def declared() -> ReasonMap:
    """The map of `reasons.yaml`."""
    return read(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def read(text: str) -> ReasonMap:
    """A map from its text.

    Raises:
        UserError: a family has no reason, or a name is not known.
    """
    content = yaml.safe_load(text)
    reasons = {
        id_: Reason(id_, form["en"], form["zh"], form["meaning"]) for id_, form in content["reasons"].items()
    }
    families, features = dict(content["families"]), dict(content["features"])
    for family in families:
        if family not in FAMILIES:
            raise unknown("family in training/reasons.yaml", family, FAMILIES)
    if missing := [family for family in FAMILIES if family not in families]:
        raise UserError(
            f"training/reasons.yaml gives family {missing[0]!r} no reason. Add it under families."
        )
    for name in features:
        if name not in BY_NAME and name not in RHYTHM_NAMES:
            raise unknown("input in training/reasons.yaml", name, [*BY_NAME, *RHYTHM_NAMES])
    for id_ in (*families.values(), *features.values()):
        if id_ not in reasons:
            raise unknown("reason in training/reasons.yaml", id_, reasons)
    return ReasonMap(reasons, families, features)


@cache
def _places(names: tuple[str, ...]) -> NDArray[np.intp]:
    """The reason of each input, as a place in the list of reasons."""
    reasons = declared()
    ids = list(reasons.reasons)
    return np.array([ids.index(reasons.of(name)) for name in names], dtype=np.intp)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
