from __future__ import annotations

import pytest

from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import GOOD, register
from training.registry import champions, registry, tracking


def test_versions_and_the_champion_among_them(workspace_with_store: Workspace) -> None:
    workspace = workspace_with_store
    assert registry.champion(workspace, "churn") is None
    assert registry.versions(workspace, "churn") == []
    runs = [register(workspace, GOOD, as_of=AS_OF + 7 * week) for week in range(2)]
    assert registry.versions(workspace, "churn") == [(1, runs[0]), (2, runs[1])]
    assert registry.versions(workspace, "next_purchase") == []
    assert registry.challenger(workspace, "churn") == (2, runs[1])
    assert registry.challenger(workspace, "churn", runs[0]) == (1, runs[0])
    with pytest.raises(UserError, match="run x of churn is not registered") as refused:
        registry.challenger(workspace, "churn", "x")
    assert refused.value.exit_code is ExitCode.NOT_BUILT

    champions.crown(workspace, "churn", 1)
    assert registry.champion_version(workspace, "churn") == (1, runs[0])
    champion = registry.champion(workspace, "churn")
    assert champion is not None
    assert (champion.task, champion.version, champion.run_id) == ("churn", 1, runs[0])
    assert champion.as_of == champion.fitted.as_of == AS_OF


def test_a_model_of_other_features_is_refused_before_and_when_it_is_loaded(
    workspace_with_store: Workspace,
) -> None:
    run_id = register(workspace_with_store, GOOD)
    assert registry.refusal(workspace_with_store, run_id) is None
    assert registry.loadable(workspace_with_store, run_id)
    file = tracking.artifact(workspace_with_store, run_id, tracking.MODEL) / "meta.json"
    write_json(file, {**read_json(file), "declarations_hash": "0" * 64})
    said = registry.refusal(workspace_with_store, run_id)
    assert said is not None
    assert "were 000000000000, now" in said
    assert not registry.loadable(workspace_with_store, run_id)
    with pytest.raises(UserError, match="other feature declarations"):
        registry.load(workspace_with_store, run_id)
    file.unlink()
    said = registry.refusal(workspace_with_store, run_id)
    assert said is not None
    assert "its files were removed" in said
