"""What a portrait says beyond scores: why the churn model expects a loss, what is in reach, which cluster.

Exact contributions of one customer take a millisecond or two, which the path at the pump does not have; so
they stand in the portrait, and in the nightly batch for the whole base.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from features.labels import LabelDefinitions
from features.life_cycle.portrait import Base
from features.workspace import Workspace
from serving.messages.portraits import ClusterAnswer, PotentialAnswer, ReasonAnswer, ReasonEvidence
from serving.scoring import meanings, scores
from serving.scoring.scorer import Champions
from training import reasons, tasks
from training.churn import Churn
from training.examples import RHYTHM_MEANINGS
from training.segments import clusters, potential
from training.segments.potential import Potential


def churn_reasons(
    champions: Champions, matrix: FeatureMatrix, labels: LabelDefinitions
) -> tuple[reasons.Reasons | None, NDArray[np.bool_]]:
    """The churn model's reasons for the eligible of n customers, and who they are (bool[n]).

    None without a champion or an eligible customer.
    """
    task, model = tasks.named(scores.CHURN), champions.registered.get(scores.CHURN)
    assert isinstance(task, Churn)
    eligible = task.eligible(matrix, labels)
    if model is None or not eligible.any():
        return None, eligible
    about = matrix.take(eligible)
    found = task.contributions(model.fitted, about)
    return reasons.grouped(found, task.stored_inputs(model.fitted, about)), eligible


def strongest(found: reasons.Reasons) -> NDArray[np.object_]:
    """Id of each customer's reason with the largest share, habit apart; None when none adds to the risk."""
    others = [place for place, name in enumerate(found.ids) if name != reasons.HABIT]
    shares = np.nan_to_num(found.shares[:, others])
    names = np.array([found.ids[place] for place in others], dtype=object)[shares.argmax(axis=1)]
    answer: NDArray[np.object_] = np.where(shares.max(axis=1) > 0, names, None)  # type: ignore[assignment]
    return answer


def reasons_of(
    champions: Champions, matrix: FeatureMatrix, labels: LabelDefinitions, language: str
) -> list[ReasonAnswer]:
    """One customer's reasons (a matrix of one row), most first; empty when the model is not about them."""
    found, _ = churn_reasons(champions, matrix, labels)
    if found is None:
        return []
    said, chinese = meanings.meanings(), language == "zh"
    return [
        ReasonAnswer(
            id=share.reason.id,
            name=share.reason.zh if chinese else share.reason.en,
            share=share.share,
            evidence=[
                ReasonEvidence(
                    input=item.name,
                    value=item.value,
                    meaning=said[item.name].in_language(language)
                    if item.name in said
                    else RHYTHM_MEANINGS[item.name],
                )
                for item in share.evidence
            ],
        )
        for share in sorted(found.of(0), key=lambda share: -(share.share or 0.0))
    ]


def potential_of(base: Base, customer_id: str) -> PotentialAnswer | None:
    """What is within a customer's reach; None for somebody outside the base."""
    found = _potential(base)
    rows = np.flatnonzero(found.customer_id == customer_id)
    if not len(rows):
        return None
    row = int(rows[0])
    return PotentialAnswer(
        figure=found.figure,
        own_cents=int(found.own_cents[row]),
        reached_cents=int(found.reached_cents[row]),
        potential_cents=int(found.potential_cents[row]),
        group=str(found.group[row]),
        peers=int(found.peers[row]),
    )


def _potential(base: Base) -> Potential:
    """The potential of a base's customers; found once for each of the bases that were asked for last."""
    for known, found in _FOUND:
        if known is base:
            return found
    fresh = potential.of(base)
    _FOUND[:] = [*_FOUND[-3:], (base, fresh)]
    return fresh


_FOUND: list[tuple[Base, Potential]] = []


def cluster_of(workspace: Workspace, matrix: FeatureMatrix, language: str) -> ClusterAnswer | None:
    """The cluster of one customer (a matrix of one row); None before the first `nextbest segments fit`."""
    fitted = clusters.load(workspace)
    if fitted is None:
        return None
    found = fitted.clusters[int(fitted.assign(matrix)[0])]
    return ClusterAnswer(
        id=found.id,
        name=found.name_zh if language == "zh" else found.name,
        customers=found.customers,
        medians=dict(found.medians),
    )
