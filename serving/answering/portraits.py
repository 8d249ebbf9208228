"""The parts of a portrait about the customer: features, stage, tier, peers, and what is not known yet.

The base's figures are found once per as-of and kept in the engine. They come from the tables: when those have
been replaced and the features not been built anew, what was not kept is left out, and the answer says so.
"""

from __future__ import annotations

import math
from typing import Any

from features import clock
from features.identity.profile import CustomerFacts
from features.life_cycle import stages
from features.life_cycle.peers import PeersFound
from features.life_cycle.stages import Evidence, StageFound
from features.life_cycle.tiers import TierFound
from serving.answering import insights, tables_gone
from serving.answering.engine import Engine, Subject
from serving.messages.portraits import (
    FeatureValue,
    IdentityAnswer,
    PeerFigure,
    PeersAnswer,
    ShrunkValue,
    StageAnswer,
    TierAnswer,
    VehicleAnswer,
)
from serving.scoring import meanings, scorer


def parts(engine: Engine, subject: Subject, language: str) -> tuple[dict[str, Any], list[str]]:
    """The fields of a portrait about the customer, and what of them is missing, in sentences.

    Args:
        engine: what is opened.
        subject: a known customer.
        language: "en" or "zh".
    """
    row = subject.matrix.values[0].tolist()
    values = dict(zip(subject.matrix.names, row, strict=True))
    stage = stages.explain(values)
    assert stage is not None
    found: dict[str, Any] = {
        "features": _features(subject, language),
        "shrunk": _shrunk(engine, subject, language),
        "stage": _stage(stage, language),
        "churn_reasons": insights.reasons_of(
            engine.champions, subject.matrix, engine.canonical.source.labels, language
        ),
        "cluster": insights.cluster_of(engine.workspace, subject.matrix, language),
        "tier": None,
        "peers": None,
        "potential": None,
        "identity": None,
        "missing_facts": None,
        "ask_next": None,
    }
    missing = []
    # The tables end at the clock: who is asked about later, by posted events, meets the base of that day.
    as_of = min(subject.as_of, engine.clock_day)
    base = tables_gone.read(engine.canonical, lambda: engine.bases.at(as_of))
    if base is None:
        missing.append(tables_gone.REPLACED.format("tier, peers and potential"))
    else:
        standing = base.standing(subject.customer_id, values)
        assert standing.tier is not None
        assert standing.peers is not None
        found["tier"] = _tier(standing.tier, str(clock.to_date(as_of)))
        found["potential"] = insights.potential_of(base, subject.customer_id)
        found["peers"] = _peers(standing.peers, str(clock.to_date(as_of)), language)
    known = tables_gone.read(engine.canonical, lambda: engine.facts.of(subject.customer_id, subject.as_of))
    # What is read of tables that go away meanwhile would say that nothing is known of anybody.
    if known is None or not tables_gone.are_there(engine.canonical):
        missing.append(tables_gone.REPLACED.format("identity and missing facts"))
    else:
        found |= {"missing_facts": list(known.missing), "ask_next": known.ask_next}
        found["identity"] = _identity(known)
    return found, missing


def _identity(known: CustomerFacts) -> IdentityAnswer:
    vehicles = known.vehicles
    return IdentityAnswer(
        references=known.references,
        identifiers=None if known.identifiers is None else list(known.identifiers),
        sex=known.sex,
        birth_year=known.birth_year,
        age_band=known.age_band,
        vehicles=None if vehicles is None else [VehicleAnswer(**vars(vehicle)) for vehicle in vehicles],
    )


def _features(subject: Subject, language: str) -> dict[str, FeatureValue]:
    said = meanings.meanings()
    return {
        name: FeatureValue(
            value=_known(value), unit=said[name].unit, meaning=said[name].in_language(language)
        )
        for name, value in zip(subject.matrix.names, subject.matrix.values[0].tolist(), strict=True)
    }


def _shrunk(engine: Engine, subject: Subject, language: str) -> dict[str, ShrunkValue]:
    return {
        figure.name: ShrunkValue(
            value=_known(figure.value),
            own=_known(figure.own),
            own_weight=figure.own_weight,
            parent=figure.parent,
            parent_value=_known(figure.parent_value),
            unit=figure.unit,
            meaning=figure.meaning_zh if language == "zh" else figure.meaning,
        )
        for figure in scorer.figures(engine.champions, subject.matrix)
    }


def _stage(found: StageFound, language: str) -> StageAnswer:
    chinese = language == "zh"
    return StageAnswer(
        id=found.stage,
        name=found.name_zh if chinese else found.stage,
        meaning=found.meaning_zh if chinese else found.meaning,
        rule=found.rule,
        evidence={item.feature: FeatureValue(**_evidence(item, language)) for item in found.evidence},
    )


def _tier(found: TierFound, as_of: str) -> TierAnswer:
    return TierAnswer(
        name=found.tier,
        kind=found.kind,
        value_feature=found.value_feature,
        value_cents=found.value_cents,
        next_tier=found.next_tier,
        next_tier_cents=found.next_tier_cents,
        next_tier_distance_cents=found.next_tier_distance_cents,
        thresholds_as_of=as_of,
    )


def _peers(found: PeersFound, as_of: str, language: str) -> PeersAnswer:
    return PeersAnswer(
        as_of=as_of,
        group=dict(found.group),
        name=found.name,
        size=found.size,
        passed_over=list(found.passed_over),
        figures={
            item.feature: PeerFigure(
                **_evidence(item, language),
                median=_known(item.median),
                percentile=_known(item.percentile),
                known=item.known,
            )
            for item in found.figures
        },
    )


def _evidence(item: Evidence, language: str) -> dict[str, Any]:
    return {
        "value": _known(item.value),
        "unit": item.unit,
        "meaning": item.meaning_zh if language == "zh" else item.meaning,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
