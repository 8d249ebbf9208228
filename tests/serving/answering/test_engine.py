from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features import clock
from features.errors import UserError
from features.evaluators import offline
from features.workspace import Workspace
from serving.answering import deciding
from serving.answering.engine import Engine, check_day
from serving.catalogue import actions
from serving.contacts.standing import Standing
from serving.scoring import scorer
from serving.scoring.scorer import Champions


def test_one_customer_has_the_features_of_the_base(engine: Engine) -> None:
    day = engine.clock_day
    matrix = offline.compute(engine.canonical, [day])
    for row in range(0, len(matrix), 7):
        subject = engine.subject(str(matrix.customer_id[row]), day)
        assert subject.known
        np.testing.assert_array_equal(subject.matrix.values[0], matrix.values[row])


def test_a_customer_is_known_from_the_day_after_the_first_visit(engine: Engine) -> None:
    history = next(iter(engine.store.histories()))
    first = int(history.day.min())
    assert not engine.subject(history.customer_id, first).known
    assert engine.subject(history.customer_id, first + 1).known
    stranger = engine.subject(history.customer_id, first)
    assert np.isnan(stranger.matrix.values).all()
    prior = engine.subject("nobody", first)
    for name, column in prior.scores.columns.items():
        np.testing.assert_array_equal(column, stranger.scores.columns[name])
    for task in scorer.SHRUNK:
        assert all(np.isfinite(prior.scores.columns[name]).all() for name in scorer.FIELDS[task].values())


def test_a_request_cannot_ask_for_a_day_nobody_knows(engine: Engine) -> None:
    assert engine.day(None) == engine.clock_day
    assert engine.day(str(clock.to_date(engine.clock_day))) == engine.clock_day
    for text, words in (
        ("2099-01-01", "after the workspace's clock"),
        ("2017-06-01", "would know the future"),
        ("x", "not a date"),
    ):
        with pytest.raises(UserError, match=words):
            engine.day(text)
    assert dataclasses.replace(engine, allow_future_model=True).day("2017-06-01") == clock.to_day(
        clock.parse_date("2017-06-01")
    )
    check_day(engine.canonical, engine.clock_day)


def test_a_phone_number_is_looked_up_by_its_hash(engine: Engine) -> None:
    subject = engine.subject("13800138000", engine.clock_day)
    assert subject.customer_id == engine.pseudonyms.of("13800138000") != "13800138000"
    assert not subject.known


def test_without_a_product_model_decisions_still_come_and_say_so(
    slice_workspace: Workspace, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = Champions(
        {task: model for task, model in engine.champions.registered.items() if task != "recommendation"},
        {"recommendation": "recommendation: no champion yet"},
    )
    monkeypatch.setattr(Champions, "load", lambda *_: champions)
    poorer = Engine.open(slice_workspace)
    subject = poorer.subject(poorer.store.customers()[0], poorer.clock_day)
    assert poorer.picks(subject, 10, ("any", "new")) == {"any": [], "new": []}
    read, missing = deciding.read(poorer, subject, "till", Standing.empty(1))
    assert np.isnan(read["new_item_probability"]).all()
    assert missing == ()
    assert poorer.degraded() == ["recommendation: no champion yet"]


def test_the_catalogue_given_is_used(
    slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("actions") / "mine.yaml"
    file.write_text(
        actions.PACKAGED.read_text(encoding="utf-8").replace(
            "default_place: campaign", "default_place: till"
        ),
        encoding="utf-8",
    )
    opened = Engine.open(slice_workspace, actions_file=file)
    assert opened.catalogue.default_place == "till"


def test_a_store_of_other_tables_is_not_served(
    slice_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.build.built_from", lambda _: None)
    with pytest.raises(UserError, match="nextbest features build"):
        Engine.open(slice_workspace)
