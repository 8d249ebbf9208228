from __future__ import annotations

from pathlib import Path

import yaml

from features.catalogue import catalogue_hash
from features.workspace import Workspace
from training import flavor, tracking
from training.fitted import Fitted


def test_a_saved_model_is_an_mlflow_model_without_pickle(tmp_path: Path) -> None:
    fitted = Fitted("churn", {}, {}, {"as_of": 1, "catalogue_hash": catalogue_hash()})
    flavor.save_model(fitted, tmp_path / "model", "r1")
    described = yaml.safe_load((tmp_path / "model" / "MLmodel").read_text(encoding="utf-8"))
    assert described["flavors"] == {
        "nextbest": {"task": "churn", "format": 1, "loader": "training.flavor.load_model"}
    }
    assert described["run_id"] == "r1"
    assert flavor.load_model(tmp_path / "model").digest() == fitted.digest()


def test_versions_count_up_under_one_name(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    numbers = []
    for _ in range(2):
        with tracking.new_run(workspace, "churn") as run_id:
            numbers.append(flavor.register(workspace, run_id, "churn"))
    assert numbers == [1, 2]
    version = tracking.client(workspace).get_model_version("churn", "2")
    assert version.run_id == run_id
    assert version.source.endswith(f"{run_id}/artifacts/model")
