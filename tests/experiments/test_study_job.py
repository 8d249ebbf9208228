"""What decides a run's key, and what a run leaves."""

from __future__ import annotations

import dataclasses
import weakref

import pytest

from experiments import study_job
from experiments.study_job import Workbench
from experiments.study_runs import jobs_of, lay_out
from features.clock import parse_date, to_day
from tests.experiments.conftest import CHOICES_UNTIL, CUTOFFS, small
from training.registry import tracking


@pytest.fixture(scope="module")
def job(snapshots_of_world):
    return next(job for _, job in jobs_of(small(), lay_out(small(), snapshots_of_world)))


def test_everything_that_decides_a_result_is_in_its_key(job, snapshots_of_world, monkeypatch):
    budget = dataclasses.replace(job.budget, step_days=7)
    others = [
        dataclasses.replace(job, seed=9),
        dataclasses.replace(job, options={"features": ["visits_91"]}),
        dataclasses.replace(job, setting={"rounds": 21}),
        dataclasses.replace(job, space={"rounds": [1, 2]}),
        dataclasses.replace(job, cutoffs=job.cutoffs[:1]),
        dataclasses.replace(job, budget=budget),
    ]
    keys = {each.key(snapshots_of_world) for each in (job, *others)}
    keys.add(job.key(snapshots_of_world.cut(snapshots_of_world.until - 1)))
    assert len(keys) == len(others) + 2
    assert job.key(snapshots_of_world) in keys
    monkeypatch.setattr(tracking, "code_version", lambda: "another")
    assert job.key(snapshots_of_world) not in keys


def test_a_run_leaves_its_rows_and_facts_and_nothing_else(found, world, snapshots_of_world):
    results = sorted(study_job.home(world).iterdir())
    assert [path for path in results if not path.is_dir()] == []
    assert {file.name for path in results for file in path.iterdir()} == {"rows.parquet", "result.json"}
    layout = lay_out(found.design, snapshots_of_world)
    variant, job = next(jobs_of(found.design, layout))
    result = study_job.load(world, job.key(snapshots_of_world), variant.name, reused=True)
    assert (result.task, result.variant, result.seed, result.trials) == ("churn", "all", 0, 0)
    assert result.setting["rounds"] == 20
    assert result.fit_seconds > 0
    names = {name.split(".")[0] for name in result.frame}
    assert names == {"customer_id", "as_of", "churned", "model"}


def test_rows_are_those_of_the_cutoffs_and_nothing_after_the_choices_is_read(found, results):
    until = to_day(parse_date(CHOICES_UNTIL))
    assert str(found.until) == CHOICES_UNTIL
    for result in results:
        assert set(result.frame["as_of"]) == {to_day(parse_date(day)) for day in CUTOFFS}
        assert result.frame["as_of"].max() + 28 <= until
        assert result.rows > 0


def test_the_seeds_of_a_variant_share_its_task(job, world, snapshots_of_world):
    bench = Workbench(world, snapshots_of_world)
    first, _ = bench._task(job)
    again, _ = bench._task(dataclasses.replace(job, seed=1))
    assert again is first
    other, _ = bench._task(dataclasses.replace(job, options={"features": ["visits_91"]}))
    assert other is not first


def test_a_variant_s_task_is_let_go_when_the_next_begins(job, world, snapshots_of_world):
    bench = Workbench(world, snapshots_of_world)
    held = weakref.ref(bench._task(job)[0])
    assert held() is not None
    bench._task(dataclasses.replace(job, options={"features": ["visits_91"]}))
    assert held() is None
