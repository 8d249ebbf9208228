from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from features.life_cycle import stages
from features.life_cycle.portrait import Bases
from serving.answering import deciding
from serving.answering.engine import Engine
from serving.catalogue import actions
from serving.contacts.standing import Standing


def test_where_a_customer_stands_is_read_as_the_base_has_it(engine: Engine) -> None:
    base = engine.bases.at(engine.clock_day)
    assert {"stage", "tier"} <= engine.catalogue.circumstances("campaign")
    for row in range(0, len(base.customer_id), 29):
        subject = engine.subject(str(base.customer_id[row]), engine.clock_day)
        read, missing = deciding.read(engine, subject, "campaign", Standing.empty(1))
        assert missing == ()
        assert (read["stage"][0], read["tier"][0]) == (base.stage[row], base.tiers.tier[row])
        assert (
            read["stage"][0]
            == stages.assign({name: np.repeat(v, 2) for name, v in subject.matrix.columns().items()})[0]
        )
        distance = base.tiers.distance_cents[row]
        np.testing.assert_array_equal(read["next_tier_distance_cents"][0], distance)


def test_without_tables_the_tier_is_unknown_and_the_answer_says_so(engine: Engine, tmp_path: Path) -> None:
    gone = dataclasses.replace(engine.canonical, folder=tmp_path)
    gone.__dict__.update(clock_day=engine.clock_day)
    orphan = dataclasses.replace(engine, canonical=gone, bases=Bases(gone))
    subject = engine.subject(engine.store.customers()[0], engine.clock_day)
    decided = deciding.decide(orphan, subject, "campaign", live=False)
    assert decided.columns["tier"].tolist() == [None]
    assert decided.missing[0].startswith("tier: the tables have been replaced")


def test_only_what_a_place_reads_is_found(engine: Engine, tmp_path: Path) -> None:
    text = actions.PACKAGED.read_text(encoding="utf-8").split("\nactions:")[0]
    file = tmp_path / "actions.yaml"
    file.write_text(text + "\nactions: []\n", encoding="utf-8")
    bare = engine.with_catalogue(actions.load(file))
    subject = engine.subject("nobody", engine.clock_day)
    read, _ = deciding.read(bare, subject, "campaign", Standing.empty(1))
    assert not {"stage", "tier", "place", "open_complaint"} & read.keys()
    assert deciding.decide(bare, subject, "campaign", live=True).ranked(0) == []
