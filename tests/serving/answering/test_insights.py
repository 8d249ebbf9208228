from __future__ import annotations

import numpy as np
import pytest

from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.workspace import Workspace
from serving.answering import insights
from serving.answering.engine import Engine
from serving.scoring.scorer import Champions
from training import reasons
from training.segments import clustering, clusters


@pytest.fixture(scope="module")
def matrix(engine: Engine) -> FeatureMatrix:
    return offline.compute(engine.canonical, [engine.clock_day])


def test_reasons_are_the_churn_model_s_for_whom_it_is_about(engine: Engine, matrix: FeatureMatrix) -> None:
    labels = engine.canonical.source.labels
    found, eligible = insights.churn_reasons(engine.champions, matrix, labels)
    assert found is not None
    assert 0 < eligible.sum() < len(matrix)
    assert len(found.shares) == eligible.sum()
    why = insights.strongest(found)
    assert set(why) - {None} <= {"price", "brand", "service", "convenience"}
    row = int(np.flatnonzero(eligible)[3])
    answer = insights.reasons_of(engine.champions, matrix.take(np.array([row])), labels, "en")
    assert {reason.id for reason in answer} == set(reasons.declared().reasons)
    known = [reason.share for reason in answer if reason.share is not None]
    assert sum(known) == pytest.approx(1.0)
    assert known == sorted(known, reverse=True)
    # The slice has no service events: nothing is known that could speak for the service.
    assert next(reason for reason in answer if reason.id == "service").share is None
    best = next(reason.id for reason in answer if reason.id != reasons.HABIT and reason.share)
    assert best == why[eligible[:row].sum()]
    assert all(item.meaning for reason in answer for item in reason.evidence)
    few = matrix.take(np.flatnonzero(~eligible)[:1])
    assert insights.reasons_of(engine.champions, few, labels, "en") == []


def test_without_a_champion_there_are_no_reasons(engine: Engine, matrix: FeatureMatrix) -> None:
    without = Champions({}, {})
    found, _ = insights.churn_reasons(without, matrix, engine.canonical.source.labels)
    assert found is None


def test_potential_is_found_once_for_a_base(engine: Engine, matrix: FeatureMatrix) -> None:
    base = engine.bases.at(engine.clock_day)
    found = insights.potential_of(base, str(matrix.customer_id[0]))
    assert found is not None
    assert found.potential_cents == max(0, found.reached_cents - found.own_cents)
    assert insights._potential(base) is insights._potential(base)
    assert insights.potential_of(base, "nobody") is None


def test_a_cluster_is_known_once_clusters_are_fitted(
    slice_copy: Workspace, engine: Engine, matrix: FeatureMatrix
) -> None:
    one = matrix.take(np.array([0]))
    assert insights.cluster_of(slice_copy, one, "en") is None
    fitted = clustering.fit(matrix, engine.clock_day)
    with slice_copy.publish(clusters.folder(slice_copy)) as folder:
        fitted.save(folder)
    answer, chinese = (insights.cluster_of(slice_copy, one, language) for language in ("en", "zh"))
    assert answer is not None
    assert chinese is not None
    assert answer.id == chinese.id == fitted.clusters[int(fitted.assign(one)[0])].id
    assert answer.name != chinese.name
