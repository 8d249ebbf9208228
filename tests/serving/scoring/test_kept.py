"""Scores that a batch made are those that the models would make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.scoring import scorer, scores
from serving.scoring.kept import FILE, KEY, Kept, Maker
from serving.scoring.scorer import Champions


@pytest.fixture(scope="module")
def folder(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kept") / "scores"
    batch.score(slice_workspace, out=out)
    return out


@pytest.fixture(scope="module")
def base(engine: Engine) -> FeatureMatrix:
    return offline.compute(engine.canonical, [engine.clock_day])


def kept(engine: Engine, folder: Path) -> Kept:
    found = Kept.read(folder, engine.champions, engine.canonical.source.labels)
    assert found is not None
    return found


def alone(base: FeatureMatrix, row: int) -> FeatureMatrix:
    return base.take(np.array([row]))


def same(one: scorer.Scores, other: scorer.Scores) -> None:
    assert one.columns.keys() == other.columns.keys()
    for name, column in one.columns.items():
        assert column.tobytes() == other.columns[name].tobytes(), name
    assert one.origins.keys() == other.origins.keys()
    assert all(one.origins[task].of(0) == other.origins[task].of(0) for task in one.origins)
    assert one.reasons == other.reasons


@pytest.mark.parametrize("wanted", [scores.TASKS, ("churn",), ("value", "churn"), ()])
def test_what_a_batch_made_is_what_the_models_say_to_the_last_bit(
    engine: Engine, folder: Path, base: FeatureMatrix, wanted: tuple[str, ...]
) -> None:
    held = kept(engine, folder)
    for row in range(0, len(base), 1 if wanted == scores.TASKS else 9):
        found = held.find(alone(base, row), wanted)
        assert found is not None
        same(found, scorer.score(engine.champions, alone(base, row), engine.canonical.source.labels, wanted))


def test_other_features_are_not_found(engine: Engine, folder: Path, base: FeatureMatrix) -> None:
    held = kept(engine, folder)
    for column in range(len(base.names)):
        other = alone(base, 0)
        other.values[0, column] = 0.5 if np.isnan(other.values[0, column]) else other.values[0, column] + 1e-9
        assert held.find(other) is None or other.values[0, column] == base.values[0, column]


def test_other_models_or_definitions_have_other_keys(
    engine: Engine, folder: Path, base: FeatureMatrix
) -> None:
    labels = engine.canonical.source.labels
    registered = dict(engine.champions.registered)
    newer = replace(registered["churn"], version=registered["churn"].version + 1)
    champions = Champions({**registered, "churn": newer}, {})
    found = Kept.read(folder, champions, labels)
    assert found is not None
    assert found.find(alone(base, 0)) is None
    longer = replace(labels, churn=replace(labels.churn, horizon_days=labels.churn.horizon_days + 7))
    makers = [
        Maker.of(engine.champions, labels),
        Maker.of(champions, labels),
        Maker.of(engine.champions, longer),
    ]
    assert len({maker.keys(alone(base, 0))[0] for maker in makers}) == len(makers)


def test_without_a_batch_or_its_keys_nothing_is_kept(engine: Engine, folder: Path, tmp_path: Path) -> None:
    labels = engine.canonical.source.labels
    assert Kept.read(tmp_path, engine.champions, labels) is None
    table = pq.read_table(folder / FILE)
    pq.write_table(table.drop_columns([KEY]), tmp_path / FILE)
    assert Kept.read(tmp_path, engine.champions, labels) is None
    (tmp_path / FILE).write_bytes(b"no table")
    assert Kept.read(tmp_path, engine.champions, labels) is None


def test_the_engine_reads_what_is_kept_and_asks_the_models_for_the_rest(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, other = engine.store.customers()[:2]
    plain = replace(engine, kept=None)
    expected = [one.scores for one in plain.subjects([(known, engine.clock_day), (other, engine.clock_day)])]
    asked: list[int] = []
    by_models = scorer.score

    def counted(*arguments: object, **more: object) -> scorer.Scores:
        asked.append(1)
        return by_models(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(scorer, "score", counted)
    held = kept(engine, folder)
    found = replace(engine, kept=held).subjects([(known, engine.clock_day), (other, engine.clock_day)])
    assert not asked
    for one, two in zip(found, expected, strict=True):
        same(one.scores, two)
    # As of a day earlier the features are others.
    replace(engine, kept=held, allow_future_model=True).subject(known, engine.clock_day - 1)
    assert asked
