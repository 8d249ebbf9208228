"""The three boosters of the task `value`: what each learns, where it starts, how its setting is scaled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from training.boosting import Binned
from training.task import Params
from training.value.expectation import Expectation

Floats = NDArray[np.float64]

VISITS, SPEND, PROBABILITY = "visits", "spend_cents", "probability"
# Probabilities closer to 0 or 1 than this say more than the data can.
EDGE = 1e-6
OBJECTIVES = {
    VISITS: {"objective": "count:poisson", "base_score": 1.0},
    SPEND: {"objective": "count:poisson", "base_score": 1.0},
    PROBABILITY: {"objective": "binary:logistic", "base_score": 0.5},
}


def margins_of(
    model: Expectation, matrix: FeatureMatrix, days: Floats | float, unit: float, chance: str
) -> dict[str, Floats]:
    """Where each booster starts: the logarithm of an amount, or log-odds."""
    visits, p = np.log(model.visits(matrix, days)), model.probability(matrix, days, chance)
    money = visits + np.log(model.spend_per_visit(matrix) / unit)
    return {VISITS: visits, SPEND: money, PROBABILITY: np.log(p) - np.log1p(-p)}


def in_rows(params: Params, name: str, data: Binned) -> Params:
    """A setting whose least weight of a leaf and whose shrinkage are counted in rows.

    XGBoost counts both in second derivatives, which are a visit's chance times its opposite in one booster
    and dozens of visits in another.
    """
    assert data.base_margin is not None, "every booster starts from a margin"
    mean = np.exp(data.base_margin)
    row = float((mean / (1.0 + mean) ** 2 if name == PROBABILITY else mean).mean())
    return {**params, **{key: params[key] * row for key in ("min_child_weight", "reg_lambda")}}
