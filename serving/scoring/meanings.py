"""Plain words for the numbers behind a decision: what a feature or score means, and its value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from features import catalogue
from serving.scoring import scores

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Meaning:
    """What a name stands for.

    Attributes:
        en: meaning in English.
        zh: meaning in Chinese.
        unit: unit of its value.
    """

    en: str
    zh: str
    unit: str

    def in_language(self, language: str) -> str:
        """The meaning in "en" or "zh"."""
        return self.zh if language == "zh" else self.en


@cache
def meanings() -> dict[str, Meaning]:
    """Every name that an action's expression may read (assumptions apart)."""
    return {
        **{f.name: Meaning(f.meaning, f.meaning_zh, f.unit) for f in catalogue.FEATURES},
        **{s.name: Meaning(s.meaning_en, s.meaning_zh, s.unit) for s in scores.SCORES},
        scores.KNOWN: Meaning("seen before (1) or not (0)", "是否已有记录(1 是, 0 否)", "flag"),
    }


def quantity(value: float, unit: str, currency: str, language: str = "en") -> str:
    """A value as a person reads it beside its meaning, which says what is counted.

    Money is in the currency, shares and chances in percent.
    """
    if math.isnan(value):
        return "未知" if language == "zh" else "unknown"
    if unit == "cents":
        return f"{value / 100:.2f} {currency}"
    if unit in {"probability", "share"}:
        return f"{value * 100:.0f} %"
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{value:.0f}" if value == math.floor(value) else f"{value:.1f}"


def sentence(
    name: str, value: float, currency: str, language: str = "en", own: Mapping[str, Meaning] | None = None
) -> str:
    """`meaning: value` of a feature or score, or of a name that is an action catalogue's own."""
    meaning = (own or {}).get(name) or meanings()[name]
    colon = "\uff1a" if language == "zh" else ": "
    return f"{meaning.in_language(language)}{colon}{quantity(value, meaning.unit, currency, language)}"
