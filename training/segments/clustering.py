"""Fitting clusters: how many there are, what they are called, which id each keeps from the last fit.

K-means (Lloyd 1982) on ranked figures. How many: the largest k at which fits on two random halves agree, in
the spirit of prediction strength (Tibshirani and Walther, JCGS 14, 2005); without any, the k that agrees
most. A refit keeps the last k unless its agreement is a tenth below that of another, and what comes of the
last centres unless other starts fit better by a hundredth. Old and new centres are paired so that they are
nearest in all (Kuhn, "The Hungarian method", 1955); a pair keeps its id when it is closer than half the way
from the old centre to its nearest neighbour; other clusters get ids that were never used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training.segments.clusters import RULES, Cluster, Clusters, Floats, Rules, nearest, ranks_of

# Customers that a fit reads at most, evenly spread over the ids.
LARGEST_FIT: Final = 20_000
# Steps of the ladder by which a later customer's figure is ranked.
STEPS: Final = 1001
_SPLITS: Final = 5
_STARTS: Final = 8
_BETTER: Final = 0.99
_WORSE: Final = 0.1
# From so far above or below the middle rank on a figure is worth a word; three words say enough.
_FAR: Final = 0.15
_MIDDLE: Final = 0.5
_WORDS: Final = 3
_TYPICAL: Final = ("typical", "一般")


def fit(
    matrix: FeatureMatrix,
    as_of: int,
    previous: Clusters | None = None,
    *,
    seed: int = 0,
    rules: Rules = RULES,
) -> Clusters:
    """Cluster the customers of a matrix.

    Args:
        matrix: everybody as of one day, with the figures.
        as_of: the day.
        previous: the last fit, whose ids are kept where its clusters are found again.
        seed: of starts and halves.
        rules: figures and numbers of clusters.

    Raises:
        UserError: there are fewer customers than clusters.
    """
    if len(matrix) < rules.least:
        raise UserError(
            f"{len(matrix)} customers cannot make {rules.least} clusters. Use a later --as-of, or fewer in "
            "training/segments/clusters.yaml.",
            ExitCode.BAD_DATA,
        )
    if previous is not None and previous.figures != rules.figures:
        previous = None
    values = matrix.select(tuple(rules.words))
    ladder = _ladder(values)
    ranks, size = ranks_of(values, ladder), len(rules.figures)
    step = max(1, -(-len(matrix) // LARGEST_FIT))
    sample = ranks[::step, :size]
    distinct = _distinct(sample)
    tried = range(min(rules.least, distinct), min(rules.most, distinct) + 1)
    agreement = {k: _agreement(sample, k, seed) for k in tried}
    start = None if previous is None else previous.centres
    chosen = _how_many(agreement, rules.agreement, None if start is None else len(start))
    centres = _centres(sample, chosen, seed, start)
    found = nearest(ranks[:, :size], centres)
    counts = np.bincount(found, minlength=chosen)
    order = np.lexsort((np.arange(chosen), -counts))
    centres, place = centres[order], np.argsort(order)[found]
    ids, following = _ids(centres, previous)
    return Clusters(
        as_of=as_of,
        figures=rules.figures,
        centres=centres,
        ladder=ladder[:size],
        clusters=_described(values, ranks, place, ids, rules),
        next_id=following,
        agreement={str(k): round(score, 4) for k, score in agreement.items()},
    )


def _how_many(agreement: Mapping[int, float], enough: float, last: int | None) -> int:
    """The number of clusters."""
    best = max(agreement, key=lambda k: (agreement[k], -k))
    if last is not None and last in agreement and agreement[last] >= agreement[best] - _WORSE:
        return last
    return max((k for k, score in agreement.items() if score >= enough), default=best)


def _ladder(values: Floats) -> Floats:
    """Known values of each figure in rising order, as many steps for each; NaN where nobody's is known."""
    places = np.linspace(0, 1, STEPS)
    steps = np.full((values.shape[1], STEPS), np.nan)
    for figure, column in enumerate(values.T):
        known = np.sort(column[~np.isnan(column)])
        if len(known):
            steps[figure] = known[np.round(places * (len(known) - 1)).astype(int)]
    return steps


