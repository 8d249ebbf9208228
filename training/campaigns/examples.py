"""Rows of (customer, campaign) with whether the customer answered: what response models learn from.

A cutoff c stands for the campaigns that start at or after c and end before c + horizon. So a fit as of X,
whose windows have all ended by X, learns from campaigns that were over by then, and from no other. Inputs of
a row are as of its campaign's start, which is the row's `as_of`; nothing at or after that day is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.evaluators.offline import FeatureMatrix
from training import datasets
from training.campaigns import inputs
from training.campaigns.campaign import Campaign, Past
from training.campaigns.contacts import CAMPAIGN_ID, Contacts
from training.datasets import Snapshots
from training.examples import CustomerExamples

if TYPE_CHECKING:
    import pandas as pd

# Weeks before a campaign's start that have to be in the data: with less, features say how long the data go
# back, not how the customer behaves.
HISTORY_DAYS = 28
# Days whose features are computed in one go.
_TOGETHER = 14


@dataclass(frozen=True)
class ResponseExamples(CustomerExamples):
    """Targeted customers of the campaigns of some cutoffs, n rows, by campaign and customer.

    `matrix` has the inputs of `inputs.planned` beside the features; `outcome` is 1 for an answer, else 0.

    Attributes:
        campaign: int64[n], place of each row's campaign in `campaigns`.
        campaigns: the campaigns, by start and id.
        windows: the cutoffs asked for, ascending; one without a campaign included.
    """

    campaign: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    campaigns: tuple[Past, ...] = ()
    windows: tuple[int, ...] = ()

    per_row: ClassVar[tuple[str, ...]] = (*CustomerExamples.per_row, "campaign")

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The cutoffs asked for."""
        return self.windows

    def at(self, cutoffs: Sequence[int]) -> Self:
        """The rows of these cutoffs' campaigns only; a campaign within several windows counts once."""
        kept = [past.within(cutoffs, self.horizon_days) for past in self.campaigns]
        return self.take(np.array([*kept, False])[self.campaign], windows=tuple(sorted(set(cutoffs))))

    def kinds(self) -> NDArray[Any]:
        """Kind of each row's campaign, n texts."""
        return np.array([*(past.facts.kind for past in self.campaigns), ""])[self.campaign]

    def present(self) -> list[Campaign]:
        """The campaigns that have rows."""
        return [self.campaigns[place].facts for place in np.unique(self.campaign)]

    def keys(self) -> pd.DataFrame:
        """`customer_id`, `as_of` (day of the start) and `campaign_id` of each row."""
        ids = np.array([*(past.campaign_id for past in self.campaigns), ""], dtype=object)
        return super().keys().assign(**{CAMPAIGN_ID: ids[self.campaign]})


def usable(snapshots: Snapshots, contacts: Contacts | None = None) -> list[Past]:
    """Campaigns that are over and say something about others, by start.

    Longer ones than the horizon and those that began when the data did are left out.

    Args:
        snapshots: the tables.
        contacts: as of the same day; None: those of the tables.
    """
    known, first = contacts or Contacts.of(snapshots), snapshots.first_day + HISTORY_DAYS
    return [past for past in known.over if past.start >= first and past.facts.days <= known.horizon_days]


def collect(
    snapshots: Snapshots, cutoffs: Sequence[int], contacts: Contacts | None = None
) -> ResponseExamples:
    """The targeted customers of the campaigns within the cutoffs' windows; arguments as in `usable`.

    Customers of whom nothing was known before the start have no features and are left out.
    """
    contacts = contacts or Contacts.of(snapshots)
    horizon = contacts.horizon_days
    chosen = [past for past in usable(snapshots, contacts) if past.within(cutoffs, horizon)]
    nobody = FeatureMatrix(np.empty(0, object), np.empty(0, np.int32), NAMES, np.empty((0, len(NAMES))))
    parts = [inputs.planned(nobody, Campaign("", 1, 1), None, contacts.kinds)]
    outcomes, sizes = [np.zeros(0)], list[int]()
    for past, everybody in _with_features(snapshots, chosen, keep=not contacts.daily):
        targeted, answered = contacts.rows_of(past, everybody.customer_id)
        matrix = everybody.take(targeted)
        history = contacts.history(matrix.customer_id, past.start)
        parts.append(inputs.planned(matrix, past.facts, history, contacts.kinds))
        outcomes.append(answered[targeted].astype(np.float64))
        sizes.append(len(matrix))
    return ResponseExamples(
        datasets.concatenate(parts),
        np.concatenate(outcomes),
        {},
        (horizon,),
        campaign=np.repeat(np.arange(len(chosen)), sizes),
        campaigns=tuple(chosen),
        windows=tuple(sorted(set(cutoffs))),
    )


def _with_features(
    snapshots: Snapshots, chosen: Sequence[Past], *, keep: bool
) -> Iterator[tuple[Past, FeatureMatrix]]:
    """Each campaign, by start, with everybody's features as of it."""
    days = sorted({past.start for past in chosen})
    for first in range(0, len(days), _TOGETHER):
        group = days[first : first + _TOGETHER]
        found = snapshots.features(group, keep=keep)
        for day in group:
            everybody = found.take(found.as_of == day)
            yield from ((past, everybody) for past in chosen if past.start == day)
