"""Statistics under a matrix of row weights, one bootstrap replicate per row of the matrix.

Each function sorts and bins its rows once and answers a statistic that takes the weights of many replicates
and gives one value per replicate. A weight is how often the row was drawn, so a weight of 2 means exactly
"this row twice". Ties are shared out evenly, so no value depends on the order of rows.

Formulas and sources:
    ROC-AUC: Mann-Whitney, ties count one half (Hanley and McNeil 1982).
    Average precision: sum over thresholds of (R_k - R_k-1) P_k, as in scikit-learn.
    Brier score: mean (p - y)^2 (Brier 1950). Log loss: p is clipped to [1e-15, 1 - 1e-15].
    Calibration error: sum over 10 bins of equal weight of |sum p - sum y| / n; a row on a border is split.
    Lift: rate of positives in the tenth of the weight with the highest scores / rate of all.
    Harrell's C: share of comparable pairs in the right order (Harrell et al. 1982), pairs of one cutoff only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Row weights (replicates x rows) -> one value per replicate, NaN where it is undefined."""

CALIBRATION_BINS = 10
SIMULATED = 50_000
"""Rows that the error by chance is simulated on, draw by draw; of more, bins hold thousands each."""
# Outcomes that are drawn at once.
_CELLS = 2_000_000
_SIGNS = (-1.0, 1.0)


def undefined(w: Floats) -> Floats:
    """The statistic of nothing: NaN for every replicate."""
    return np.full(len(w), np.nan)


def mean(x: Floats) -> Statistic:
    """Weighted mean, NaN left out."""
    known = (~np.isnan(x)).astype(np.float64)
    filled = np.where(np.isnan(x), 0.0, x)
    return lambda w: ratio(w @ filled, w @ known)


def brier(y: Floats, p: Floats) -> Statistic:
    """Mean squared error of probabilities."""
    return mean((p - y) ** 2)


