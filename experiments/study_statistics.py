"""The arithmetic of a study's verdict: rows beside each other, draws of customers and cutoffs, corrected p.

Owen, "The pigeonhole bootstrap" (2007): customers and cutoffs are drawn independently.
Holm, "A simple sequentially rejective multiple test procedure" (1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from features.errors import ExitCode, UserError
from training.measuring import bootstrap
from training.measuring.metrics import MODEL, column
from training.measuring.weighted import Floats

LEVEL = 0.05
"""Verdicts need a corrected p below it; intervals are of confidence 1 - it."""

Frames = Mapping[str, Sequence[pd.DataFrame]]
"""By variant, one report frame per seed: keys, labels and `model.<field>` columns."""


def holm(p: Sequence[float]) -> list[float]:
    """Holm's corrected p-values: the k-th smallest of m times (m - k + 1), never below the one before it."""
    order = sorted(range(len(p)), key=lambda place: (math.isnan(p[place]), p[place]))
    found, least = [math.nan] * len(p), 0.0
    for rank, place in enumerate(order):
        if not math.isnan(p[place]):
            least = max(least, min(1.0, p[place] * (len(p) - rank)))
            found[place] = least
    return found


def quantile(level: float) -> float:
    """How many standard errors a two-sided interval of confidence 1 - level reaches."""
    return NormalDist().inv_cdf(1.0 - level / 2.0)


def p_value(difference: float, error: float) -> float:
    """Two-sided p of a normal difference; 1 when there is no difference at all."""
    if math.isnan(difference) or math.isnan(error):
        return math.nan
    if not difference:
        return 1.0
    return math.erfc(abs(difference) / error / math.sqrt(2.0)) if error else 0.0


def seed_noise(points: Sequence[Floats]) -> float:
    """Variance that S seeds leave in a difference of two variants: 2 s^2 / S, s^2 pooled over variants."""
    seeds = len(points[0])
    if seeds == 1:
        return 0.0
    return 2.0 * float(np.mean([np.var(values, ddof=1) for values in points])) / seeds


def side_by_side(frames: Frames, keys: Sequence[str]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The rows that all runs share with every run's predictions beside each other.

    Returns:
        keys, labels and `<run>.<field>` columns; by variant, the names of its runs there.

    Raises:
        UserError: there is no such row, or runs have other labels.
    """
    wide: pd.DataFrame | None = None
    columns: dict[str, list[str]] = {}
    for place, (variant, runs) in enumerate(frames.items()):
        for seed, frame in enumerate(runs):
            name = f"v{place}s{seed}"
            columns.setdefault(variant, []).append(name)
            fields = {
                c: column(name, str(c).partition(".")[2]) for c in frame if str(c).startswith(f"{MODEL}.")
            }
            own = frame.rename(columns=fields)
            if wide is None:
                wide = own
                continue
            joined = wide.merge(own[[*keys, *fields.values()]], on=list(keys), validate="1:1")
            _same_labels(joined, own, keys)
            wide = joined
    if wide is None or wide.empty:
        raise UserError(
            "the variants have no report row in common, so nothing can be compared.", ExitCode.BAD_DATA
        )
    return wide.sort_values(list(keys), ignore_index=True), columns


def _same_labels(joined: pd.DataFrame, own: pd.DataFrame, keys: Sequence[str]) -> None:
    labels = [name for name in own if "." not in str(name) and name not in keys and name in joined]
    theirs = own.set_index(list(keys))[labels].reindex(pd.MultiIndex.from_frame(joined[list(keys)]))
    ours = joined.set_index(list(keys))[labels]
    if not ours.equals(theirs):
        raise UserError(
            "the variants disagree on the labels of some rows and cannot be compared.", ExitCode.BAD_DATA
        )


def pairs_drawn(frame: pd.DataFrame, replicates: int, seed: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """How often each customer-cutoff is drawn when customers and cutoffs are drawn independently.

    Returns:
        code of each row's customer-cutoff; draws, replicates x customer-cutoffs.
    """
    customers, count = bootstrap.household_codes(frame[CUSTOMER_ID])
    days, cutoffs = np.unique(frame[AS_OF], return_inverse=True)
    of_customers = bootstrap.draw(count, replicates, seed)
    of_days = bootstrap.draw(len(days), replicates, seed + 1)
    pairs, codes = np.unique(customers * len(days) + cutoffs, return_inverse=True)
    return codes.astype(np.int64), of_customers[:, pairs // len(days)] * of_days[:, pairs % len(days)]
