"""What a model of answers reads of customers whom no campaign is about yet: the facts of a typical one."""

from __future__ import annotations

from features.evaluators.offline import FeatureMatrix
from training.campaigns import inputs
from training.campaigns.campaign import Campaign
from training.fitted import Fitted


def complete(fitted: Fitted, matrix: FeatureMatrix) -> FeatureMatrix:
    """The matrix with a campaign's inputs, those of a typical one of the usual kind where it has none."""
    if inputs.PAST[0] in matrix.names:
        return matrix
    usual = Campaign(**fitted.meta["typical"][fitted.meta["usual"]])
    return inputs.planned(matrix, usual, None, fitted.meta["kinds"])
