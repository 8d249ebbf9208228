"""The portrait's parts: the service's tier is the batch's, and what is unknown is no error."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from features import clock
from features.identity.profile import CustomerFacts, FactsReader, Vehicle
from features.life_cycle import portrait
from features.life_cycle.portrait import Bases
from features.workspace import Workspace
from serving.answering import answers, portraits
from serving.answering.engine import Engine
from serving.api.desk import Desk
from serving.batch import nightly as batch
from serving.decisions.decided import NO_CONSENTS
from serving.messages import schemas


def asked(engine: Engine, customer: str, **fields: Any) -> schemas.Portrait:
    request = schemas.CustomerRequest(customer=schemas.Customer(customer_id=customer), **fields)
    return answers.portrait(engine, request)


def test_the_tier_and_the_stage_are_those_of_the_batch(
    slice_workspace: Workspace, engine: Engine, tmp_path: Path
) -> None:
    batch.score(slice_workspace, out=tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "scores.parquet").to_pylist()
    assert {row["tier"] for row in rows} == {"VIP", "A", "B", "C"}
    for row in rows:
        subject = engine.subject(row["customer_id"], engine.clock_day)
        found, missing = portraits.parts(engine, subject, "en")
        assert missing == []
        assert found["stage"].id == row["stage"]
        assert found["tier"].name == row["tier"]
        assert found["tier"].next_tier_distance_cents == row["next_tier_distance_cents"]
        assert found["tier"].thresholds_as_of == str(row["as_of"])


def test_a_portrait_says_where_the_customer_stands(engine: Engine, customer: str) -> None:
    found = asked(engine, customer)
    assert found.degraded == [*engine.degraded(), NO_CONSENTS]
    assert found.stage.id == found.scores.stage
    assert found.stage.evidence.keys() <= set(found.stage.rule.split())
    assert all(found.features[name] == item for name, item in found.stage.evidence.items())
    assert found.tier is not None
    assert found.tier.value_cents == found.features[found.tier.value_feature].value
    assert found.peers is not None
    assert found.peers.size >= 30
    assert found.peers.passed_over[0] == "segment x area: the source says nobody's segment"
    assert all(0 <= (figure.percentile or 0) <= 100 for figure in found.peers.figures.values())
    assert found.missing_facts
    assert found.ask_next == found.missing_facts[0] == "plate"
    chinese = asked(engine, customer, language="zh")
    assert chinese.stage.name in {"徘徊期", "形成期", "稳定期", "流失期"}
    assert chinese.stage.evidence.keys() == found.stage.evidence.keys()
    assert chinese.stage.evidence != found.stage.evidence


def test_the_base_is_found_once_and_when_the_service_opens(
    slice_workspace: Workspace, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, real = [], portrait.base_at
    monkeypatch.setattr(portrait, "base_at", lambda *given: found.append(given[1]) or real(*given))
    engine = Desk.open(slice_workspace).engine
    assert found == [engine.clock_day]
    for _ in range(3):
        asked(engine, customer)
    assert found == [engine.clock_day]
    past = str(clock.to_date(engine.clock_day))
    asked(engine, customer, as_of=past)
    assert found == [engine.clock_day]


def test_replaced_tables_leave_the_rest_of_a_portrait(engine: Engine, customer: str, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    shutil.copytree(engine.canonical.folder, folder)
    canonical = dataclasses.replace(engine.canonical, folder=folder)
    assert canonical.clock_day == engine.clock_day
    orphan = dataclasses.replace(engine, canonical=canonical, bases=Bases(canonical))
    kept = dataclasses.replace(engine, canonical=canonical)
    kept.bases.at(kept.clock_day)
    shutil.rmtree(folder)
    found = asked(orphan, customer)
    assert (found.tier, found.peers, found.missing_facts, found.ask_next) == (None, None, None, None)
    assert found.identity is None
    assert found.stage.id == found.scores.stage
    assert [sentence.split(":")[0] for sentence in found.degraded] == [
        "tier, peers and potential",
        "identity and missing facts",
        "tier",
        "consents",
    ]
    assert "the tables have been replaced" in found.degraded[0]
    found = asked(kept, customer)
    assert found.tier == asked(engine, customer).tier
    assert [sentence.split(":")[0] for sentence in found.degraded] == [
        "identity and missing facts",
        "consents",
    ]


def test_who_it_is_is_shown_as_far_as_it_was_known(
    engine: Engine, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = asked(engine, customer).identity
    assert nothing is not None
    assert (nothing.references, nothing.identifiers, nothing.vehicles) == (1, None, None)
    assert (nothing.sex, nothing.birth_year, nothing.age_band) == (None, None, None)
    car = Vehicle("car", "98 octane", None, 2019)
    days = []

    def of(_: FactsReader, customer_id: str, until: int | None = None) -> CustomerFacts:
        days.append((customer_id, until))
        known = {"references": 3, "identifiers": ("card", "plate"), "birth_year": 1980, "vehicles": (car,)}
        return CustomerFacts(("plate",), (), None, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(FactsReader, "of", of)
    found = asked(engine, customer, as_of="2018-01-01").identity
    assert found is not None
    assert days == [(customer, clock.to_day(clock.parse_date("2018-01-01")))]
    assert found.model_dump() == {
        "references": 3,
        "identifiers": ["card", "plate"],
        "sex": None,
        "birth_year": 1980,
        "age_band": None,
        "vehicles": [vars(car)],
    }


def test_a_defect_is_not_taken_for_replaced_tables(
    engine: Engine, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise duckdb.CatalogException("a defect")

    monkeypatch.setattr(FactsReader, "of", fail)
    with pytest.raises(duckdb.CatalogException, match="a defect"):
        asked(engine, customer)
