"""Trees and a line blended in log-odds, by a share that tuning chooses.

    margin = share x margin of the trees + (1 - share) x margin of the line

With share 0 there are no trees, with 1 there is no line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from training import boosting
from training.boosting import Binned
from training.campaigns import linear
from training.campaigns.examples import ResponseExamples
from training.campaigns.linear import Linear
from training.fitted import Fitted
from training.odds import log_odds
from training.probability import Floats, positives
from training.task import Contributions, Params

TREES = "response"
LINE = "line"


def fit(
    rows: ResponseExamples, names: tuple[str, ...], weight: Floats, params: Params, seed: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Fit what has a say.

    Args:
        rows: both labels are among them.
        names: the k inputs.
        weight: float64[k], see `linear.fit`.
        params: `share`, the line's `strength`, the trees' settings.
        seed: of the trees.

    Returns:
        Boosters and arrays of a fitted model.
    """
    answered, boosters, arrays = positives(rows), {}, {}
    if params["share"] > 0:
        binned = rows.once(names, lambda: Binned(_trees_read(rows.matrix, names), answered, names))
        boosters[TREES] = boosting.fit(binned, params, seed, objective="binary:logistic")
    if params["share"] < 1:
        line = linear.fit(rows.matrix.select(names), answered, weight, params["strength"])
        arrays[LINE] = line.array()
    return boosters, arrays


def probability(fitted: Fitted, matrix: FeatureMatrix) -> Floats:
    """Of n customers; the matrix has all inputs."""
    names, share = _reads(fitted)
    margin = np.zeros(len(matrix))
    if share > 0:
        margin += share * log_odds(boosting.predict(fitted.boosters[TREES], _trees_read(matrix, names)))
    if share < 1:
        margin += (1.0 - share) * Linear.of(fitted.arrays[LINE]).margin(matrix.select(names))
    return np.asarray(1.0 / (1.0 + np.exp(-margin)))


def contributions(fitted: Fitted, matrix: FeatureMatrix) -> Contributions:
    """What each input adds to the margin: the trees' exact SHAP values and the line's terms."""
    names, share = _reads(fitted)
    whole = Contributions(names, np.zeros((len(matrix), len(names))), np.zeros(len(matrix)))
    if share > 0:
        trees = boosting.explain(fitted.boosters[TREES], _trees_read(matrix, names), names)
        whole = _sum(whole, trees.scaled(share, 0.0))
    if share < 1:
        line = Linear.of(fitted.arrays[LINE]).contributions(matrix.select(names), names)
        whole = _sum(whole, line.scaled(1.0 - share, 0.0))
    return whole


def _reads(fitted: Fitted) -> tuple[tuple[str, ...], float]:
    return tuple(fitted.meta["inputs"]), float(fitted.meta["share"])


def _sum(one: Contributions, other: Contributions) -> Contributions:
    values = np.add(one.values, other.values)
    return Contributions(one.names, values, one.base + other.base)


def _trees_read(matrix: FeatureMatrix, names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.ascontiguousarray(matrix.select(names), dtype=np.float32)
