"""As-of T on the whole tables and on tables cut at T: nothing may differ, on any floor.

The second workspace has never seen a row at or after T, so whatever is equal has not been read from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.build import build as build_features
from features.canonical import Canonical
from features.clock import parse_date, to_day
from features.evaluators import offline
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.answering import answers
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.messages import schemas
from serving.scoring.kept import KEY
from training import tasks
from training.app import train_tasks
from training.registry import registry, tracking
from training.registry.promote_app import promote_tasks
from training.task import Budget

AS_OF = "2017-11-15"
BUDGET = Budget(trials=2, step_days=28, cutoffs=3, folds=1, reports=1, replicates=20)


@dataclass(frozen=True)
class Two:
    """The same job done as of T: on all rows, and on rows before T."""

    whole: Workspace
    cut: Workspace


@pytest.fixture(scope="module")
def two(slice_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Two:
    root = tmp_path_factory.mktemp("leak")
    made = Two(Workspace(root / "whole").create(), Workspace(root / "cut").create())
    ingest(made.whole, str(slice_source))
    day = to_day(parse_date(AS_OF))
    with made.cut.publish(made.cut.tables) as folder:
        Canonical.open(made.whole).cut(day, folder)
    for workspace in (made.whole, made.cut):
        build_features(workspace)
        train_tasks(workspace, None, day, BUDGET, seed=1)
        promote_tasks(workspace, None)
        batch.score(workspace, as_of=AS_OF)
    return made


def test_the_whole_tables_do_go_on(two: Two) -> None:
    day = to_day(parse_date(AS_OF))
    assert Canonical.open(two.cut).last_day < day
    assert Canonical.open(two.whole).last_day > day + 28


def test_features_are_the_same(two: Two) -> None:
    day = to_day(parse_date(AS_OF))
    whole = offline.compute(Canonical.open(two.whole), [day - 28, day])
    cut = offline.compute(Canonical.open(two.cut), [day - 28, day])
    assert whole.customer_id.tolist() == cut.customer_id.tolist()
    assert whole.values.tobytes() == cut.values.tobytes()
    assert len(whole) > 300


# The slice has no contacts: tests/training/test_task.py compares the model of responses.
@pytest.mark.parametrize("task", sorted(set(tasks.TASKS) - {"response"}))
def test_models_are_the_same_to_the_byte(two: Two, task: str) -> None:
    digests, metrics = [], []
    for workspace in (two.whole, two.cut):
        found = registry.champion_version(workspace, task)
        assert found is not None
        info = tracking.run_info(workspace, found[1])
        digests.append(info.tags["model_digest"])
        metrics.append(
            {name: value for name, value in info.metrics.items() if not name.startswith("seconds/")}
        )
    assert digests[0] == digests[1]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("name", ["scores", "recommendations", "actions"])
def test_the_batch_is_the_same(two: Two, name: str) -> None:
    whole, cut = (pq.read_table(each.scores / f"{name}.parquet") for each in (two.whole, two.cut))
    assert whole.num_rows > 200
    if name == "scores":
        # Names the runs of the models, which are not the same ones.
        whole, cut = (each.drop_columns([KEY]) for each in (whole, cut))
    assert whole.equals(cut)


def test_answers_are_the_same(two: Two) -> None:
    whole, cut = Engine.open(two.whole), Engine.open(two.cut)
    compared = 0
    for customer in whole.store.customers()[:60]:
        asked = {"customer": {"customer_id": customer}, "as_of": AS_OF, "dry_run": True}
        decision = schemas.DecisionRequest.model_validate(asked)
        if not whole.subject(customer, whole.day(AS_OF)).known:
            continue
        assert answers.decide(whole, decision, None) == answers.decide(cut, decision, None)
        theirs = [answers.portrait(engine, decision).model_dump() for engine in (whole, cut)]
        for portrait in theirs:
            del portrait["data_as_of"]  # the one field that tells how far the tables go
        assert theirs[0] == theirs[1]
        compared += 1
    assert compared > 50
