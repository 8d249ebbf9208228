"""What is known of a campaign before it starts: kind, first day, length, how many customers it targets.

A planned campaign and one that has ended are described by the same facts, so that a model trained on the
second can be asked about the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from features.errors import UserError


@dataclass(frozen=True)
class Campaign:
    """Facts of a campaign, planned or over.

    Attributes:
        kind: type of campaign as `named` writes it; empty when the source does not say.
        days: local days it runs, first and last included: the horizon of a response's probability.
        targeted: customers it targets.
    """

    kind: str
    days: int
    targeted: int

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("targeted", self.targeted)):
            if value < 1:
                raise UserError(f"{name} = {value} of a campaign: it has to be 1 or more.")


@dataclass(frozen=True)
class Past:
    """A campaign that is over.

    Attributes:
        campaign_id: the source's id.
        start: its first local day.
        facts: what was known before it.
        answers: targeted customers who answered while it ran.
    """

    campaign_id: str
    start: int
    facts: Campaign
    answers: int = 0

    @property
    def end(self) -> int:
        """The day after its last."""
        return self.start + self.facts.days

    def within(self, cutoffs: Iterable[int], horizon_days: int) -> bool:
        """Whether it starts and ends within one of the windows [c, c + horizon)."""
        return any(c <= self.start and self.end <= c + horizon_days for c in cutoffs)


def named(kind: str | None) -> str:
    """A kind as models name it: lower case, words joined by underscores; empty for an unknown one."""
    return re.sub(r"\W+", "_", (kind or "").lower()).strip("_")


def typical(campaigns: Sequence[Campaign]) -> dict[str, Campaign]:
    """By kind, a campaign with the median length and size of these."""
    found = {}
    for kind in sorted({campaign.kind for campaign in campaigns}):
        of = [campaign for campaign in campaigns if campaign.kind == kind]
        days, targeted = (median(values) for values in zip(*((c.days, c.targeted) for c in of), strict=True))
        found[kind] = Campaign(kind, round(days), round(targeted))
    return found
