"""The booster that gives each candidate the probability of being bought within the horizon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from training.boosting import THREADS, TREE_SETTINGS
from training.recommendation.examples import Block
from training.recommendation.inputs import INPUTS
from training.task import Params


def train(blocks: Sequence[Block], params: Params, seed: int) -> xgb.Booster:
    """Fit the booster.

    Raises:
        UserError: nothing was bought, or nothing was not.
    """
    rows = sum(len(block.row) for block in blocks)
    drawn = [
        (block, _drawn(block, min(1.0, int(params["sample_rows"]) / max(1, rows)), seed)) for block in blocks
    ]
    label = np.concatenate([np.empty(0, np.bool_), *(block.label[chosen] for block, chosen in drawn)])
    if not label.any() or label.all():
        raise UserError(
            f"recommendation cannot be learned: of {len(label)} candidate items at {len(blocks)} cutoffs "
            f"{int(label.sum())} were bought, and both kinds are needed. Check labels.recommendation of the "
            "source, or train as of a later date.",
            ExitCode.BAD_DATA,
        )
    data = xgb.QuantileDMatrix(
        np.concatenate([block.inputs[chosen] for block, chosen in drawn]),
        label=label,
        weight=np.concatenate([block.weight[chosen] for block, chosen in drawn]),
        feature_names=list(INPUTS),
        nthread=THREADS,
    )
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "nthread": THREADS,
        "seed": seed,
        "verbosity": 0,
        **{key: params[key] for key in TREE_SETTINGS},
    }
    return xgb.train(settings, data, num_boost_round=int(params["rounds"]))


def _drawn(block: Block, share: float, seed: int) -> NDArray[np.int64]:
    """Candidates of a random share of a block's customers."""
    customers = np.random.default_rng([seed, block.cutoff]).random(len(block.truth.customer_id)) < share
    return np.flatnonzero(customers[block.row])
