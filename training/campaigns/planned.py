"""What a model of answers reads of customers whom no campaign is about yet: the facts of a typical one."""

from __future__ import annotations

import numpy as np

from features.evaluators.offline import FeatureMatrix
from training.campaigns import inputs
from training.campaigns.campaign import Campaign
from training.fitted import Fitted


def complete(fitted: Fitted, matrix: FeatureMatrix) -> FeatureMatrix:
    """The matrix with a campaign's inputs, those of a typical one of the usual kind where it has none.

    Rows of campaigns of other kinds than the model knows have none of its kinds.
    """
    if inputs.PAST[0] in matrix.names:
        kinds = map(inputs.kind_input, fitted.meta["kinds"])
        absent = tuple(name for name in kinds if name not in matrix.names)
        if not absent:
            return matrix
        values = np.hstack([matrix.values, np.zeros((len(matrix), len(absent)))])
        return FeatureMatrix(matrix.customer_id, matrix.as_of, (*matrix.names, *absent), values)
    usual = Campaign(**fitted.meta["typical"][fitted.meta["usual"]])
    return inputs.planned(matrix, usual, None, fitted.meta["kinds"])
