"""A study in MLflow: one parent with its numbers and files, a child per run, told once."""

from __future__ import annotations

import pytest

from experiments import study_tracking
from training.registry import store, tracking


def runs(world, filter_string=""):
    place = tracking.experiment(world, study_tracking.EXPERIMENT)
    return store.client(world).search_runs([place], filter_string)


def test_every_run_is_a_child_of_the_study(found, world):
    parent = store.client(world).get_run(found.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["hypothesis"] == found.design.hypothesis
    assert found.verdict().sentence in parent.data.tags["verdict"]
    tenure = found.verdict().outcome("tenure")
    assert parent.data.metrics["churn/roc_auc/tenure.difference"] == pytest.approx(tenure.difference)
    assert parent.data.metrics["churn/roc_auc/no_household.p_holm"] == 1.0
    children = runs(world, f"tags.`mlflow.parentRunId` = '{found.run_id}'")
    assert len(children) == found.runs == 6
    named = {(child.data.tags["variant"], child.data.tags["seed"]): child for child in children}
    assert len(named) == 6
    child = named["tenure", "1"]
    assert child.data.metrics["roc_auc"] == pytest.approx(tenure.by_seed[1])
    assert child.data.metrics["inputs"] == 1
    assert child.data.params["rounds"] == "20"


def test_the_files_are_there(found, world):
    page = tracking._home(world, study_tracking.EXPERIMENT, found.run_id) / "study-small.html"
    assert found.run_id in page.read_text(encoding="utf-8")
    assert {path.name for path in page.parent.iterdir()} >= {
        "study-small.json",
        "study-small-churn-roc_auc.png",
    }


def test_a_study_is_told_once(found, world, results):
    before = len(runs(world))
    assert study_tracking.record(world, found, results, lambda *_: None) == found.run_id
    assert len(runs(world)) == before


def test_a_telling_cut_short_is_told_anew(found, world, results):
    def broken(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study_tracking.record(world, found, results[:-1], broken)
    again = study_tracking.record(world, found, results[:-1], lambda *_: None)
    assert again != found.run_id
    assert store.client(world).get_run(again).info.status == "FINISHED"
