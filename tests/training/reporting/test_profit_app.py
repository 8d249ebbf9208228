from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training.registry import tracking
from training.reporting import profit_app
from training.reporting.profit import Terms

LABELS = json.dumps({"churn": {"horizon_days": 30}})
TAGS = {"as_of": "2017-10-28", "seed": 0, "setting": "{}", "budget": "{}"}


def recorded(workspace: Workspace, folder: Path, task: str, **columns: object) -> str:
    """A run of that task with a report of 200 customers, the first 40 of whom are positive."""
    frame = pd.DataFrame({"customer_id": np.arange(200).astype(str), "as_of": 17440, **columns})
    (folder / task / "report").mkdir(parents=True)
    frame.to_parquet(folder / task / tracking.ROWS)
    with tracking.new_run(workspace, task) as run_id:
        tracking.log(workspace, run_id, metrics={}, params={}, tags={**TAGS, "task": task, "labels": LABELS})
        tracking.log_folder(workspace, run_id, folder / task)
    return run_id


def churn(workspace: Workspace, folder: Path) -> str:
    promised = {"model.probability": np.linspace(0.995, 0.005, 200)}
    return recorded(workspace, folder, "churn", churned=(np.arange(200) < 40).astype(int), **promised)


def call(*given: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(profit_app.profit)
    result = CliRunner().invoke(app, list(given))
    if isinstance(result.exception, UserError):
        raise result.exception
    return result.exit_code, result.stdout


def test_numbers_picture_and_page(workspace_with_store: Workspace, tmp_path: Path) -> None:
    space = workspace_with_store
    run_id = churn(space, tmp_path / "files")
    given = [run_id, "--cost", "0.50", "--margin", "12", "--workspace", str(space.root)]
    code, out = call(*given, "--json")
    assert code == 0
    found = json.loads(out)
    advice = found["advice"]
    assert (advice["cost_cents"], advice["margin_cents"]) == (50, 1200)
    assert advice["best"]["contacts"] == 40
    assert advice["best"]["profit_cents"] == 40 * 1200 - 40 * 50
    assert "not a measured lift" in advice["assumption"]
    picture, page = (Path(file) for file in found["files"])
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text(encoding="utf-8")
    assert picture.parent == page.parent == space.reports
    assert "460.00" in text
    assert "http" not in text
    assert run_id in text
    assert "No visit within 30 days" in text
    code, said = call(*given)
    assert code == 0
    assert "460.00" in said
    assert "not a measured lift" in " ".join(said.split())


def test_a_task_without_such_a_probability_and_one_without_champion_are_refused(
    workspace_with_store: Workspace, tmp_path: Path
) -> None:
    space, terms = workspace_with_store, Terms(50, 1200)
    run_id = recorded(space, tmp_path / "files", "next_purchase", days=3.0, **{"model.p7": 0.5})
    with pytest.raises(UserError, match="next_purchase predicts no probability of one thing"):
        profit_app.advise_run(space, run_id, terms)
    with pytest.raises(UserError, match="churn has no champion") as refused:
        profit_app.advise_run(space, "churn", terms)
    assert refused.value.exit_code is ExitCode.NOT_BUILT


def test_where_no_contact_pays_no_probability_is_named(
    workspace_with_store: Workspace, tmp_path: Path
) -> None:
    run_id = churn(workspace_with_store, tmp_path / "files")
    given = ["--cost", "5", "--margin", "1", "--workspace", str(workspace_with_store.root)]
    said = " ".join(call(run_id, *given)[1].split())
    assert "No contact pays: its cost, 5.00, is more than it brings" in said
    assert "500" not in said
    _, page = json.loads(call(run_id, *given, "--json")[1])["files"]
    assert "500.0 %" not in Path(page).read_text(encoding="utf-8")


def test_an_amount_is_not_larger_than_can_be_counted(workspace_with_store: Workspace, tmp_path: Path) -> None:
    run_id = churn(workspace_with_store, tmp_path / "files")
    given = ["--margin", "1e9", "--workspace", str(workspace_with_store.root)]
    assert call(run_id, "--cost", "1e9", *given)[0] == 0
    for amount in ("1e30", "1000000000.01"):
        with pytest.raises(UserError, match=f"--cost is '{amount}': it has to be at most 1,000,000,000"):
            call(run_id, "--cost", amount, *given)


@pytest.mark.parametrize("amount", ["much", "0.005", "nan", "inf", "1e999999"])
def test_an_amount_that_is_no_money_is_refused(amount: str) -> None:
    with pytest.raises(UserError, match=f"--cost is '{amount}': it has to be an amount of money"):
        call("run", "--cost", amount, "--margin", "12")


def test_the_horizon_in_the_title_is_that_of_the_label(
    workspace_with_store: Workspace, tmp_path: Path
) -> None:
    space, p = workspace_with_store, np.linspace(0.995, 0.005, 200)
    broken = (np.arange(200) < 40).astype(int)
    run_id = recorded(space, tmp_path, "rhythm", **{"broken": broken, "model.probability": p})
    call(run_id, "--cost", "0.50", "--margin", "12", "--workspace", str(space.root))
    page = (space.reports / f"profit-rhythm-{run_id[:8]}.html").read_text(encoding="utf-8")
    assert "A regular stays away, up to 14 days" in page
    assert "up to 28 days" not in page
