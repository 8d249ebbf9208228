from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.json_file import read_json, write_json
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.api.parity_check import ParityCheck
from serving.batch import nightly as batch
from serving.decisions.effects import Effects
from serving.publishing import MANIFEST


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def inc(self) -> None:
        self.count += 1


class Counters:
    def __init__(self) -> None:
        self.parity_checked, self.parity_mismatch = Counter(), Counter()


@pytest.fixture(scope="module")
def published(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parity") / "scores"
    batch.score(slice_workspace, out=folder, places=["campaign", "till"])
    return folder


def beside(engine: Engine, scores: Path, **changed: Any) -> Engine:
    """The engine, beside a batch of the test's own."""

    class Elsewhere(Workspace):
        @property
        def scores(self) -> Path:
            return scores

    return dataclasses.replace(engine, workspace=Elsewhere(engine.workspace.root), **changed)


def checker() -> tuple[ParityCheck, Any]:
    counters: Any = Counters()
    return ParityCheck(counters, random.Random(3)), counters


def test_service_and_batch_agree_about_whomever_chance_chooses(engine: Engine, published: Path) -> None:
    check, counters = checker()
    looked = [check.look(beside(engine, published)) for _ in range(60)]
    assert looked == [True] * 60
    assert (counters.parity_checked.count, counters.parity_mismatch.count) == (60, 0)


def test_a_difference_is_counted_and_its_decision_named(
    engine: Engine, published: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = pq.read_table(published / "actions.parquet")
    column = table.schema.get_field_index("expected_value_cents")
    dearer = table.set_column(
        column, "expected_value_cents", pc.add(table["expected_value_cents"], pa.scalar(1))
    )
    pq.write_table(dearer.filter(pc.not_equal(table["action_id"], "none")), tmp_path / "actions.parquet")
    write_json(tmp_path / MANIFEST, read_json(published / MANIFEST))
    check, counters = checker()
    assert check.look(beside(engine, tmp_path)) is False
    assert (counters.parity_checked.count, counters.parity_mismatch.count) == (1, 1)
    (said,) = [record.message for record in caplog.records]
    assert said.split()[-1] in set(table["decision_id"].to_pylist())


@pytest.mark.parametrize(
    "other",
    [
        {"as_of": "2017-12-31"},
        {"action_catalogue": "another"},
        {"effects": "measured"},
        {"models": {}},
        {"data_fingerprint": "another"},
    ],
)
def test_what_may_rightly_differ_is_not_compared(
    engine: Engine, published: Path, tmp_path: Path, other: dict[str, Any]
) -> None:
    (tmp_path / "actions.parquet").symlink_to(published / "actions.parquet")
    write_json(tmp_path / MANIFEST, {**read_json(published / MANIFEST), **other})
    check, counters = checker()
    assert check.look(beside(engine, tmp_path)) is None
    assert counters.parity_checked.count == 0


def test_without_a_batch_there_is_nothing_to_compare(engine: Engine, published: Path, tmp_path: Path) -> None:
    check, _ = checker()
    assert check.look(beside(engine, tmp_path)) is None
    write_json(tmp_path / MANIFEST, read_json(published / MANIFEST))
    assert check.look(beside(engine, tmp_path)) is None


def test_effects_measured_since_the_batch_are_no_disagreement(engine: Engine, published: Path) -> None:
    measured = Effects.after(engine.catalogue, [], [], engine.clock_day)
    check, _ = checker()
    assert check.look(beside(engine, published, effects=measured)) is None
    later = Effects.after(engine.catalogue, [], [], engine.clock_day + 1)
    assert check.look(beside(engine, published, effects=later)) is True
