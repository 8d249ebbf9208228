"""Promotion among hand-made versions, whose validation rows are chosen so that the verdict is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue_hash
from features.clock import to_date
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training import flavor, registry, tracking
from training.churn import Churn
from training.datasets import Snapshots
from training.fitted import Fitted

from .conftest import AS_OF, make, visits

CUTOFFS = (AS_OF - 84, AS_OF - 56, AS_OF - 28)
LABELS = np.array([1, 1, 0, 0, 0, 0], dtype=np.int8)
GOOD = np.array([0.9, 0.8, 0.3, 0.2, 0.1, 0.4])
FAIR = np.array([0.9, 0.25, 0.3, 0.2, 0.1, 0.4])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path, visits())


def rows(probability: np.ndarray, *cutoffs: int, customers: str = "c") -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "customer_id": [f"{customers}{i:04d}" for i in range(6)],
                "as_of": np.full(6, cutoff, dtype=np.int32),
                "churned": LABELS,
                "model.probability": probability,
                "logistic_rfm.probability": FAIR,
            }
        )
        for cutoff in cutoffs
    ]
    return pd.concat(parts, ignore_index=True)


def version(
    workspace: Workspace, folder: Path, frame: pd.DataFrame, as_of: int = AS_OF, fitted: Fitted | None = None
) -> str:
    """A registered version with these validation rows."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "choice").mkdir(parents=True)
    frame.to_parquet(folder / tracking.CHOICE)
    model = fitted or Fitted("churn", {}, {}, {"catalogue_hash": catalogue_hash()})
    flavor.save_model(model.with_meta(as_of=as_of), folder / tracking.MODEL)
    tags = {
        "task": "churn",
        "as_of": to_date(as_of),
        "seed": 0,
        "setting": "{}",
        "budget": "{}",
        "warnings": "none",
    }
    with tracking.new_run(workspace, "churn") as run_id:
        tracking.log(workspace, run_id, metrics={}, params={}, tags=tags)
        tracking.log_folder(workspace, run_id, folder)
    flavor.register(workspace, run_id, "churn")
    return run_id


def test_promotion_goes_by_the_same_rows(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    assert registry.champion(workspace, "churn") is None
    with pytest.raises(UserError, match="model churn is not registered") as refused:
        registry.promote(workspace, "churn")
    assert refused.value.exit_code is ExitCode.NOT_BUILT

    first = version(workspace, folder, rows(FAIR, *CUTOFFS[:2]))
    verdict = registry.promote(workspace, "churn")
    assert (verdict.promoted, verdict.champion_version, verdict.champion_value) == (True, 1, None)
    verdict = registry.promote(workspace, "churn")
    assert not verdict.promoted
    assert "already champion" in verdict.sentence

    # The same numbers again are not better.
    version(workspace, folder, rows(FAIR, *CUTOFFS[:2]))
    verdict = registry.promote(workspace, "churn")
    assert (verdict.promoted, verdict.rows, verdict.champion_version) == (False, 12, 1)
    assert verdict.challenger_value == verdict.champion_value

    # Better, on the one cutoff they share: 6 rows. AUC 1 against 6/8.
    third = version(workspace, folder, rows(GOOD, CUTOFFS[1]))
    verdict = registry.promote(workspace, "churn")
    assert (verdict.promoted, verdict.rows, verdict.champion_version) == (True, 6, 3)
    assert (verdict.challenger_value, verdict.champion_value) == (1.0, 0.75)
    assert "version 3 takes the place of version 1" in verdict.sentence
    champion = registry.champion(workspace, "churn")
    assert champion is not None
    assert (champion.version, champion.run_id, champion.as_of) == (3, third, AS_OF)
    stored = tracking.client(workspace).get_model_version("churn", "3")
    assert stored.tags["verdict"] == verdict.sentence

    # A run can be named; the worse one does not come back.
    verdict = registry.promote(workspace, "churn", first)
    assert (verdict.promoted, verdict.version, verdict.champion_version) == (False, 1, 3)
    with pytest.raises(UserError, match="run nosuchrun of churn"):
        registry.promote(workspace, "churn", "nosuchrun")


def test_without_common_rows_the_champion_stays(workspace: Workspace, tmp_path: Path) -> None:
    version(workspace, tmp_path / "files", rows(FAIR, CUTOFFS[1]))
    registry.promote(workspace, "churn")
    version(workspace, tmp_path / "files", rows(GOOD, CUTOFFS[0]))
    verdict = registry.promote(workspace, "churn")
    assert (verdict.promoted, verdict.rows, verdict.challenger_value) == (False, 0, None)
    assert "no row in common" in verdict.sentence


def test_a_champion_of_other_features_cannot_serve_and_gives_way(
    workspace: Workspace, tmp_path: Path
) -> None:
    old = Fitted("churn", {}, {}, {"catalogue_hash": "0" * 64})
    version(workspace, tmp_path / "files", rows(GOOD, CUTOFFS[1]), fitted=old)
    registry.promote(workspace, "churn")
    with pytest.raises(UserError, match="other feature declarations"):
        registry.champion(workspace, "churn")
    version(workspace, tmp_path / "files", rows(FAIR, CUTOFFS[0]))
    verdict = registry.promote(workspace, "churn")
    assert verdict.promoted
    assert "can no longer be loaded" in verdict.sentence


def test_a_champion_whose_validation_rows_are_gone_gives_way(workspace: Workspace, tmp_path: Path) -> None:
    first = version(workspace, tmp_path / "files", rows(GOOD, CUTOFFS[1]))
    registry.promote(workspace, "churn")
    tracking.artifact(workspace, first, tracking.CHOICE).unlink()
    version(workspace, tmp_path / "files", rows(FAIR, CUTOFFS[1]))
    verdict = registry.promote(workspace, "churn")
    assert verdict.promoted
    assert "its files are gone" in verdict.sentence


def test_on_a_newer_cutoff_the_champion_itself_predicts(
    workspace: Workspace, snapshots: Snapshots, tmp_path: Path
) -> None:
    task = Churn()
    past = task.examples(snapshots.cut(CUTOFFS[1]), [AS_OF - 140, AS_OF - 112])
    champion = task.fit(past, {**task.first, "rounds": 20}, 0).with_meta(catalogue_hash=catalogue_hash())
    version(workspace, tmp_path / "files", rows(GOOD, CUTOFFS[0]), as_of=CUTOFFS[1], fitted=champion)
    registry.promote(workspace, "churn")
    latest = task.examples(snapshots, [CUTOFFS[2]])
    # The challenger knows the truth of the newest cutoff.
    report = task.rows(champion, latest)
    report["model.probability"] = report["churned"].astype(float)
    version(workspace, tmp_path / "files", report)
    expected = task.rows(champion, latest, "champion")
    frame = registry.common_rows(
        workspace,
        "churn",
        registry.versions(workspace, "churn")[-1][1],
        registry.versions(workspace, "churn")[0][1],
    )
    assert frame["champion.probability"].tolist() == expected["champion.probability"].tolist()
    verdict = registry.promote(workspace, "churn")
    assert verdict.promoted
    assert (verdict.rows, verdict.challenger_value) == (len(latest), 1.0)
    assert verdict.champion_value is not None
    assert 0.5 < verdict.champion_value < 1.0
    assert json.loads(json.dumps(verdict.rows)) == len(latest)
