from __future__ import annotations

import math

import pytest

from features.canonical import Canonical
from features.errors import UserError
from features.evaluators import offline
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from training.segments import clustering, clusters, membership
from training.segments.clusters import Clusters


@pytest.fixture(scope="module")
def found(planted: Workspace) -> Clusters:
    matrix = offline.compute(Canonical.open(planted), [AS_OF - 30], names=tuple(clusters.RULES.words))
    return clustering.fit(matrix, AS_OF - 30, None, seed=0)


def test_a_customer_stands_beside_the_cluster(planted: Workspace, found: Clusters) -> None:
    canonical = Canonical.open(planted)
    shown = membership.of(planted, canonical, AS_OF, found, "c0000")
    matrix = offline.compute(canonical, [AS_OF], ["c0000"], tuple(clusters.RULES.words))
    cluster = found.clusters[int(found.assign(matrix)[0])]
    assert (shown.id, shown.name, shown.name_zh) == (cluster.id, cluster.name, cluster.name_zh)
    assert (shown.as_of, shown.fitted) == ("2017-10-28", "2017-09-28")
    for each in shown.figures:
        value, median = float(matrix.column(each.figure)[0]), cluster.medians[each.figure]
        assert each.value == value or (math.isnan(each.value) and math.isnan(value))
        assert each.median == median or (median is None and math.isnan(each.median))
        assert each.meaning
        assert each.meaning_zh
    with pytest.raises(UserError, match="'nobody' is not known before 2017-10-28"):
        membership.of(planted, canonical, AS_OF, found, "nobody")
