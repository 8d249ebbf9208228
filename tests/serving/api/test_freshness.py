"""What changes under a running service."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.build import build
from features.errors import UserError
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.api.freshness import MODELS_EVERY, Freshness
from serving.api.metrics import Counters
from serving.batch import nightly as batch
from serving.catalogue import actions
from serving.scoring.scorer import Champions
from training.registry import registry, store


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def opened(slice_copy: Workspace) -> Engine:
    return Engine.open(slice_copy)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refresh(opened: Engine, clock: Clock) -> Callable[[Engine], Engine]:
    """Looks, the first look done."""
    found = Freshness(opened, Counters.make(), clock=clock).refreshed
    found(opened)
    return found


def stale(part: str) -> float:
    return float(Counters.make().stale.labels(part)._value.get())


def written(workspace: Workspace, text: str) -> None:
    """Replace the workspace's catalogue, as `decide activate` does."""
    aside = workspace.root / "actions.new"
    aside.write_text(text, encoding="utf-8")
    aside.replace(workspace.root / "actions.yaml")


def test_nothing_new_changes_nothing(opened: Engine, refresh: Callable[[Engine], Engine]) -> None:
    assert refresh(opened) is opened


def test_a_new_catalogue_is_taken_up(opened: Engine, refresh: Callable[[Engine], Engine]) -> None:
    text = actions.PACKAGED.read_text(encoding="utf-8")
    written(opened.workspace, text.replace("A word of thanks", "Many thanks"))
    after = refresh(opened)
    assert after.catalogue.version != opened.catalogue.version
    assert after.catalogue.action("thank_you").name.en == "Many thanks"
    assert after.champions is opened.champions
    assert refresh(after) is after


def test_a_catalogue_that_is_not_valid_leaves_the_last_good_one_and_says_so(
    opened: Engine, refresh: Callable[[Engine], Engine]
) -> None:
    text = actions.PACKAGED.read_text(encoding="utf-8")
    written(opened.workspace, text.replace("spend_182", "spent_182"))
    after = refresh(opened)
    assert after.catalogue is opened.catalogue
    (sentence,) = set(after.degraded()) - set(opened.degraded())
    assert sentence.startswith("catalogue: the last good one is in use (actions.yaml: ")
    assert stale("catalogue") == 1
    # Several things are wrong with it; an answer says them in one line.
    assert after.stale[0].count("spent_182") > 1
    assert "\n" not in after.stale[0]
    assert refresh(after) is after
    written(opened.workspace, text)
    mended = refresh(after)
    assert mended.degraded() == opened.degraded()
    assert stale("catalogue") == 0


def test_a_new_champion_is_taken_up_and_only_that_one_is_loaded(
    opened: Engine, refresh: Callable[[Engine], Engine], clock: Clock
) -> None:
    workspace = opened.workspace
    client = store.client(workspace)
    held = opened.champions.registered["churn"]
    source = client.get_model_version("churn", str(held.version)).source
    again = client.create_model_version("churn", source, held.run_id)
    client.set_registered_model_alias("churn", registry.ALIAS, again.version)
    assert refresh(opened) is opened
    clock.now += MODELS_EVERY
    after = refresh(opened)
    assert after.champions.versions["churn"] == (int(again.version), held.run_id)
    others = set(opened.champions.registered) - {"churn"}
    assert all(after.champions.registered[t] is opened.champions.registered[t] for t in others)
    assert Champions.in_registry(workspace) == after.champions.versions
    # What stands beside another model is not made again.
    assert opened.beside is not None
    assert after.beside is opened.beside
    clock.now += MODELS_EVERY
    assert refresh(after) is after


def test_the_scores_of_a_new_batch_are_taken_up(
    opened: Engine, refresh: Callable[[Engine], Engine], tmp_path: Path
) -> None:
    before = refresh(opened)
    opened.workspace.scores.rename(tmp_path / "scores")
    without = refresh(before)
    assert without.kept is None
    batch.score(opened.workspace)
    after = refresh(without)
    assert after.kept is not None
    assert len(after.kept.keys) == len(opened.store.customers())
    assert refresh(after) is after


def test_a_champion_that_does_not_load_leaves_the_last_good_one(
    opened: Engine, refresh: Callable[[Engine], Engine], clock: Clock
) -> None:
    workspace = opened.workspace
    client = store.client(workspace)
    held = opened.champions.registered["churn"]
    other = opened.champions.registered["decline"]
    source = client.get_model_version("decline", str(other.version)).source
    wrong = client.create_model_version("churn", source, other.run_id)
    for file in _files(workspace, other.run_id):
        os.truncate(file, 3)
    client.set_registered_model_alias("churn", registry.ALIAS, wrong.version)
    clock.now += MODELS_EVERY
    after = refresh(opened)
    assert after.champions.registered["churn"] is held
    assert any(line.startswith("models: the last good one is in use (") for line in after.degraded())
    assert stale("models") == 1
    # Customers that are built anew are answered for by it, too.
    build(workspace, force=True)
    with pytest.raises(UserError):
        Engine.open(workspace)
    again = Engine.open(workspace, champions=after.champions)
    assert again.champions.registered["churn"] is held
    # Back to the good one, nothing is stale any more.
    client.set_registered_model_alias("churn", registry.ALIAS, str(held.version))
    clock.now += MODELS_EVERY
    assert refresh(after).degraded() == opened.degraded()
    assert stale("models") == 0


def test_a_part_with_a_defect_keeps_no_other_from_being_taken_up(
    opened: Engine, refresh: Callable[[Engine], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.workspace.effects.write_text('{"format": 1}')
    text = actions.PACKAGED.read_text(encoding="utf-8")
    written(opened.workspace, text.replace("A word of thanks", "Many thanks"))
    after = refresh(opened)
    assert after.catalogue.version != opened.catalogue.version
    assert "does not hold measurements ('measured')" in after.degraded()[-1]
    assert str(opened.workspace.root) not in after.degraded()[-1]

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("serving.api.freshness.Effects.read", broken)
    opened.workspace.effects.write_text('{"format": 2}')
    again = refresh(after)
    assert "effects: the last good one is in use (an unexpected error" in again.degraded()[-1]


def _files(workspace: Workspace, run_id: str) -> list[Path]:
    from training.registry import tracking

    folder = tracking.artifact(workspace, run_id, tracking.MODEL)
    return [file for file in Path(folder).rglob("*") if file.is_file()]
