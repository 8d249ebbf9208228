"""XGBoost as every task about customers uses it: histogram trees, one search space, reproducible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from training.task import Params

if TYPE_CHECKING:
    import optuna

# Fixed, because the number of threads decides the order of floating-point sums, hence the last bit.
THREADS = 2


def space(trial: optuna.Trial, *, depth: tuple[int, int], rounds: tuple[int, int]) -> Params:
    """The part of a search space that is about trees."""
    return {
        "max_depth": trial.suggest_int("max_depth", *depth),
        "rounds": trial.suggest_int("rounds", *rounds, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.015, 0.15, log=True),
        "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 40.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.5, 50.0, log=True),
    }


def train(
    x: NDArray[np.float32],
    y: NDArray[Any],
    names: tuple[str, ...],
    params: Params,
    seed: int,
    **objective: Any,
) -> xgb.Booster:
    """Fit one booster.

    Args:
        x: n x k inputs, NaN = unknown.
        y: n labels.
        names: the k inputs' names.
        params: a draw of `space`, at least.
        seed: of row and column sampling.
        objective: `objective`, `num_class` and the like.
    """
    settings = {
        "tree_method": "hist",
        "nthread": THREADS,
        "seed": seed,
        "verbosity": 0,
        **{key: params[key] for key in TREE_SETTINGS},
        **objective,
    }
    data = xgb.QuantileDMatrix(x, label=y, feature_names=list(names), nthread=THREADS)
    return xgb.train(settings, data, num_boost_round=int(params["rounds"]))


TREE_SETTINGS = (
    "max_depth",
    "learning_rate",
    "min_child_weight",
    "subsample",
    "colsample_bytree",
    "reg_lambda",
)


def predict(booster: xgb.Booster, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities, n or n x classes, as float64."""
    return np.asarray(booster.inplace_predict(x, validate_features=False), dtype=np.float64)


def importance(booster: xgb.Booster) -> list[tuple[str, float]]:
    """Inputs by total gain as shares of the whole, largest first; those never used are left out."""
    gains = booster.get_score(importance_type="total_gain")
    whole = sum(float(np.sum(gain)) for gain in gains.values()) or 1.0
    shares = [(name, float(np.sum(gain)) / whole) for name, gain in gains.items()]
    return sorted(shares, key=lambda item: (-item[1], item[0]))
