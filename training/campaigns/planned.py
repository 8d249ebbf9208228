"""Which campaign a question is about that names none."""

from __future__ import annotations

from features.evaluators.offline import FeatureMatrix
from training.campaigns import inputs
from training.campaigns.campaign import Campaign
from training.fitted import Fitted


def complete(fitted: Fitted, matrix: FeatureMatrix) -> FeatureMatrix:
    """The matrix with a campaign's inputs; where it has none, those of a typical one, the past unknown.

    Typical: median length and size of the campaigns of the kind that targeted most in training.
    """
    if inputs.PAST[0] in matrix.names:
        return matrix
    usual = Campaign(**fitted.meta["typical"][fitted.meta["usual"]])
    return inputs.planned(matrix, usual, None, fitted.meta["kinds"])
