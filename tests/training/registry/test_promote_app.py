from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import BLIND, GOOD, register
from training.registry import models_app, promote_app, registry, tracking

commands = typer.Typer()
commands.command("promote")(promote_app.promote)
commands.command("models")(models_app.models)


@pytest.fixture
def workspace(workspace_with_store: Workspace) -> Workspace:
    return workspace_with_store


def call(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [*arguments, "--workspace", str(workspace.root)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_promote_say_who_is_champion_and_roll_back(workspace: Workspace) -> None:
    register(workspace, BLIND, warnings="logistic_rfm is better.")
    code, out = call(workspace, "promote", "--all", "--strict")
    assert code == 0
    assert "churn version 1 is champion: there was none before" in out
    assert "its report warns: logistic_rfm is better." in out
    code, out = call(workspace, "promote", "churn", "--strict", "--json")
    assert code == 0
    assert json.loads(out)[0]["sentence"] == "churn version 1 is already champion."

    second = register(workspace, GOOD, as_of=AS_OF + 7)
    _, said = call(workspace, "models")
    assert "churn version 2 waits: run `nextbest promote churn`." in said
    assert json.loads(call(workspace, "promote", "churn", "--json")[1])[0]["promoted"] is True
    register(workspace, BLIND, as_of=AS_OF + 14)
    assert call(workspace, "promote", "churn", "--strict")[0] == ExitCode.VERDICT

    found = {each["task"]: each for each in json.loads(call(workspace, "models", "--json")[1])}
    churn = found["churn"]
    assert (churn["champion"], churn["run_id"], churn["as_of"]) == (2, second, "2017-11-04")
    assert (churn["former"], churn["latest"], churn["refused"]) == ([1], 3, None)
    assert (churn["metric"], churn["value"], churn["low"], churn["high"]) == ("roc_auc", 0.7, 0.65, 0.75)
    assert "takes the place of version 1" in churn["verdict"]
    assert "worse beyond chance" in churn["latest_verdict"]
    assert found["next_purchase"]["champion"] is None
    assert found["next_purchase"]["latest"] is None
    _, said = call(workspace, "models")
    assert all(number in said for number in ("0.7000", "(0.6500", "0.7500)"))

    code, out = call(workspace, "promote", "churn", "--rollback")
    assert code == 0
    assert out.startswith(
        "churn version 1 (as of 2017-10-28) became champion again by a rollback from version 2"
    )
    assert registry.champion_version(workspace, "churn") is not None
    with pytest.raises(UserError, match="churn version 1 is the only champion that is kept"):
        call(workspace, "promote", "churn", "--rollback", "--json")


def test_a_damaged_model_is_refused_and_the_others_are_promoted(workspace: Workspace) -> None:
    run_id = register(workspace, GOOD)
    (tracking.artifact(workspace, run_id, tracking.MODEL) / "meta.json").write_text("{}")
    for arguments in (("churn",), ("--all",), ("churn", "--run", run_id)):
        code, out = call(workspace, "promote", *arguments)
        assert code == ExitCode.NOT_BUILT
        assert out.startswith("churn version 1 is not promoted, there is no champion: it cannot be used: ")
        assert len(out.splitlines()) == 1
    assert registry.champion_version(workspace, "churn") is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote",), "name one task, or give --all"),
        (("promote", "churn", "--all"), "'churn' names one task and --all means every one"),
        (("promote", "--all", "--run", "x"), "does not go with --all"),
        (("promote", "--all", "--rollback"), "restores the champion of one task"),
        (("promote", "chrun"), "did you mean 'churn'"),
        (("promote", "churn"), "model churn is not registered"),
        (("promote", "churn", "--rollback"), "churn has no champion"),
        (("promote", "--all"), "no model is registered"),
    ],
)
def test_refusals_are_sentences(ingested: Workspace, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        call(ingested, *arguments)


def test_no_workspace_has_no_models_and_gets_none(tmp_path) -> None:
    code, out = call(Workspace(tmp_path / "none"), "models", "--json")
    assert code == 0
    assert {each["champion"] for each in json.loads(out)} == {None}
    assert not (tmp_path / "none").exists()
