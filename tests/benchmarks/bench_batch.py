"""Features, churn and next-purchase scores of the base, against the bare SQL and the bare boosters."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import numpy as np

from features.build import built_from
from features.canonical import Canonical
from features.catalogue import NAMES
from features.evaluators import offline
from features.evaluators.sql import feature_sql
from features.session import parquet
from features.workspace import Workspace
from serving.scoring import scorer
from serving.scoring.scorer import Champions

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    """Best time over the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def bench_features_and_scores_of_the_base(sample_workspace: Workspace) -> None:
    canonical = Canonical.open(sample_workspace)
    champions = Champions.load(sample_workspace)
    day, labels = canonical.clock_day, canonical.source.labels
    tiles = built_from(canonical)
    assert tiles is not None
    matrix = offline.compute(canonical, [day])
    boosters = [
        b for task in ("churn", "next_purchase") for b in champions.registered[task].fitted.boosters.values()
    ]
    blocks = [np.zeros((len(matrix), booster.num_features()), dtype=np.float32) for booster in boosters]

    def bare() -> None:
        with closing(canonical.connect()) as connection:
            connection.execute(f"CREATE VIEW tiles AS FROM {parquet(tiles)}")
            connection.execute(f"CREATE TEMP TABLE as_ofs AS SELECT CAST({day} AS INTEGER) AS as_of")
            connection.execute(feature_sql(NAMES, canonical.facts)).fetchnumpy()
        for booster, block in zip(boosters, blocks, strict=True):
            booster.inplace_predict(block, validate_features=False)

    def ours() -> None:
        scorer.score(champions, offline.compute(canonical, [day]), labels)

    floor_time, our_time = seconds(bare), seconds(ours)
    print(
        f"\nbase of {len(matrix):,} customers: {our_time:.2f} s, floor {floor_time:.2f} s, "
        f"ratio {our_time / floor_time:.2f}"
    )
