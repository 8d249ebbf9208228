from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from features.canonical import Canonical
from features.errors import ExitCode
from features.json_file import read_json, write_json
from features.migrations import SCHEMA_VERSION
from features.quality.review import HISTORY_FILE
from features.quality.shifts import Shift
from features.workspace import Workspace
from serving import status
from serving.publishing import MANIFEST
from tests.conftest import done, nextbest
from training.registry import registry, tracking
from training.tasks import TASKS


@pytest.fixture
def workspace(slice_copy: Workspace) -> Workspace:
    return slice_copy


def behind(workspace: Workspace) -> dict[str, str | None]:
    return {link.name: link.behind for link in status.inspect(workspace).links}


def test_a_whole_workspace_is_fresh(workspace: Workspace) -> None:
    found = status.inspect(workspace)
    assert found.fresh
    assert set(behind(workspace).values()) == {None}
    assert found.schema_version == SCHEMA_VERSION
    assert found.writer is None
    assert found.size_bytes > 1_000_000
    assert {link.as_of for link in found.links if link.built} == {"2018-01-01"}


def test_newer_tables_put_everything_behind(workspace: Workspace) -> None:
    canonical = Canonical.open(workspace)
    fewer = canonical.last_day - 30
    with workspace.publish(workspace.tables) as folder:
        canonical.cut(fewer, folder)
        content = read_json(folder / "source.json")
        rows = dict.fromkeys(canonical.tables, 1)
        write_json(folder / "source.json", {**content, "profile": {"rows": rows, "fingerprint": "other"}})
    found = behind(workspace)
    assert found.pop("tables") is None
    # Nobody was contacted in the slice: a model of responses is not expected of it.
    assert [name for name, reason in found.items() if not reason] == ["response"]


def test_scores_of_other_models_are_behind(workspace: Workspace) -> None:
    manifest = read_json(workspace.scores / MANIFEST)
    manifest["models"]["churn"]["run_id"] = "another"
    write_json(workspace.scores / MANIFEST, manifest)
    found = behind(workspace)
    assert found.pop("scores") == "made by other models than the champions: run `nextbest score`"
    assert set(found.values()) == {None}


def test_advice_about_stale_models_is_given_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Canonical.open(workspace).clock_day + 3
    monkeypatch.setattr(Canonical, "clock_day", property(lambda _: later))
    found = status.inspect(workspace)
    champions = [link for link in found.links if link.champion and link.built]
    assert {link.behind for link in champions} == {"3 days behind the tables"}
    names = [link.name for link in champions]
    assert len(names) == len(TASKS) - 1
    assert found.advice is not None
    assert found.advice.endswith(f": run `nextbest train {' '.join(names)}` and `nextbest promote --all`.")
    said = "\n".join(line for line in status.lines(found) if isinstance(line, str))
    assert said.count("nextbest train") == said.count("nextbest promote") == 1


def test_advice_about_damaged_models_is_given_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status.inspect(workspace).advice is None
    champions = {link.name: link.run_id for link in status.inspect(workspace).links if link.run_id}
    for task in ("churn", "value"):
        run_id = champions[task]
        assert run_id is not None
        (tracking.artifact(workspace, run_id, tracking.MODEL) / "meta.json").write_text("{}")
    found = status.inspect(workspace)
    said = {link.name: link.behind for link in found.links if link.unusable}
    assert set(said) == {"churn", "value"}
    assert not found.fresh
    for reason in said.values():
        assert reason is not None
        assert reason.startswith("it cannot be used: it is damaged, ")
        assert "nextbest" not in reason
    assert found.advice is not None
    assert found.advice.endswith("or run `nextbest train churn value` and `nextbest promote --all`.")
    said = done(nextbest("status", workspace=workspace))
    assert said.count("nextbest train") == 1
    monkeypatch.setattr(registry, "restorable", lambda *_: False)
    assert "--rollback" not in (status.inspect(workspace).advice or "")
    monkeypatch.setattr(registry, "restorable", lambda _, task: task == "value")
    back = status.inspect(workspace).advice
    assert back is not None
    assert "go back to a former one (`nextbest promote value --rollback`), or run `nextbest train" in back
    assert back.count("--rollback") == 1


