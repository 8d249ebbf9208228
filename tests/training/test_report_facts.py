"""What a report says of a real run of the small world."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from features.labels import LabelDefinitions
from training import report_facts, runs, tasks
from training.churn import Churn
from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation.task import Recommendation
from training.reporting import slices
from training.reporting.report_content import HORIZON, ReportContent
from training.runs import RunResult

from .conftest import TINY

BUDGET = dataclasses.replace(TINY, trials=1, cutoffs=2)


@pytest.fixture(scope="module")
def result(snapshots: Snapshots, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    storage = f"sqlite:///{tmp_path_factory.mktemp('facts') / 'studies.db'}"
    return runs.run(Churn(), snapshots, BUDGET, 0, storage)


@pytest.fixture(scope="module")
def content(result: RunResult) -> ReportContent:
    return report_facts.of(result, "run1", "EUR")


def test_every_part_of_the_page_is_fed(result: RunResult, content: ReportContent) -> None:
    assert (content.run_id, content.currency, content.primary) == ("run1", "EUR", "roc_auc")
    assert content.data[HORIZON] == 28
    assert content.data["feature declarations"] == result.fitted.bound().meta["declarations_hash"]
    assert content.data["reasons that customers gave, last 364 days"] == "none in the source"
    assert any(str(fact).startswith("Habit (that, not why) ") for fact in content.data.values())
    assert content.choice is not None
    assert content.choice.value("roc_auc").value > 0.5
    assert content.curve is not None
    assert content.curve.rows == len(result.frame)
    assert content.explained is result.explained
    assert len(content.trials) == content.settings["trials"] == BUDGET.trials
    assert content.purpose == Churn.purpose
    assert all(content.features.values())
    assert sum(content.seconds.values()) > 0


def test_the_trials_that_were_made_are_said_not_those_that_were_allowed(result: RunResult) -> None:
    assert result.budget.trials == 1
    roomy = dataclasses.replace(result, budget=dataclasses.replace(result.budget, trials=24, minutes=5.0))
    said = report_facts.settings(roomy)
    assert said["trials"] == 1
    assert said["minutes of tuning at most"] == 5.0
    assert not {"step_days", "cutoffs", "folds", "reports"} & set(said)
    untried = dataclasses.replace(roomy, tuned=dataclasses.replace(result.tuned, trials=()))
    assert report_facts.settings(untried)["trials"] == 0


def test_slices_cover_every_row_once_per_kind_of_group(result: RunResult, content: ReportContent) -> None:
    found = slices.to_pandas(content.slices)
    names = [metric.name for metric in report_facts.main_metrics(result)]
    assert names == ["roc_auc", "pr_auc", "brier", "calibration_error", "log_loss"]
    assert found["metric"].tolist() == names[:-1] * len(content.slices)
    found = found[found["metric"] == content.primary]
    known = [by for by in slices.COLUMNS if set(result.slices[by]) != {"unknown"}]
    assert found.groupby("by")["rows"].sum().to_dict() == dict.fromkeys(known, len(result.frame))
    rates = found[found["by"] == "stage"]
    mean = (rates["observed"] * rates["rows"]).sum() / rates["rows"].sum()
    assert mean == pytest.approx(result.base_rates["churned"])


def test_inputs_that_are_no_features_have_a_meaning_too(result: RunResult) -> None:
    for task in tasks.TASKS:
        own = {name: said for name, said in tasks.declared(task).items() if "*" not in name}
        lined = dataclasses.replace(result, task=task, fitted=Fitted(task, {}, {}, {"inputs": list(own)}))
        assert own
        assert report_facts.features(lined) == own
    fitted = Fitted("response", {}, {}, {"inputs": ["campaign_kind_big"], "kinds": ["big"]})
    asked = dataclasses.replace(result, task="response", fitted=fitted)
    assert report_facts.features(asked) == {"campaign_kind_big": "1 for campaigns of kind 'big', else 0"}


def test_drift_is_of_the_most_important_features_first(result: RunResult, content: ReportContent) -> None:
    assert result.explained is not None
    order = list(result.explained.importance)
    places = [order.index(row.feature) for row in content.drift]
    assert places == sorted(places)
    assert len(places) > 5


def test_a_run_that_chose_nothing_has_no_rows_of_choice(result: RunResult) -> None:
    bare = dataclasses.replace(result, choice_frame=pd.DataFrame(), explained=None, drift=())
    content = report_facts.of(bare, "run1", "EUR")
    assert content.choice is None
    assert content.drift == ()
    assert content.explained is None


def test_a_part_without_content_is_explained(result: RunResult) -> None:
    assert report_facts.left_out(result).drift == ""
    bare = dataclasses.replace(result, contrast=None, choice_frame=pd.DataFrame(), drift=())
    said = report_facts.left_out(bare)
    assert said.contrast.endswith("this run chose nothing on validation dates.")
    assert said.drift == "Drift is not measured: the latest report date has no rows."
    other = dataclasses.replace(result, task="recommendation", contrast=None)
    assert report_facts.left_out(other).contrast == Recommendation.unmixed


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("rhythm", {"horizon in days": 14}),
        ("category_purchase", {"horizon in days": 28}),
        ("response", {"horizon": "the length of each campaign; 48 days where none is named"}),
    ],
)
def test_the_horizon_is_the_one_that_the_task_declares(task: str, said: dict[str, object]) -> None:
    meta = {"labels": LabelDefinitions().plain(), "horizon_days": 48, "rows_as_of": [5, 9]}
    planned: Any = SimpleNamespace(
        task=task, fitted=SimpleNamespace(meta=meta), plan=SimpleNamespace(final=(1, 2))
    )
    assert report_facts.horizon(planned) == said
    assert report_facts.learned_as_of(planned) == [5, 9]
    del meta["rows_as_of"]
    assert report_facts.learned_as_of(planned) == (1, 2)


def test_cents_are_said_as_an_amount_of_the_currency() -> None:
    assert report_facts.mean("actual_spend_cents", 48110.4, "EUR") == (
        "mean of actual_spend in the report",
        "481.10 EUR",
    )
    assert report_facts.mean("churned", 0.25, "EUR") == ("mean of churned in the report", 0.25)