def _centres(ranks: Floats, k: int, seed: int, start: Floats | None = None, starts: int = _STARTS) -> Floats:
    """The centres of k clusters, those near `start` unless others fit better by a hundredth."""
    from sklearn.cluster import KMeans

    best = KMeans(k, n_init=starts, random_state=seed).fit(ranks)
    if start is not None and len(start) == k:
        again = KMeans(k, init=start, n_init=1, random_state=seed).fit(ranks)
        if best.inertia_ >= _BETTER * again.inertia_:
            best = again
    # Threads add up in any order: rounded, the last bit does not depend on it.
    return np.asarray(np.round(best.cluster_centers_, 9), dtype=np.float64)


def _agreement(ranks: Floats, k: int, seed: int) -> float:
    """How much clusters of two random halves agree on all rows: adjusted Rand index, mean of some splits."""
    from sklearn.metrics import adjusted_rand_score

    scores = []
    for split in range(_SPLITS):
        order = np.random.default_rng([seed, split]).permutation(len(ranks))
        halves = order[: len(order) // 2], order[len(order) // 2 :]
        if min(_distinct(ranks[half]) for half in halves) < k:
            return 0.0
        found = [nearest(ranks, _centres(ranks[half], k, seed + split, starts=3)) for half in halves]
        scores.append(adjusted_rand_score(*found))
    return float(np.mean(scores))


def _ids(centres: Floats, previous: Clusters | None) -> tuple[list[str], int]:
    """Ids of the clusters, and the number of the next new one."""
    from scipy.optimize import linear_sum_assignment

    ids: list[str | None] = [None] * len(centres)
    following = 1
    if previous is not None:
        following = previous.next_id
        away = _distances(centres, previous.centres)
        apart = _distances(previous.centres, previous.centres) + np.diag(
            np.full(len(previous.centres), np.inf)
        )
        for new, old in zip(*linear_sum_assignment(away), strict=True):
            if away[new, old] < apart[old].min() / 2:
                ids[new] = previous.clusters[old].id
    for place, known in enumerate(ids):
        if known is None:
            ids[place], following = f"c{following}", following + 1
    return [str(each) for each in ids], following


def _distances(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(a[:, None] - b[None]).sum(axis=2)))


def _described(
    values: Floats, ranks: Floats, place: NDArray[np.intp], ids: Sequence[str], rules: Rules
) -> tuple[Cluster, ...]:
    """The clusters in words and figures."""
    mine = [place == position for position in range(len(ids))]
    names = _names([ranks[rows].mean(axis=0) if rows.any() else None for rows in mine], ids, rules)
    return tuple(
        Cluster(each, *name, int(rows.sum()), float(rows.mean()), _medians(values[rows], rules))
        for each, name, rows in zip(ids, names, mine, strict=True)
    )


def _medians(values: Floats, rules: Rules) -> dict[str, float | None]:
    """The median of each figure, None where nobody's is known."""
    known = (column[~np.isnan(column)] for column in values.T)
    return {
        name: float(np.median(column)) if len(column) else None
        for name, column in zip(rules.words, known, strict=True)
    }


def _names(middles: Sequence[Floats | None], ids: Sequence[str], rules: Rules) -> list[tuple[str, str]]:
    """Words for what is far from the middle, the farthest first, with the id where two are alike."""
    names = []
    figures = tuple(rules.words)
    for middle in middles:
        away = np.zeros(len(figures)) if middle is None else middle - _MIDDLE
        far = sorted(range(len(figures)), key=lambda f: (-abs(away[f]), f))[:_WORDS]
        names.append(
            _joined([rules.words[figures[f]][int(away[f] < 0)] for f in far if abs(away[f]) >= _FAR])
        )
    alike = [names.count(name) > 1 for name in names]
    return [
        (f"{name[0]} ({each})", f"{name[1]} ({each})") if twice else name
        for name, each, twice in zip(names, ids, alike, strict=True)
    ]


def _joined(words: Sequence[tuple[str, str]]) -> tuple[str, str]:
    return (", ".join(word[0] for word in words), "、".join(word[1] for word in words)) if words else _TYPICAL


def _distinct(ranks: Floats) -> int:
    """Number of different rows."""
    return len(np.unique(ranks, axis=0))
