from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from features.catalogue import declarations_hash
from features.errors import UserError
from features.workspace import Workspace
from training import recording, runs
from training.churn import Churn
from training.datasets import Snapshots, open_snapshots
from training.recording import Recorded
from training.registry import environment, registry, tracking
from training.runs import RunResult

from .conftest import TINY, make, visits


@pytest.fixture(scope="module")
def result(planted: Workspace, snapshots: Snapshots) -> RunResult:
    return runs.run(Churn(), snapshots, TINY, 0, planted.studies_uri)


@pytest.fixture(scope="module")
def recorded(planted: Workspace, result: RunResult) -> Recorded:
    return recording.record(planted, result)


def test_everything_that_was_made_is_kept(planted: Workspace, recorded: Recorded, result: RunResult) -> None:
    folder = tracking.artifact(planted, recorded.run_id, "report").parent
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "report/rows.parquet",
        "report/report.html",
        "features.json",
        "trials.json",
        "report/slices.csv",
        "report/drift.csv",
        "plots/explained.png",
        "model_card.html",
        "model_card.md",
        "model/MLmodel",
    } <= names
    assert any(name.startswith("plots/") and name.endswith(".png") for name in names)
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]
    inputs = json.loads((folder / "features.json").read_text())["inputs"]
    assert all(inputs.values())
    assert "visits_91" in inputs
    assert ("bg_nbd_visit" in inputs) == result.params["rhythm"]
    trials = json.loads((folder / "trials.json").read_text())["trials"]
    assert len(trials) == TINY.trials
    pd.testing.assert_frame_equal(
        tracking.load_rows(planted, recorded.run_id), result.frame, check_dtype=False
    )
    assert registry.load(planted, recorded.run_id).digest() == result.fitted.digest()


def test_numbers_and_tags_are_those_of_the_result(
    planted: Workspace, recorded: Recorded, result: RunResult
) -> None:
    info = tracking.run_info(planted, recorded.run_id)
    assert info.params == result.params
    assert info.budget["trials"] == TINY.trials
    flat = result.evaluation.flat()
    assert {name: info.metrics[name] for name in flat} == flat
    assert info.tags["data_fingerprint"] == result.fingerprint
    assert info.tags["model_digest"] == result.fitted.digest()
    assert info.options == result.fitted.meta["options"]
    assert environment.changes(info.tags) == []
    facts = json.loads(tracking.artifact(planted, recorded.run_id, "features.json").read_text())
    assert info.tags["declarations_hash"] == facts["declarations_hash"]
    assert facts["declarations_hash"] == result.fitted.bound().meta["declarations_hash"]
    assert facts["declarations_hash"] != declarations_hash(facts["reads"]), "its own inputs count, too"
    assert recorded.version == 1


def test_the_page_opens_without_a_network_and_the_model_card_lies_beside_it(recorded: Recorded) -> None:
    page = recorded.report.read_text(encoding="utf-8")
    for name in ("model_card.html", "model_card.md"):
        card = recorded.report.with_name(f"{recorded.report.stem}-{name}").read_text(encoding="utf-8")
        assert recorded.run_id in card
        assert "no stores (figures by area)" in card
    assert recorded.run_id in page
    assert "data:image/png;base64," in page
    assert "<script src" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_run_done_again_is_identical_and_registers_nothing(planted: Workspace, recorded: Recorded) -> None:
    info = tracking.run_info(planted, recorded.run_id)
    again = recording.reproduce(planted, open_snapshots(planted, info.as_of), info)
    assert again.same_model
    assert again.same_metrics
    assert "identical to the byte" in again.sentence
    assert tracking.run_info(planted, again.again).tags["reproduces"] == recorded.run_id
    assert len(registry.versions(planted, "churn")) == 1


def test_exactly_the_same_model_is_registered_once(
    planted: Workspace, recorded: Recorded, result: RunResult
) -> None:
    again = recording.record(planted, result)
    assert (again.version, again.twin) == (recorded.version, recorded.run_id)
    assert again.run_id != recorded.run_id
    assert len(registry.versions(planted, "churn")) == 1
    assert registry.challenger(planted, "churn", again.run_id) == (1, recorded.run_id)

    # One that was damaged since is no reason to register nothing.
    file = tracking.artifact(planted, recorded.run_id, tracking.MODEL) / "arrays.npz"
    whole = file.read_bytes()
    file.write_bytes(b"")
    third = recording.record(planted, result)
    file.write_bytes(whole)
    assert (third.version, third.twin) == (2, None)


def test_on_other_data_it_is_refused(planted: Workspace, recorded: Recorded, tmp_path: Path) -> None:
    info = tracking.run_info(planted, recorded.run_id)
    other = make(tmp_path, visits(seed=9))
    with pytest.raises(UserError, match="cannot be reproduced"):
        recording.reproduce(planted, open_snapshots(other, info.as_of), info)
