from __future__ import annotations

import json
import shutil

import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import BLIND, GOOD, register
from training.fitted import Fitted
from training.registry import champions, promotion, registry, store, tracking


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
    assert "churn version 6 (as of 2017-12-02) is champion again, version 7 is withdrawn" in back.sentence
    assert serving(workspace) == 6
    assert registry.version_tags(workspace, "churn", 6)["verdict"] == back.sentence

    # What was taken back stays back until it is named.
    verdict = promotion.promote(workspace, "churn")
    assert not verdict.promoted
    assert "was withdrawn by a rollback" in verdict.sentence
    runs = dict(registry.versions(workspace, "churn"))
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
