"""When two references of a source are one person: rules that belong to the source, like its labels.

    [identity]
    threshold = 0.95                 # probability from which similar records are one person
    prior = 1e-5                     # share of pairs of references that are one person, before any evidence
    different_bits = 4               # evidence against one person, from which a shared key says household
    person_references = 6            # more references with one key are no person, but a household
    household_references = 12        # more than that are neither: a company's card, a made-up number
    block_references = 50            # of one block of similar records the first ones are compared

    [identity.weights]               # per level of a comparison, the best first: [m, u]
    sex = [[0.95, 0.5], [0.05, 0.5]]

m is the probability of a level for two records of one person, u for records of two; their log2 ratio is a
comparison's evidence in bits (Fellegi and Sunter 1969, "A theory for record linkage"). The weights are
declared and not estimated at every ingest: so a pair's probability depends on its two records alone, which is
what lets a link have a day, and a past as-of have the links of its time. `phone` and `address` weigh less
than their rarity says, for a family shares them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from features.errors import UserError, unknown

Weights = tuple[tuple[float, float], ...]

# Levels of each comparison, the best first (what they mean in SQL: `features/identity/matching.py`).
LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("exact", "near", "one word", "related", "other"),
    "birth_date": ("exact", "swapped", "near", "year only", "same year", "other"),
    "email": ("exact", "near", "other"),
    "address": ("exact", "near", "other"),
    "phone": ("exact", "near", "other"),
    "national_id": ("exact", "near", "other"),
    "sex": ("exact", "other"),
}
WEIGHTS: Final[dict[str, Weights]] = {
    "name": ((0.75, 0.0005), (0.15, 0.0005), (0.02, 0.05), (0.04, 0.03), (0.04, 0.92)),
    "birth_date": (
        (0.85, 0.00005), (0.03, 0.00002), (0.06, 0.0008), (0.9, 0.015), (0.002, 0.015), (0.04, 0.985),
    ),
    "email": ((0.8, 0.00001), (0.1, 0.0001), (0.1, 0.9999)),
    "address": ((0.6, 0.003), (0.2, 0.004), (0.2, 0.993)),
    "phone": ((0.45, 0.001), (0.05, 0.0005), (0.5, 0.9985)),
    "national_id": ((0.9, 1e-8), (0.06, 1e-6), (0.04, 0.999999)),
    "sex": ((0.95, 0.5), (0.05, 0.5)),
}  # fmt: skip
_SHARES: Final = ("threshold", "prior")
_COUNTS: Final = ("person_references", "household_references", "block_references")


@dataclass(frozen=True)
class IdentityRules:
    """The rules of `[identity]`.

    Attributes:
        threshold: probability from which similar records are one person; in (0, 1).
        prior: probability that two references are one person before any evidence; in (0, 1).
        different_bits: evidence against, in bits, from which the holders of one key are different people.
        person_references: most references of one key that can be one person.
        household_references: most references of one key that can be one household.
        block_references: of the references of one block, how many (the first seen) are compared.
        weights: per comparison, (m, u) of each of its levels.
    """

    threshold: float = 0.95
    prior: float = 1e-5
    different_bits: float = 4.0
    person_references: int = 6
    household_references: int = 12
    block_references: int = 50
    weights: Mapping[str, Weights] = field(default_factory=lambda: dict(WEIGHTS))

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> IdentityRules:
        """The rules of an `[identity]` section, or of stored JSON; what is not given has its default.

        Raises:
            UserError: a name is unknown or a value is not of its kind.
        """
        known = (*_SHARES, "different_bits", *_COUNTS, "weights")
        for name in given:
            if name not in known:
                raise unknown("key of [identity]", name, known)
        values: dict[str, Any] = {}
        for name in set(given) - {"weights"}:
            values[name] = _number(name, given[name])
        rules = cls(**values, weights=_weights(given.get("weights", {})))
        if rules.household_references < rules.person_references:
            raise UserError(
                f"identity.household_references is {rules.household_references}: it has to be at least "
                f"person_references, {rules.person_references}."
            )
        return rules

    def plain(self) -> dict[str, Any]:
        """As plain JSON values; `read` turns them back."""
        weights = {name: [list(level) for level in levels] for name, levels in self.weights.items()}
        return {**asdict(self), "weights": weights}

    def bits(self, comparison: str, level: int) -> float:
        """Evidence of a level of a comparison, in bits."""
        m, u = self.weights[comparison][level]
        return math.log2(m / u)


def _number(name: str, value: Any) -> float | int:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _COUNTS:
        if not (number and isinstance(value, int) and value > 1):
            raise UserError(f"identity.{name} is {value!r}: it has to be a whole number of 2 or more.")
        return int(value)
    if name in _SHARES and not (number and 0 < value < 1):
        raise UserError(
            f"identity.{name} is {value!r}: it has to be a probability between 0 and 1, like 0.95."
        )
    if not (number and value > 0):
        raise UserError(f"identity.{name} is {value!r}: it has to be a number above 0.")
    return float(value)


def _weights(given: Any) -> dict[str, Weights]:
    if not isinstance(given, Mapping):
        raise UserError(f"identity.weights is {given!r}: it has to be a section, [identity.weights].")
    result = dict(WEIGHTS)
    for name, levels in given.items():
        if name not in LEVELS:
            raise unknown("comparison of [identity.weights]", name, LEVELS)
        if not (
            isinstance(levels, (list, tuple))
            and len(levels) == len(LEVELS[name])
            and all(isinstance(level, (list, tuple)) and len(level) == 2 for level in levels)  # noqa: PLR2004
            and all(_is_share(value) for level in levels for value in level)
        ):
            raise UserError(
                f"identity.weights.{name} is {levels!r}: it has to be a list of {len(LEVELS[name])} pairs "
                f"[m, u] of probabilities between 0 and 1, one each for {', '.join(LEVELS[name])}."
            )
        result[name] = tuple((float(m), float(u)) for m, u in levels)
    return result


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1