def test_an_ingested_workspace_says_what_to_run_next(workspace: Workspace) -> None:
    for part in ("features", "scores", "mlflow.db"):
        path = workspace.root / part
        path.unlink()
    found = behind(workspace)
    assert found["features"] == "run `nextbest features build`"
    assert found["churn"] == "not there yet"
    advice = status.inspect(workspace).advice
    assert advice is not None
    assert "run `nextbest train churn " in advice
    assert found["scores"] == "run `nextbest score`"


def test_no_workspace_is_not_an_error_and_makes_none(tmp_path: Path) -> None:
    said = done(nextbest("status", workspace=tmp_path / "none"))
    assert "nothing here yet" in said
    assert not (tmp_path / "none").exists()
    asked = json.loads(done(nextbest("status", "--json", workspace=tmp_path / "none")))
    assert asked["exists"] is False
    assert asked["fresh"] is False


def test_an_empty_workspace_says_what_to_run(tmp_path: Path) -> None:
    assert behind(Workspace(tmp_path).create()) == {"tables": "run `nextbest ingest`"}


def test_the_writer_is_named_while_it_writes(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.lock("train"):
        holder = status.writer(workspace)
        assert holder is not None
        assert (holder["purpose"], holder["pid"]) == ("train", os.getpid())
        said = done(nextbest("status", workspace=workspace))
        assert "`nextbest train` is writing" in said
        refused = nextbest("ingest", "--source", "complete-journey", workspace=workspace)
        assert refused.returncode == ExitCode.LOCKED
    assert status.writer(workspace) is None


def test_a_killed_writer_does_not_count(tmp_path: Path) -> None:
    write_json(tmp_path / "lock.json", {"purpose": "train", "pid": 2**22 + 1, "since": "then"})
    assert status.writer(Workspace(tmp_path)) is None


def test_lines_for_people(workspace: Workspace) -> None:
    said = done(nextbest("status", workspace=workspace))
    assert "fresh" in said.splitlines()[0]
    assert "source slice, America/New_York, USD" in said


def test_a_task_that_the_source_cannot_support_is_not_behind(workspace_without_products: Workspace) -> None:
    found = status.inspect(workspace_without_products)
    link = next(each for each in found.links if each.name == "recommendation")
    assert found.fresh
    assert (link.built, link.behind) == (False, None)
    assert link.says.startswith("not possible with this source: ")
    assert "product_id" in link.says


@pytest.mark.parametrize("file", ["features/store.db", "scores/actions.parquet"])
def test_a_lost_file_is_named(workspace: Workspace, file: str) -> None:
    (workspace.root / file).unlink()
    part, name = file.split("/")
    said = behind(workspace)[part]
    assert said is not None
    assert said.startswith(f"{name} is missing: run `nextbest ")


def test_a_source_without_a_currency_leaves_no_comma(workspace: Workspace) -> None:
    stated = read_json(workspace.tables / "source.json")
    write_json(workspace.tables / "source.json", {**stated, "currency": ""})
    assert "source slice, America/New_York" in status.lines(status.inspect(workspace))


def test_shifts_of_the_last_ingest_are_said(workspace: Workspace) -> None:
    assert status.inspect(workspace).shifts == ()
    kept = read_json(workspace.tables / HISTORY_FILE)
    shift = Shift("transactions", "", "late", 0.0, 0.2, 0.05, "transactions: 20% became known later")
    kept["ingests"][-1]["shifts"] = [asdict(shift)]
    write_json(workspace.tables / HISTORY_FILE, kept)
    found = status.inspect(workspace)
    assert found.shifts == (shift.says,)
    assert found.fresh
    assert f"warning: {shift.says}" in status.lines(found)


def test_run_ids_are_whole_when_piped(workspace: Workspace) -> None:
    said = done(nextbest("status", workspace=workspace))
    runs = {link.name: link.run_id for link in status.inspect(workspace).links if link.run_id}
    assert set(runs) == set(TASKS) - {"response"}
    for task, run_id in runs.items():
        assert f"{task}: run {run_id}" in said.splitlines()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("{", ExitCode.NOT_BUILT, "workspace.json cannot be read as JSON"),
        ('{"schema_version": 99}', ExitCode.USAGE, "newer than this nextbest"),
        ('{"schema_version": 1}', ExitCode.USAGE, "Any other command brings it up to date"),
    ],
)
def test_a_workspace_of_another_kind_is_one_sentence(
    tmp_path: Path, content: str, code: ExitCode, said: str
) -> None:
    (tmp_path / "workspace.json").write_text(content)
    refused = nextbest("status", workspace=tmp_path)
    assert refused.returncode == code
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
