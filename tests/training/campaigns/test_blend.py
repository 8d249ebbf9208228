from __future__ import annotations

import numpy as np
import pytest

from training.campaigns import blend
from training.fitted import Fitted
from training.response import Response

from .world import BEGIN, World

TASK = Response()
PARAMS = {**TASK.first, "rounds": 30, "min_child_weight": 1.0}


@pytest.fixture(scope="module")
def rows(world: World):
    return TASK.examples(world.snapshots, [BEGIN + 90])


def margin(fitted: Fitted, rows) -> np.ndarray:
    p = blend.probability(fitted, rows.matrix)
    return np.log(p) - np.log1p(-p)


def test_the_share_weighs_trees_and_line(rows) -> None:
    trees, line, both = (TASK.fit(rows, {**PARAMS, "share": share}, seed=1) for share in (1.0, 0.0, 0.25))
    assert set(trees.boosters) == {blend.TREES}
    assert not trees.arrays
    assert set(line.arrays) == {blend.LINE}
    assert not line.boosters
    np.testing.assert_allclose(
        margin(both, rows), 0.25 * margin(trees, rows) + 0.75 * margin(line, rows), atol=1e-5
    )


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_contributions_add_up_to_the_margin(rows, share: float) -> None:
    fitted = TASK.fit(rows, {**PARAMS, "share": share}, seed=1)
    found = blend.contributions(fitted, rows.matrix)
    assert found.names == tuple(fitted.meta["inputs"])
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), margin(fitted, rows), atol=1e-4)
