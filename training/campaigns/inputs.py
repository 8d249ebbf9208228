"""What a response model reads beside the features: a campaign's facts, a customer's past with campaigns.

They stand in the feature matrix as further columns, so that everything that reads features by name reads
them, too. A past that nobody knows is NaN, not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.evaluators.offline import FeatureMatrix
from training.campaigns.campaign import Campaign
from training.campaigns.contacts import History

SIZE = ("campaign_days", "campaign_targeted")
PAST = (
    "campaigns_targeted",
    "campaigns_answered",
    "campaigns_answered_share",
    "kind_targeted",
    "kind_answered",
    "kind_answered_share",
)
MEANINGS: Final = {
    "campaign_days": "Days the campaign runs",
    "campaign_targeted": "Customers the campaign targets",
    "campaigns_targeted": "Campaigns that targeted the customer before",
    "campaigns_answered": "Campaigns that targeted the customer before and were answered",
    "campaigns_answered_share": "campaigns_answered over campaigns_targeted",
    "kind_targeted": "Campaigns of the same kind that targeted the customer before",
    "kind_answered": "Campaigns of the same kind that targeted the customer before and were answered",
    "kind_answered_share": "kind_answered over kind_targeted",
}
ANY: Final = "*"
"""Stands for every kind where a meaning is declared."""


def kind_input(kind: str) -> str:
    """Name of the input that is 1 for campaigns of a kind."""
    return f"campaign_kind_{kind}"


def names(kinds: Sequence[str], *, size: bool) -> tuple[str, ...]:
    """The inputs beside the features.

    Args:
        kinds: the kinds a model knows.
        size: with length and number of targeted customers.
    """
    return (*map(kind_input, kinds), *(SIZE if size else ()), *PAST)


def meanings(kinds: Sequence[str]) -> dict[str, str]:
    """What each of these inputs means, by name."""
    return {**{kind_input(kind): f"1 for campaigns of kind {kind!r}, else 0" for kind in kinds}, **MEANINGS}


DECLARED: Final = meanings((ANY,))


def planned(
    matrix: FeatureMatrix, campaign: Campaign, history: History | None, kinds: Sequence[str]
) -> FeatureMatrix:
    """Features of n customers with the inputs of a campaign: the same for training, batch and service.

    Args:
        matrix: features as of the campaign's start, or of today for one that is planned.
        campaign: its facts.
        history: of the n customers, in the same order; None: unknown.
        kinds: the kinds to tell apart; of another one every kind's input is 0.
    """
    rows = len(matrix)
    columns = [np.full(rows, float(kind == campaign.kind)) for kind in kinds]
    columns += [np.full(rows, float(value)) for value in (campaign.days, campaign.targeted)]
    if history is None:
        columns += [np.full(rows, np.nan) for _ in PAST]
    else:
        overall = history.targeted.sum(axis=1), history.answered.sum(axis=1)
        for targeted, answered in (overall, history.of(campaign.kind)):
            share = np.where(targeted > 0, answered / np.maximum(targeted, 1), np.nan)
            columns += [targeted.astype(np.float64), answered.astype(np.float64), share]
    return FeatureMatrix(
        matrix.customer_id,
        matrix.as_of,
        (*matrix.names, *names(kinds, size=True)),
        np.column_stack([matrix.values, *columns]),
    )
