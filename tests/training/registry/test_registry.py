from __future__ import annotations

import numpy as np
import pytest

from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import GOOD, register
from training.fitted import Fitted
from training.registry import champions, promotion, registry, tracking
from training.tasks import declared


def test_versions_and_the_champion_among_them(workspace_with_store: Workspace) -> None:
    workspace = workspace_with_store
    assert registry.champion(workspace, "churn") is None
    assert registry.versions(workspace, "churn") == []
    runs = [register(workspace, GOOD, as_of=AS_OF + 7 * week) for week in range(2)]
    assert registry.versions(workspace, "churn") == [(1, runs[0]), (2, runs[1])]
    assert registry.versions(workspace, "next_purchase") == []
    assert registry.challenger(workspace, "churn") == (2, runs[1])
    assert registry.challenger(workspace, "churn", runs[0]) == (1, runs[0])
    with pytest.raises(
        UserError, match=f"no .* churn was made by run 'x'; .* version 2, run {runs[1]}"
    ) as refused:
        registry.challenger(workspace, "churn", "x")
    assert refused.value.exit_code is ExitCode.USAGE
    with pytest.raises(
        UserError, match=r"model decline is not registered.*nextbest train decline"
    ) as refused:
        registry.challenger(workspace, "decline", "x")
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
    assert registry.refusal(workspace_with_store, register(workspace_with_store, GOOD)) is None
    foreign = Fitted("churn", {}, {}, {"reads": [], "declarations_hash": "0" * 64})
    run_id = register(workspace_with_store, GOOD, fitted=foreign)
    said = registry.refusal(workspace_with_store, run_id)
    assert said is not None
    assert said.startswith("it was trained on other feature declarations: ")
    assert "were 000000000000, now" in said
    assert "nextbest" not in said
    with pytest.raises(UserError, match=r"other feature declarations.*Run `nextbest train churn`"):
        registry.load(workspace_with_store, run_id)
    (tracking.artifact(workspace_with_store, run_id, tracking.MODEL) / "meta.json").unlink()
    said = registry.refusal(workspace_with_store, run_id)
    assert said is not None
    assert "it holds no model (meta.json is missing)" in said


def test_the_very_same_model_is_found_as_long_as_it_can_be_promoted(workspace_with_store: Workspace) -> None:
    workspace = workspace_with_store
    fitted = Fitted("churn", {}, {"means": np.arange(3.0)}, {"seed": 1})
    runs = [register(workspace, GOOD, fitted=each) for each in (fitted, fitted, fitted.with_meta(seed=2))]
    digest = fitted.with_meta(as_of=AS_OF, declared=dict(declared("churn"))).digest()
    assert registry.twin(workspace, "churn", digest) == (2, runs[1])
    assert registry.twin(workspace, "churn", "0" * 64) is None
    assert registry.twin(workspace, "decline", digest) is None
    tracking.artifact(workspace, runs[1], tracking.CHOICE).write_bytes(b"no table")
    assert registry.twin(workspace, "churn", digest) == (1, runs[0])
    said = registry.unfit(workspace, runs[1])
    assert said is not None
    assert "is damaged and cannot be read" in said
    (tracking.artifact(workspace, runs[0], tracking.MODEL) / "arrays.npz").unlink()
    assert registry.twin(workspace, "churn", digest) is None

    # A run that found its model there is asked for by its own id.
    tags = {"task": "churn", "as_of": "2017-10-28", "seed": 0, "setting": "{}", "budget": "{}"}
    with tracking.new_run(workspace, "churn") as again:
        tracking.log(workspace, again, metrics={}, params={}, tags={**tags, registry.TWIN: 2})
    assert registry.challenger(workspace, "churn", again) == (2, runs[1])


@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "facts", "no facts", "other facts"])
def test_damaged_files_are_refused_in_a_sentence(workspace_with_store: Workspace, damage: str) -> None:
    workspace = workspace_with_store
    fitted = Fitted("churn", {}, {"means": np.arange(300.0)}, {})
    run_id = register(workspace, GOOD, fitted=fitted)
    champions.crown(workspace, "churn", 1)
    assert registry.champion(workspace, "churn") is not None
    folder = tracking.artifact(workspace, run_id, tracking.MODEL)
    file = folder / ("meta.json" if "facts" in damage else "arrays.npz")
    match damage:
        case "changed":
            np.savez(file, means=np.arange(300.0) + 1)
        case "cut":
            file.write_bytes(file.read_bytes()[:600])
        case "missing":
            file.unlink()
        case "other facts":
            write_json(file, {**read_json(file), "as_of": 1})
        case "facts":
            file.write_text(file.read_text(encoding="utf-8")[:50], encoding="utf-8")
        case _:
            write_json(file, {"seed": 1})
    with pytest.raises(UserError, match=r"model churn is damaged.*nextbest train churn") as refused:
        registry.champion(workspace, "churn")
    assert refused.value.exit_code is ExitCode.NOT_BUILT
    assert "--rollback" not in str(refused.value), "there is no former champion"
    assert registry.refusal(workspace, run_id) is not None
    # The next version takes its place as it does that of one with other declarations.
    register(workspace, GOOD)
    verdict = promotion.promote(workspace, "churn")
    assert verdict.promoted
    assert "gone or damaged" in verdict.sentence