def log_loss(y: Floats, p: Floats) -> Statistic:
    """Mean negative log likelihood, nats."""
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return mean(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def roc_auc(y: Floats, s: Floats) -> Statistic:
    """Area under the ROC curve; undefined with one class."""
    order, start, end = _ranks(s)
    positive = np.flatnonzero(y[order] > 0)
    start, end, negative = start[positive], end[positive], 1 - y[order]

    def statistic(w: Floats) -> Floats:
        w = w[:, order]
        below, hits = _running(w * negative), w[:, positive]
        wins = (hits * (below[:, start] + below[:, end])).sum(axis=1) / 2
        return ratio(wins, hits.sum(axis=1) * below[:, -1])

    return statistic


def average_precision(y: Floats, s: Floats) -> Statistic:
    """Area under the precision-recall steps; undefined without a positive."""
    order, _, end = _ranks(-s)
    positive = np.flatnonzero(y[order] > 0)
    end = end[positive]

    def statistic(w: Floats) -> Floats:
        w = w[:, order]
        hits, drawn = w[:, positive], _running(w)[:, end]
        found = _running(w * y[order])[:, end]
        precision = np.divide(found, drawn, out=np.zeros_like(found), where=drawn > 0)
        return ratio((hits * precision).sum(axis=1), hits.sum(axis=1))

    return statistic


def top_lift(y: Floats, s: Floats, share: float = 0.1) -> Statistic:
    """Rate of positives in the top `share` of the weight over the rate of all."""
    order, _, end = _ranks(-s)
    knots = np.concatenate([[0], np.unique(end)])

    def statistic(w: Floats) -> Floats:
        w = w[:, order]
        drawn, found = _running(w)[:, knots], _running(w * y[order])[:, knots]
        total = drawn[:, -1]
        top = np.array([np.interp(n * share, d, f) for n, d, f in zip(total, drawn, found, strict=True)])
        return ratio(top, share * found[:, -1])

    return statistic


def calibration_error(y: Floats, p: Floats, bins: int = CALIBRATION_BINS) -> Statistic:
    """Weighted mean over equal-weight bins of |mean p - mean y|."""
    order, _, end = _ranks(p)
    knots = np.concatenate([[0], np.unique(end)])
    gap, borders = (p - y)[order], np.linspace(0, 1, bins + 1)

    def statistic(w: Floats) -> Floats:
        w = w[:, order]
        drawn, gaps = _running(w)[:, knots], _running(w * gap)[:, knots]
        total = drawn[:, -1]
        pairs = zip(total, drawn, gaps, strict=True)
        at = np.array([np.interp(borders * n, d, g) for n, d, g in pairs])
        return ratio(np.abs(np.diff(at, axis=1)).sum(axis=1), total)

    return statistic


def harrell_c(time: Floats, predicted: Floats, groups: NDArray[np.generic]) -> Statistic:
    """Concordance of predicted and true times within groups.

    Two rows are comparable when their times differ; inf stands for "later than all that was seen", so every
    row of a group is censored at the same instant. Times of a pair first differ in one binary digit of their
    ranks: for each digit, rows with 0 come before rows with 1 of the same higher digits, and one running sum
    over the rows sorted by prediction counts them all. O(n log n), no pair is visited.
    """
    _, group = np.unique(groups, return_inverse=True)
    _, rank = np.unique(time, return_inverse=True)
    levels = [_level(group, rank, predicted, digit) for digit in range(int(rank.max()).bit_length())]

    def statistic(w: Floats) -> Floats:
        right, pairs = np.zeros(len(w)), np.zeros(len(w))
        for order, early, late, first, start, end, last in levels:
            sums = np.zeros((len(w), len(order) + 1))
            sums[:, 1:] = np.cumsum(w[:, order] * early, axis=1)
            weight = w[:, order[late]]
            base = sums[:, first]
            right += (weight * ((sums[:, start] + sums[:, end]) / 2 - base)).sum(axis=1)
            pairs += (weight * (sums[:, last] - base)).sum(axis=1)
        return ratio(right, pairs)

    return statistic


def _level(
    group: NDArray[np.int64], rank: NDArray[np.int64], predicted: Floats, digit: int
) -> tuple[NDArray[np.int64], ...]:
    """For one binary digit: sort order, early flags, late rows, and their block and tie borders."""
    block = group * (int(rank.max() + 1) << 1) + (rank >> (digit + 1))
    order = np.lexsort((predicted, block))
    bit, b, p = (rank[order] >> digit) & 1, block[order], predicted[order]
    late = np.flatnonzero(bit == 1)
    new_block = np.r_[True, b[1:] != b[:-1]]
    new_tie = new_block | np.r_[True, p[1:] != p[:-1]]
    first, last = _borders(new_block)
    start, end = _borders(new_tie)
    return order, 1 - bit, late, first[late], start[late], end[late], last[late]


def _borders(new: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First index and index after the last one of the run that each element belongs to."""
    run = np.cumsum(new) - 1
    starts = np.flatnonzero(new)
    return starts[run], np.r_[starts[1:], len(new)][run]


def _ranks(s: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ascending order, and for each sorted element the borders of its run of equal scores."""
    order = np.argsort(s, kind="stable")
    ordered = s[order]
    start, end = _borders(np.r_[True, ordered[1:] != ordered[:-1]])
    return order, start, end


def _running(w: Floats) -> Floats:
    """Running sums along rows with a leading 0 (replicates x rows + 1)."""
    sums = np.zeros((w.shape[0], w.shape[1] + 1))
    np.cumsum(w, axis=1, out=sums[:, 1:])
    return sums


def ratio(a: Floats, b: Floats) -> Floats:
    """`a / b`, NaN where b is 0."""
    result: Floats = np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > 0)
    return result


def calibration_by_chance(
    p: Floats, replicates: int = 1000, seed: int = 0, level: float = 0.95, *, spread: Floats | None = None
) -> float:
    """The calibration error that perfectly calibrated predictions stay under with probability `level`.

    Outcomes are drawn from the predictions themselves: small samples show an error by chance alone. Where an
    outcome is a mean of several that hang together, as on a list, `spread` (outcome minus prediction) says
    how far it swings, up or down at random (wild bootstrap: Liu, Annals of Statistics 16, 1988). On more than
    `SIMULATED` rows the sums of bins are drawn from the normal distributions that they are next to.
    """
    if not len(p):
        return float("nan")
    rng, rows = np.random.default_rng(seed), len(p)
    order, _, end = _ranks(p)
    knots, borders = np.concatenate([[0], np.unique(end)]), np.linspace(0, rows, CALIBRATION_BINS + 1)
    promised, swing = p[order], None if spread is None else spread[order]

    def binned(x: Floats) -> Floats:
        return np.array([np.diff(np.interp(borders, knots, sums)) for sums in _running(x)[:, knots]])

    if rows > SIMULATED:
        variance = promised * (1.0 - promised) if swing is None else np.square(swing)
        gaps = rng.normal(size=(replicates, CALIBRATION_BINS)) * np.sqrt(binned(variance[np.newaxis]))
        return float(np.quantile(np.abs(gaps).sum(axis=1) / rows, level))
    errors = list[Floats]()
    for start in range(0, replicates, step := max(1, _CELLS // rows)):
        shape = min(step, replicates - start), rows
        drawn = (
            (rng.random(shape) < promised) - promised if swing is None else rng.choice(_SIGNS, shape) * swing
        )
        errors.append(np.abs(binned(drawn)).sum(axis=1) / rows)
    return float(np.quantile(np.concatenate(errors), level))
