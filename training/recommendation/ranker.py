"""The boosters that give each candidate the probability of being bought within the horizon.

One learns from items the customer bought before, one from new ones: a habit that goes on and a first try have
little in common, and a new item is a hundred times less likely. As of 2017-09-03 and 2017-10-01 lists of new
items by two boosters had 3 % more NDCG@10 than those by one of the same size. One line for both brings their
log-odds to what a later window saw, so it changes no order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from training import boosting
from training.boosting import Binned
from training.odds import AS_IT_IS, log_odds, on_line
from training.recommendation.blocks import Block
from training.recommendation.declarations import INPUTS
from training.task import Params

OWN, NEW, LINE = "own", "new", "line"
# Candidates whose inputs are copied for a prediction at once: those of all customers fill the memory.
AT_ONCE = 100_000
# Settings that the two boosters do not share, by their names in the search space.
OF_NEW = {"max_depth": "new_depth", "rounds": "new_rounds"}


def binned(blocks: Sequence[Block], limit: int) -> dict[str, Binned]:
    """The rows each booster learns from; one that has not seen both answers learns from all rows.

    Args:
        blocks: samples of the training cutoffs.
        limit: about so many rows at most, those of a share of the customers.

    Raises:
        UserError: nothing was bought, or nothing was not.
    """
    share = min(1.0, limit / max(1, sum(len(block.row) for block in blocks)))
    drawn = [(block, _drawn(block, share)) for block in blocks]
    parts = ("inputs", "label", "weight", "new")
    columns = {part: [getattr(block, part)[rows] for block, rows in drawn] for part in parts}
    label, new = (np.concatenate([np.empty(0, np.bool_), *columns[part]]) for part in ("label", "new"))
    if not both(label):
        raise UserError(
            f"recommendation cannot be learned: of {len(label)} candidate items at {len(blocks)} cutoffs "
            f"{int(label.sum())} were bought, and both kinds are needed. Check labels.recommendation of the "
            "source, or train as of a later date.",
            ExitCode.BAD_DATA,
        )
    inputs, weight = (np.concatenate(columns[part]) for part in ("inputs", "weight"))
    found = {}
    for name, kind in ((OWN, ~new), (NEW, new)):
        rows = kind if both(label[kind]) else np.ones(len(label), dtype=np.bool_)
        found[name] = Binned(inputs[rows], label[rows], INPUTS, weight[rows])
    return found


def _drawn(block: Block, share: float) -> NDArray[np.int64]:
    """Candidates of a random share of a block's customers."""
    customers = np.random.default_rng(block.cutoff).random(len(block.truth.customer_id)) < share
    return np.flatnonzero(customers[block.row])


def both(label: NDArray[np.bool_]) -> bool:
    """Whether something was bought and something was not."""
    return bool(label.any() and not label.all())


def train(rows: Mapping[str, Binned], params: Params, seed: int) -> dict[str, xgb.Booster]:
    """Fit both boosters."""
    settings = {OWN: params, NEW: {**params, **{name: params[mine] for name, mine in OF_NEW.items()}}}
    return {
        name: boosting.fit(rows[name], settings[name], seed, objective="binary:logistic")
        for name in (OWN, NEW)
    }


def line(boosters: Mapping[str, xgb.Booster], blocks: Sequence[Block]) -> NDArray[np.float64]:
    """Slope and shift of log-odds that bring boosters fitted before to what these windows saw.

    Platt, "Probabilistic outputs for support vector machines" (1999). Slope 1 and shift 0 where they saw one
    answer only, or order would turn.
    """
    from sklearn.linear_model import LogisticRegression

    label, weight = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("label", "weight")
    )
    if not both(label):
        return AS_IT_IS
    odds = log_odds(np.concatenate([predict(boosters, block.inputs, block.new) for block in blocks]))
    fitted = LogisticRegression(C=1e6).fit(odds[:, np.newaxis], label, sample_weight=weight)
    slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return np.array([slope, shift]) if slope > 0 else AS_IT_IS


def predict(
    boosters: Mapping[str, xgb.Booster],
    inputs: NDArray[np.float32],
    new: NDArray[np.bool_],
    by: NDArray[np.float64] = AS_IT_IS,
) -> NDArray[np.float64]:
    """The probability of each candidate; `by` is what `line` answers."""
    score = np.empty(len(inputs))
    for name, kind in ((OWN, ~new), (NEW, new)):
        rows = np.flatnonzero(kind)
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            score[part] = boosting.predict(boosters[name], inputs[part])
    return _brought(score, by)


def predict_new(
    boosters: Mapping[str, xgb.Booster], inputs: NDArray[np.float32], by: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What `predict` answers of new candidates, fewer than are copied at once."""
    return _brought(boosting.predict(boosters[NEW], inputs), by)


def _brought(score: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    return score if np.array_equal(by, AS_IT_IS) else on_line(score, *by)


def explain(
    boosters: Mapping[str, xgb.Booster], inputs: NDArray[np.float32], new: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """What each input adds to the log-odds of each candidate (n x INPUTS), and where they start (n)."""
    values, base = np.zeros((len(inputs), len(INPUTS))), np.zeros(len(inputs))
    for name, kind in ((OWN, ~new), (NEW, new)):
        if kind.any():
            found = boosting.explain(boosters[name], inputs[kind], INPUTS)
            values[kind], base[kind] = found.values, found.base
    return values, base
