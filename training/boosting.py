"""XGBoost as every task uses it: histogram trees, one search space, rows binned once, reproducible."""

from __future__ import annotations

import ctypes
import json
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from xgboost import core

from training.task import Contributions, Params

if TYPE_CHECKING:
    import optuna

# One thread a fit, several fits at once: the number of threads decides the order of floating-point sums,
# hence the last bit, and two small fits side by side take less time than two in turn on two cores each.
THREADS = 1

TREE_SETTINGS = (
    "max_depth",
    "learning_rate",
    "min_child_weight",
    "subsample",
    "colsample_bytree",
    "reg_lambda",
)

_SPENT, _ASKED = threading.local(), threading.local()

# Rows of 4-byte floats in NumPy's array interface, and what `inplace_predict` asks for by default.
_ROWS: Final = b'{"data": [%d, true], "shape": [%d, %d], "strides": null, "typestr": "<f4", "version": 3}'
_PLAIN: Final = json.dumps(
    {
        "type": 0,
        "training": False,
        "iteration_begin": 0,
        "iteration_end": 0,
        "missing": math.nan,
        "strict_shape": False,
        "cache_id": 0,
    }
).encode()


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


@dataclass
class Binned:
    """Rows to learn from, binned once for all fits on them.

    XGBoost does not promise that two fits may read one binned matrix at the same time, so each thread has a
    copy of its own: a byte or two a value.

    Attributes:
        x: n x k inputs, NaN = unknown.
        y: n labels.
        names: the k inputs' names.
        weight: n weights; None: all alike.
        base_margin: n margins to start from; None: the objective's own.
        held: the binned inputs by thread; those that learn other labels from the same ones, with margins and
            without weights, may share them.
    """

    x: NDArray[np.float32]
    y: NDArray[Any]
    names: tuple[str, ...]
    weight: NDArray[np.float64] | None = None
    base_margin: NDArray[np.float64] | None = None
    held: dict[int, xgb.QuantileDMatrix] = field(default_factory=dict, repr=False)

    @property
    def matrix(self) -> xgb.QuantileDMatrix:
        """This thread's binned matrix."""
        thread = threading.get_ident()
        if thread not in self.held:
            self.held[thread] = xgb.QuantileDMatrix(
                self.x,
                label=self.y,
                weight=self.weight,
                base_margin=self.base_margin,
                feature_names=list(self.names),
                nthread=THREADS,
            )
        elif self.base_margin is not None:
            self.held[thread].set_info(label=self.y, base_margin=self.base_margin)
        return self.held[thread]


def fit(rows: Binned, params: Params, seed: int, **objective: Any) -> xgb.Booster:
    """Fit one booster.

    Args:
        rows: what to learn from.
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
    matrix, since = rows.matrix, time.perf_counter()
    booster = xgb.train(settings, matrix, num_boost_round=int(params["rounds"]))
    _SPENT.seconds = spent() + time.perf_counter() - since
    return booster


def spent() -> float:
    """Seconds that this thread has spent in bare training so far."""
    return float(getattr(_SPENT, "seconds", 0.0))


def predict(booster: xgb.Booster, x: NDArray[np.float32], base_margin: Any = None) -> NDArray[np.float64]:
    """Predictions, n or n x classes, as float64."""
    if base_margin is None and len(x):
        return _plain(booster, x)
    return np.asarray(
        booster.inplace_predict(x, validate_features=False, base_margin=base_margin), dtype=np.float64
    )


def _plain(booster: xgb.Booster, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same by the C function that `inplace_predict` calls.

    What `inplace_predict` itself looks at before (kinds of tables, categories) takes longer than the trees of
    one row.
    """
    rows = np.ascontiguousarray(x, dtype=np.float32)
    where = _ROWS % (rows.ctypes.data, *rows.shape)
    sizes, size = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    values = ctypes.POINTER(ctypes.c_float)()
    failed = core._LIB.XGBoosterPredictFromDense(  # noqa: SLF001 - its C API is public, the way to it is not
        booster.handle,
        where,
        _PLAIN,
        _matrix(),
        ctypes.byref(sizes),
        ctypes.byref(size),
        ctypes.byref(values),
    )
    if failed:
        raise xgb.core.XGBoostError(core._LIB.XGBGetLastError().decode())  # noqa: SLF001
    # What XGBoost gives out is overwritten by its next answer.
    return np.ctypeslib.as_array(values, sizes[: size.value]).astype(np.float64)


def _matrix() -> ctypes.c_void_p:
    """This thread's matrix for rows: to make one, XGBoost looks up in files how many cores it may use."""
    held: xgb.DMatrix | None = getattr(_ASKED, "matrix", None)
    if held is None:
        held = _ASKED.matrix = core._ProxyDMatrix()  # noqa: SLF001 - as above
    handle: ctypes.c_void_p = held.handle
    return handle


def explain(booster: xgb.Booster, x: NDArray[np.float32], names: tuple[str, ...]) -> Contributions:
    """Exact contributions of each input to the margin; of classes, the last against the others' mean."""
    data = xgb.DMatrix(x, feature_names=list(names), nthread=THREADS)
    found = np.asarray(booster.predict(data, pred_contribs=True), dtype=np.float64)
    if found.ndim > len(x.shape):
        found = found[:, -1] - found[:, :-1].mean(axis=1)
    return Contributions(names, found[:, :-1], found[:, -1])


def importance(booster: xgb.Booster) -> list[tuple[str, float]]:
    """Inputs by total gain as shares of the whole, largest first; those never used are left out."""
    gains = booster.get_score(importance_type="total_gain")
    whole = sum(float(np.sum(gain)) for gain in gains.values()) or 1.0
    shares = [(name, float(np.sum(gain)) / whole) for name, gain in gains.items()]
    return sorted(shares, key=lambda item: (-item[1], item[0]))
