"""The chance of an answer to a campaign that is planned: one whose facts are given, or a typical one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from training.campaigns import blend, inputs
from training.campaigns.campaign import Campaign
from training.campaigns.contacts import History
from training.fitted import Fitted

Floats = NDArray[np.float64]


def predict(fitted: Fitted, matrix: FeatureMatrix, campaign: Campaign, history: History | None) -> Floats:
    """P(answer while the campaign runs) of n customers.

    Args:
        fitted: the model.
        matrix: features of n customers as of the start, or as of today for a planned campaign.
        campaign: its facts; its length is the horizon.
        history: the customers' past with campaigns, in the same order; None: unknown.
    """
    return blend.probability(fitted, inputs.planned(matrix, campaign, history, fitted.meta["kinds"]))


def by_kind(fitted: Fitted, matrix: FeatureMatrix, history: History | None) -> dict[str, Floats]:
    """P(answer) of n customers to a typical campaign of each kind seen in training.

    Typical: median length and size of the kind's campaigns, stored with the model (`typical_campaigns`).
    """
    return {
        kind: predict(fitted, matrix, campaign, history)
        for kind, campaign in typical_campaigns(fitted).items()
    }


def typical_campaigns(fitted: Fitted) -> dict[str, Campaign]:
    """Facts of the typical campaign of each kind that `by_kind` asks about."""
    return {kind: Campaign(**facts) for kind, facts in fitted.meta["typical"].items()}


def complete(fitted: Fitted, matrix: FeatureMatrix) -> FeatureMatrix:
    """The matrix with a campaign's inputs, those of a typical one where it has none."""
    if inputs.PAST[0] in matrix.names:
        return matrix
    usual = typical_campaigns(fitted)[fitted.meta["usual"]]
    return inputs.planned(matrix, usual, None, fitted.meta["kinds"])
