"""The commands on the small world, which has no products: recommendation is skipped, with the reason."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training import app, task
from training.registry import promote_app, registry

from .conftest import TINY, make, visits

commands = typer.Typer()
commands.command("train")(app.train)
commands.command("promote")(promote_app.promote)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make(tmp_path_factory.mktemp("app"), visits())


@pytest.fixture(autouse=True)
def tiny_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "QUICK", replace(TINY, trials=1))


def call(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [*arguments, "--workspace", str(workspace.root)])
    if isinstance(result.exception, UserError):
        raise result.exception
    return result.exit_code, result.stdout


def test_train_then_promote(workspace: Workspace) -> None:
    code, out = call(workspace, "train", "--quick", "--seed", "3", "--json")
    assert code == 0
    report = json.loads(out)
    trained = {each["task"]: each for each in report["trained"]}
    assert list(trained) == ["churn", "decline", "next_purchase", "rhythm", "value"]
    skipped = {each["task"]: each["reason"] for each in report["skipped"]}
    assert set(skipped) == {"category_purchase", "response", "recommendation"}
    assert "product_id" in skipped["recommendation"]
    for each in report["trained"]:
        assert each["version"] == 1
        assert each["as_of"] == "2017-10-28"
        assert each["bars"]
        # No choices_until in this source: report and choices overlap, and that is said.
        assert any("overlap" in warning for warning in each["warnings"])

    assert call(workspace, "promote", "--all", "--strict")[0] == 0
    code, out = call(workspace, "promote", "churn", "--strict", "--json")
    assert code == 0
    assert json.loads(out)[0]["sentence"] == "churn version 1 is already champion."
    code, out = call(workspace, "promote", "churn")
    assert code == 0
    assert "already champion" in out
    assert registry.champion_version(workspace, "next_purchase") is not None

    code, out = call(workspace, "train", "churn", "--quick", "--seed", "3", "--json")
    (again,) = json.loads(out)["trained"]
    assert (code, again["version"], again["registered"]) == (0, 1, False)
    assert again["run_id"] != trained["churn"]["run_id"]
    assert len(registry.versions(workspace, "churn")) == 1

    run = trained["next_purchase"]["run_id"]
    code, out = call(workspace, "train", "--reproduce", run, "--json")
    assert code == 0
    assert json.loads(out)["same_model"] is True
    assert json.loads(out)["same_metrics"] is True


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "chrun"), "did you mean 'churn'"),
        (("train", "churn", "--as-of", "2019-01-01"), "after the workspace's clock, 2017-10-28"),
        (("train", "churn", "--as-of", "soon"), "as-of is not a date"),
        (("train", "churn", "--as-of", "2017-03-01"), "needs 91 days of history"),
        (("train", "--as-of", "2017-03-01"), "nothing could be trained"),
        (("train", "recommendation"), "recommendation cannot be trained"),
        (("train", "--reproduce", "x", "--quick"), "give it no task and no other option"),
        (("train", "--reproduce", "nosuchrun"), "run not found"),
    ],
)
def test_refusals_are_sentences(workspace: Workspace, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        call(workspace, *arguments)


def test_nothing_to_promote_and_nothing_ingested(tmp_path) -> None:
    with pytest.raises(UserError, match="no model is registered") as refused:
        call(Workspace(tmp_path / "empty").create(), "promote", "--all")
    assert refused.value.exit_code is ExitCode.NOT_BUILT
    with pytest.raises(UserError, match="nextbest ingest"):
        call(Workspace(tmp_path / "other"), "train")


def test_the_run_id_is_on_a_line_of_its_own() -> None:
    run_id = "0123456789abcdef" * 2
    rest = ("2018-01-01", "report.html", [], [], {}, {"fit": 1.0})
    said = app._lines(app.TrainReport([app.Trained("churn", run_id, 1, True, *rest)], []))
    assert f"  run: {run_id}" in said
    assert not [line for line in said if "already" in str(line)]
    twice = app._lines(app.TrainReport([app.Trained("churn", run_id, 1, False, *rest)], []))
    assert "  exactly this model is version 1 already: nothing new is registered." in twice
