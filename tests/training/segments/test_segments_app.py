"""The commands on the small world."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.training.conftest import make, visits
from training.segments.segments_app import segments


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make(tmp_path_factory.mktemp("segments"), visits())


def call(workspace: Workspace, *arguments: str) -> str:
    result = CliRunner().invoke(segments, [*arguments, "--workspace", str(workspace.root)])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_fit_show_and_fit_again(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nextbest segments fit") as refused:
        call(workspace, "show")
    assert refused.value.exit_code == ExitCode.NOT_BUILT
    file = tmp_path / "members.csv"
    fitted = json.loads(call(workspace, "fit", "--as-of", "2017-09-01", "--out", str(file), "--json"))
    assert fitted["as_of"] == "2017-09-01"
    members = pd.read_csv(file)
    counts = {cluster["id"]: cluster["customers"] for cluster in fitted["clusters"]}
    assert members["cluster"].value_counts().to_dict() == counts
    assert json.loads(call(workspace, "show", "--json"))["clusters"] == fitted["clusters"]
    customer = members["customer_id"].iloc[3]
    shown = json.loads(call(workspace, "show", customer, "--as-of", "2017-09-01", "--json"))
    assert shown["id"] == members["cluster"].iloc[3]
    own = {figure["figure"]: figure for figure in shown["figures"]}
    (cluster,) = (each for each in fitted["clusters"] if each["id"] == shown["id"])
    assert own["visits_91"]["median"] == cluster["medians"]["visits_91"]
    assert own["visits_91"]["value"] > 0
    assert cluster["name_zh"] in call(workspace, "show")
    assert "median of the cluster" in call(workspace, "show", customer)
    again = json.loads(call(workspace, "fit", "--as-of", "2017-09-05", "--json"))
    assert {each["id"] for each in again["clusters"]} == set(counts)
    with pytest.raises(UserError, match="'nobody' is not known"):
        call(workspace, "show", "nobody")


def test_potential_names_the_top_share(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "top.parquet"
    shown = json.loads(call(workspace, "potential", "--top", "0.1", "--out", str(file), "--json"))
    assert shown["figure"] == "spend_91"
    assert shown["customers"] == 24
    written = pd.read_parquet(file)
    assert written["potential_cents"].is_monotonic_decreasing
    assert written["potential_cents"].min() > 0
    assert written["potential_cents"].sum() == shown["potential_cents"]
    text = call(workspace, "potential")
    assert "of spend_91 within reach" in text
    assert "the first 20" in text


@pytest.mark.parametrize("command", [("fit",), ("show", "c0001"), ("potential",)])
def test_a_day_after_the_clock_is_refused(workspace: Workspace, command: tuple[str, ...]) -> None:
    call(workspace, "fit")
    before = call(workspace, "show", "--json")
    with pytest.raises(UserError, match="2018-02-01 is after the workspace's clock, 2017-10-28") as refused:
        call(workspace, *command, "--as-of", "2018-02-01")
    assert refused.value.exit_code is ExitCode.USAGE
    assert call(workspace, "show", "--json") == before


def test_a_file_that_is_no_table_is_refused_before_any_work(workspace: Workspace, tmp_path: Path) -> None:
    for command in ("fit", "potential"):
        with pytest.raises(UserError, match=r"End it in \.csv or \.parquet"):
            call(workspace, command, "--out", str(tmp_path / "list.png"))
    with pytest.raises(UserError, match="has to be a share"):
        call(workspace, "potential", "--top", "2")
