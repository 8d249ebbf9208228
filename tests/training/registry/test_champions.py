from __future__ import annotations

import json
import shutil

import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import BLIND, GOOD, SQUARED, register
from training.fitted import Fitted
from training.registry import champions, models_app, promotion, registry, store, tracking


@pytest.fixture
def workspace(workspace_with_store: Workspace) -> Workspace:
    return workspace_with_store


def serving(workspace: Workspace) -> int:
    found = registry.champion_version(workspace, "churn")
    assert found is not None
    return found[0]


def test_the_last_five_are_kept_and_restored_one_by_one(workspace: Workspace) -> None:
    assert registry.former(workspace, "churn") == []
    with pytest.raises(UserError, match="churn has no champion"):
        champions.rollback(workspace, "churn")
    for week in range(7):
        register(workspace, GOOD, as_of=AS_OF + 7 * week)
        assert promotion.promote(workspace, "churn").promoted
    assert registry.former(workspace, "churn") == [6, 5, 4, 3, 2]

    back = champions.rollback(workspace, "churn")
    assert (back.version, back.left, back.former) == (6, 7, [5, 4, 3, 2])
    runs = dict(registry.versions(workspace, "churn"))
    assert back.sentence == (
        "churn version 6 (as of 2017-12-02) became champion again by a rollback from version 7, which comes "
        f"back only when its run is named: `nextbest promote churn --run {runs[7]}`."
    )
    assert serving(workspace) == 6
    assert registry.version_tags(workspace, "churn", 6)["verdict"] == back.sentence

    # What was taken back stays back until it is named.
    verdict = promotion.promote(workspace, "churn")
    assert not verdict.promoted
    assert "was withdrawn by a rollback" in verdict.sentence
    assert promotion.promote(workspace, "churn", runs[7]).promoted
    assert registry.former(workspace, "churn") == [6, 5, 4, 3, 2]
    assert champions.WITHDRAWN not in registry.version_tags(workspace, "churn", 7)

    # One of them by name; those in between are forgotten.
    with pytest.raises(UserError, match=f"run {runs[7]} is not among the kept"):
        champions.rollback(workspace, "churn", runs[7])
    assert champions.rollback(workspace, "churn", runs[4]).former == [3, 2]
    assert [champions.rollback(workspace, "churn").version for _ in range(2)] == [3, 2]
    with pytest.raises(UserError, match="churn version 2 is the only champion that is kept") as refused:
        champions.rollback(workspace, "churn")
    assert refused.value.exit_code is ExitCode.NOT_BUILT
    assert serving(workspace) == 2


def test_the_warning_about_calibration_comes_back_with_the_version(workspace: Workspace) -> None:
    register(workspace, SQUARED)
    first = promotion.promote(workspace, "churn")
    warned = first.sentence[first.sentence.index(" WARNING: its calibration error is 0.1700, above the ") :]
    register(workspace, GOOD)
    assert promotion.promote(workspace, "churn").promoted
    back = champions.rollback(workspace, "churn")
    assert back.sentence.endswith(warned)
    said = models_app.standing(workspace, "churn")
    assert (said.verdict, said.gate) == (back.sentence, "failed")


def test_what_is_said_after_several_rollbacks_agrees(workspace: Workspace) -> None:
    for week in range(3):
        register(workspace, GOOD, as_of=AS_OF + 7 * week)
        promotion.promote(workspace, "churn")
    runs = dict(registry.versions(workspace, "churn"))
    for version in (2, 1):
        champions.rollback(workspace, "churn")
        said = models_app.standing(workspace, "churn")
        assert said.champion == version
        assert f"version {version} (as of " in (said.verdict or "")
        assert f"by a rollback from version {version + 1}," in (said.verdict or "")
        assert said.latest_verdict == (
            "churn version 3 was withdrawn by a rollback to version 2 and comes back only when its run is "
            f"named: `nextbest promote churn --run {runs[3]}`."
        )


def test_a_verdict_about_another_champion_is_not_repeated(workspace: Workspace) -> None:
    for week, model in enumerate((BLIND, GOOD, BLIND)):
        register(workspace, model, as_of=AS_OF + 7 * week)
        promotion.promote(workspace, "churn")
    assert "version 2 stays champion" in (models_app.standing(workspace, "churn").latest_verdict or "")
    champions.rollback(workspace, "churn")
    said = models_app.standing(workspace, "churn").latest_verdict
    assert said == (
        "churn version 3 was not compared with version 1, the champion: "
        "`nextbest promote churn` compares them."
    )


def test_one_that_was_champion_is_not_said_to_take_a_place(workspace: Workspace) -> None:
    first = register(workspace, GOOD)
    register(workspace, BLIND)
    assert promotion.promote(workspace, "churn").promoted
    assert promotion.promote(workspace, "churn", first).promoted
    said = models_app.standing(workspace, "churn")
    assert (said.champion, said.latest) == (1, 2)
    assert said.latest_verdict == "churn version 2 was champion before; now version 1 is."


def test_one_that_can_no_longer_be_used_is_not_restored(workspace: Workspace) -> None:
    first = register(workspace, BLIND)
    promotion.promote(workspace, "churn")
    foreign = Fitted("churn", {}, {}, {"reads": ["gone"], "declarations_hash": "0" * 64})
    second = register(workspace, BLIND, as_of=AS_OF + 7, fitted=foreign)
    champions.crown(workspace, "churn", 2)
    register(workspace, GOOD)
    promotion.promote(workspace, "churn")
    assert registry.former(workspace, "churn") == [2, 1]
    with pytest.raises(UserError, match=rf"version 2 cannot be restored.*'gone'.*--run {first}"):
        champions.rollback(workspace, "churn")
    shutil.rmtree(tracking.artifact(workspace, first, tracking.MODEL))
    with pytest.raises(UserError, match=r"version 1 cannot be restored.*its files were removed"):
        champions.rollback(workspace, "churn", first)
    assert serving(workspace) == 3
    assert second in dict(registry.versions(workspace, "churn")).values()


def test_a_damaged_champion_says_the_way_back_when_there_is_one(workspace: Workspace) -> None:
    runs = []
    for week in range(2):
        assert not registry.restorable(workspace, "churn")
        runs.append(register(workspace, GOOD, as_of=AS_OF + 7 * week))
        assert promotion.promote(workspace, "churn").promoted
    assert registry.restorable(workspace, "churn")
    (tracking.artifact(workspace, runs[1], tracking.MODEL) / "meta.json").unlink()
    with pytest.raises(UserError, match=r"is damaged.*\. Or go .*`nextbest promote churn --rollback`\."):
        registry.champion(workspace, "churn")
    (tracking.artifact(workspace, runs[0], tracking.MODEL) / "meta.json").unlink()
    assert not registry.restorable(workspace, "churn")
    with pytest.raises(UserError, match="is damaged") as refused:
        registry.champion(workspace, "churn")
    assert "--rollback" not in str(refused.value)


def test_a_list_written_before_the_alias_moved_is_read_rightly(workspace: Workspace) -> None:
    for _ in range(2):
        register(workspace, GOOD)
    champions.crown(workspace, "churn", 1)
    store.client(workspace).set_registered_model_tag("churn", registry.FORMER, json.dumps([1]))
    assert registry.former(workspace, "churn") == []
    champions.crown(workspace, "churn", 2)
    champions.crown(workspace, "churn", 1)
    champions.crown(workspace, "churn", 1)
    assert registry.former(workspace, "churn") == [2]
