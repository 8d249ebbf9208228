from __future__ import annotations

import sys
from pathlib import Path

import yaml

from features.catalogue import declarations_hash
from features.json_file import read_json
from features.workspace import Workspace
from training.fitted import Fitted
from training.registry import environment, flavor, store, tracking


def test_a_saved_model_is_an_mlflow_model_without_pickle(tmp_path: Path) -> None:
    fitted = Fitted("own", {}, {}, {"as_of": 1})
    flavor.save_model(fitted, tmp_path / "model", "r1")
    described = yaml.safe_load((tmp_path / "model" / "MLmodel").read_text(encoding="utf-8"))
    assert described["flavors"] == {
        "nextbest": {
            "task": "own",
            "format": 3,
            "loader": "training.registry.flavor.load_model",
            "declarations_hash": declarations_hash([]),
        }
    }
    assert described["run_id"] == "r1"
    assert read_json(tmp_path / "model" / "environment.json") == environment.facts()
    assert flavor.load_model(tmp_path / "model").digest() == fitted.digest()
    # Whatever stands in the file that MLflow would read, none of it is run.
    described["flavors"] = {"python_function": {"loader_module": "antigravity", "python_model": "model.pkl"}}
    (tmp_path / "model" / "MLmodel").write_text(yaml.safe_dump(described), encoding="utf-8")
    assert flavor.load_model(tmp_path / "model").digest() == fitted.digest()
    assert "antigravity" not in sys.modules


def test_versions_count_up_under_one_name(workspace_with_store: Workspace) -> None:
    workspace, numbers = workspace_with_store, []
    for _ in range(2):
        with tracking.new_run(workspace, "churn") as run_id:
            numbers.append(flavor.register(workspace, run_id, "churn"))
    assert numbers == [1, 2]
    version = store.client(workspace).get_model_version("churn", "2")
    assert version.run_id == run_id
    assert version.source.endswith(f"{run_id}/artifacts/model")
