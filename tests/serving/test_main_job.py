from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from serving import main_job
from tests.conftest import done, free_port, nextbest
from training.task import QUICK


@pytest.fixture
def workspace(slice_copy: Workspace) -> Workspace:
    return slice_copy


def redone(workspace: Workspace, source: Path) -> list[str]:
    """The steps that a further run does again."""
    report = main_job.build(workspace, str(source), None, QUICK)
    return [step.name for step in report.steps if not step.reused]


def test_nothing_is_done_again(workspace: Workspace, slice_source: Path) -> None:
    assert redone(workspace, slice_source) == []


def test_lost_scores_are_made_again_and_nothing_else(workspace: Workspace, slice_source: Path) -> None:
    workspace.scores.unlink()
    assert redone(workspace, slice_source) == ["score"]
    assert redone(workspace, slice_source) == []


def test_a_changed_catalogue_is_scored_again(workspace: Workspace, slice_source: Path) -> None:
    packaged = (Path(main_job.__file__).parent / "catalogue/actions.yaml").read_text(encoding="utf-8")
    (workspace.root / "actions.yaml").write_text(packaged + "\n# ours\n", encoding="utf-8")
    assert redone(workspace, slice_source) == ["score"]


def test_a_lost_build_is_made_again(workspace: Workspace, slice_source: Path) -> None:
    workspace.features.unlink()
    assert redone(workspace, slice_source) == ["features"]


def test_a_touched_source_with_the_same_rows_trains_nothing_again(
    workspace: Workspace, slice_source: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(slice_source, source)
    main_job.build(workspace, str(source), None, QUICK)
    (source / "README.txt").write_text("another file changes the folder, not the rows")
    assert redone(workspace, source) == ["ingest"]
    (source / "truth").mkdir()
    (source / "truth" / "references.parquet").write_text("a simulated source's truth is not an input")
    assert redone(workspace, source) == []


def test_the_example_is_a_customer_with_a_best_action(slice_workspace: Workspace) -> None:
    customer = main_job.example_customer(slice_workspace)
    assert customer is not None
    answer = json.loads(done(nextbest("decide", "--customer", customer, "--json", workspace=slice_workspace)))
    assert answer["actions"][0]["expected_value_cents"] > 0


def test_a_port_in_use_is_refused_and_a_free_one_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="is in use"):
            main_job.check_port(taken.getsockname()[1])
    main_job.check_port(free_port())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "no-such-folder"], "no-such-folder"),
        (["--as-of", "tomorrow"], "tomorrow"),
    ],
)
def test_bad_options_are_one_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    refused = nextbest("run", "--no-serve", *arguments, workspace=tmp_path / "new")
    assert refused.returncode == ExitCode.USAGE
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_data_too_short_for_any_task_are_said_to_be(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "transactions.csv").write_text(
        "customer_id,occurred_at,amount\nc1,2024-05-01T10:00:00Z,3.50\nc2,2024-05-02T10:00:00Z,4.00\n"
    )
    refused = nextbest("run", "--source", str(source), "--quick", "--no-serve", workspace=tmp_path / "new")
    assert refused.returncode == ExitCode.BAD_DATA
    assert "none of the tasks could be trained on these data" in refused.stderr
    assert "train churn" in refused.stdout + refused.stderr


def test_an_as_of_before_the_data_is_refused_before_anything_is_built(
    slice_source: Path, tmp_path: Path
) -> None:
    options = ("--no-serve", "--source", slice_source, "--as-of", "2016-01-01")
    refused = nextbest("run", *options, workspace=tmp_path / "new")
    assert refused.returncode == ExitCode.USAGE
    assert "as-of 2016-01-01 is not after the first transaction (2017-01-01)" in refused.stderr
    assert not (tmp_path / "new" / "features").exists()


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("scores/scores.parquet", "score"),
        ("scores/actions.parquet", "score"),
        ("features/store.db", "features"),
        ("features/tiles.parquet", "features"),
    ],
)
def test_one_lost_file_is_made_again(workspace: Workspace, slice_source: Path, file: str, step: str) -> None:
    (workspace.root / file).unlink()
    assert redone(workspace, slice_source) == [step]
    assert (workspace.root / file).exists()
    assert redone(workspace, slice_source) == []
