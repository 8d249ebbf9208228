"""Clusters with a known answer: three planted groups that differ in how often they come, spend and refuel."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.errors import UserError
from features.evaluators.offline import FeatureMatrix, compute
from tests.training.conftest import AS_OF
from training.datasets import Snapshots
from training.segments import clustering, clusters
from training.segments.clusters import RULES, Clusters

NAMES = tuple(RULES.words)
DAY = 17_000
# Visits, cents a visit, fuel visits, of three groups.
GROUPS = {"often": (30, 1_000, 0), "rich": (4, 9_000, 0), "drivers": (14, 4_000, 12)}


def world(seed: int = 0, counts: tuple[int, ...] = (120, 80, 50)) -> tuple[FeatureMatrix, np.ndarray]:
    """Customers of the groups, give or take a little, and which group each is of."""
    rng = np.random.default_rng(seed)
    group = np.repeat(list(GROUPS), counts)
    values = np.full((len(group), len(NAMES)), np.nan)
    for name, (visits, cents, fuel) in GROUPS.items():
        rows = np.flatnonzero(group == name)
        for figure, middle in zip(RULES.figures, (visits, cents, fuel), strict=True):
            noise = rng.normal(1.0, 0.05, len(rows)) if middle else 1.0
            values[rows, NAMES.index(figure)] = middle * noise
    values[:, NAMES.index("weekend_share_91")] = np.where(group == "rich", 0.9, 0.2)
    ids = np.array([f"c{place:04d}" for place in range(len(group))], dtype=object)
    order = rng.permutation(len(group))
    return FeatureMatrix(ids[order], np.full(len(ids), DAY, np.int32), NAMES, values[order]), group[order]


def named(found: Clusters, matrix: FeatureMatrix, group: np.ndarray) -> dict[str, str]:
    """Group -> id of its cluster; each is all of one cluster and nothing else."""
    place = found.assign(matrix)
    ids = {name: {found.clusters[row].id for row in place[group == name]} for name in GROUPS}
    assert all(len(each) == 1 for each in ids.values())
    single = {name: each.pop() for name, each in ids.items()}
    assert len(set(single.values())) == len(GROUPS)
    return single


@pytest.fixture(scope="module")
def first() -> Clusters:
    return clustering.fit(world()[0], DAY)


def test_planted_groups_are_found_and_named_by_what_sets_them_apart(first: Clusters) -> None:
    matrix, group = world()
    ids = named(first, matrix, group)
    assert len(first.clusters) == 3
    assert first.agreement["3"] == 1.0
    described = {cluster.id: cluster for cluster in first.clusters}
    often, rich, drivers = (described[ids[name]] for name in GROUPS)
    assert [cluster.customers for cluster in first.clusters] == [120, 80, 50]
    assert often.share == pytest.approx(0.48)
    assert "frequent" in often.name
    assert "small purchases" in often.name
    assert {"large purchases", "rare", "weekends"} == set(rich.name.split(", "))
    assert set(rich.name_zh.split("、")) == {"单次消费高", "少来", "周末"}
    assert "fuel" in drivers.name
    assert drivers.medians["fuel_visits_91"] == pytest.approx(12, rel=0.05)
    assert drivers.medians["discount_share_91"] is None


def test_a_refit_on_other_customers_keeps_the_ids(first: Clusters) -> None:
    before = named(first, *world())
    # Others of the same groups, of other sizes: another order of size, the same ids.
    matrix, group = world(seed=5, counts=(60, 90, 130))
    again = clustering.fit(matrix, DAY + 30, first, seed=3)
    assert [cluster.customers for cluster in again.clusters] == [130, 90, 60]
    assert named(again, matrix, group) == before
    assert again.next_id == first.next_id == 4


def test_a_new_group_gets_a_new_id_and_an_old_one_never_comes_back_as_another(first: Clusters) -> None:
    before = named(first, *world())
    matrix, group = world()
    # The drivers are gone; instead some hardly come at all.
    gone = group == "drivers"
    values = matrix.values.copy()
    values[gone] = np.nan
    values[np.ix_(gone, [NAMES.index(name) for name in RULES.figures])] = (0.0, 10.0, 0.0)
    again = clustering.fit(dataclasses.replace(matrix, values=values), DAY, first)
    ids = {cluster.id for cluster in again.clusters}
    assert before["drivers"] not in ids
    assert "c4" in ids
    assert again.next_id > first.next_id


def test_the_same_seed_gives_the_same_clusters(first: Clusters) -> None:
    again = clustering.fit(world()[0], DAY)
    assert again.clusters == first.clusters
    assert again.centres.tobytes() == first.centres.tobytes()


def test_customers_all_alike_make_one_cluster_and_too_few_make_none() -> None:
    values = np.ones((20, len(NAMES)))
    ids = np.array([f"c{place}" for place in range(20)], dtype=object)
    alike = FeatureMatrix(ids, np.full(20, DAY, np.int32), NAMES, values)
    (only,) = clustering.fit(alike, DAY).clusters
    assert (only.customers, only.name, only.name_zh) == (20, "typical", "一般")
    with pytest.raises(UserError, match="2 customers cannot make 3 clusters"):
        clustering.fit(alike.take(np.arange(2)), DAY)


def test_clusters_as_of_a_day_need_nothing_later(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    day = AS_OF - 30
    found = [
        clustering.fit(compute(each.canonical, [day], names=NAMES), day)
        for each in (snapshots, cut_snapshots)
    ]
    assert found[0].clusters == found[1].clusters
    assert found[0].centres.tobytes() == found[1].centres.tobytes()
    assert len(found[0].clusters) >= clusters.RULES.least
