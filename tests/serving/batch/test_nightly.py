from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features import clock
from features.build import open_store
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.json_file import read_json
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.batch import population
from serving.scoring import scores
from tests.features import posting


@pytest.fixture(scope="module")
def out(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of the slice at two places."""
    folder = tmp_path_factory.mktemp("batch") / "out"
    batch.score(slice_workspace, out=folder, places=["app", "campaign", "app"])
    return folder


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(out / f"{name}.parquet").to_pylist()
    return found


def test_everybody_seen_before_the_as_of_has_one_row(out: Path, slice_workspace: Workspace) -> None:
    canonical = Canonical.open(slice_workspace)
    with canonical.connect() as connection:
        seen = [
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT customer_id FROM transactions ORDER BY 1"
            ).fetchall()
        ]
    scored = rows(out, "scores")
    assert [row["customer_id"] for row in scored] == seen
    for row in scored:
        assert row["as_of"] == clock.to_date(canonical.clock_day)
        assert row["status"] == "ok"
        assert None not in (row["churn_probability"], row["p_visit_7"], row["expected_days"])
        for task in ("churn", "next_purchase"):
            shrunk = row[f"{task}_basis"] == "shrunk"
            assert shrunk == (row[f"{task}_own_weight"] is not None) == (row[f"{task}_parent"] is not None)
    assert {row["churn_basis"] for row in scored} == {"model", "shrunk"}


def test_everybody_has_ten_products_of_each_kind(out: Path) -> None:
    lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows(out, "recommendations"):
        lists.setdefault((row["customer_id"], row["kind"]), []).append(row)
    assert len(lists) == 2 * len(rows(out, "scores"))
    for found in lists.values():
        assert [row["rank"] for row in found] == list(range(1, 11))
        assert len({row["product_id"] for row in found}) == 10
        order = [(-row["score"], row["product_id"]) for row in found]
        assert order == sorted(order)


def test_everybody_has_ranked_actions_or_none_at_each_place(out: Path) -> None:
    decided: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows(out, "actions"):
        decided.setdefault((row["customer_id"], row["place"]), []).append(row)
    assert {place for _, place in decided} == {"app", "campaign"}
    assert len(decided) == 2 * len(rows(out, "scores"))
    none = 0
    for found in decided.values():
        assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
        assert len({row["decision_id"] for row in found}) == 1
        if found[0]["action_id"] == "none":
            none += 1
            assert len(found) == 1
            assert (found[0]["channel"], found[0]["expected_value_cents"], found[0]["reasons"]) == (
                None,
                0,
                [],
            )
            continue
        for row in found:
            assert row["expected_value_cents"] > 0
            assert row["reasons"]
            assert all(str(reason["feature"]) and ": " in reason["text"] for reason in row["reasons"])
    assert 0 < none < len(decided)
    assert len({found[0]["decision_id"] for found in decided.values()}) == len(decided)


def test_no_action_wins_for_nearly_all_and_many_get_none(out: Path) -> None:
    counts = read_json(out / "manifest.json")["counts"]
    for best in counts["best_action"].values():
        assert max(best.values()) < 0.8 * counts["customers"]
        assert best["none"] > 0.05 * counts["customers"]
        assert len(best) >= 5


def test_the_manifest_says_what_it_was_made_from(out: Path, slice_workspace: Workspace) -> None:
    manifest = read_json(out / "manifest.json")
    canonical = Canonical.open(slice_workspace)
    assert manifest["as_of"] == str(clock.to_date(canonical.clock_day))
    assert manifest["data_fingerprint"] == canonical.fingerprint(canonical.clock_day)
    assert set(manifest["models"]) == set(scores.TASKS) - {"response"}
    assert all(model["run_id"] and model["version"] for model in manifest["models"].values())
    assert manifest["future_model"] is False
    assert manifest["places"] == ["app", "campaign"]
    assert manifest["counts"]["rows"] == {
        name: len(rows(out, name)) for name in ("scores", "recommendations", "actions", "decisions")
    }
    assert manifest["times"]["customers_per_second"] > 0


def test_the_same_batch_again_gives_the_same_bytes(
    out: Path, slice_workspace: Workspace, tmp_path: Path
) -> None:
    batch.score(slice_workspace, out=tmp_path / "again", places=["app", "campaign"])
    for name in batch.SCHEMAS:
        assert (out / f"{name}.parquet").read_bytes() == (tmp_path / "again" / f"{name}.parquet").read_bytes()


def test_what_became_known_in_between_makes_another_decision_of_that_customer_only(
    slice_copy: Workspace, slice_customer: str, tmp_path: Path
) -> None:
    def decided(name: str) -> dict[str, str]:
        batch.score(slice_copy, out=tmp_path / name, places=["app"])
        found = pq.read_table(tmp_path / name / "actions.parquet", columns=["customer_id", "decision_id"])
        return dict(zip(*(column.to_pylist() for column in found.columns), strict=True))

    before = decided("before")
    complaint = {"table": "service_events", "event_id": "1", "kind": "complaint"}
    complaint |= {"customer_id": slice_customer, "occurred_at": "2017-12-30T10:00:00-05:00"}
    assert all(posting.post(slice_copy, open_store(slice_copy), [complaint]))
    after = decided("after")
    assert [name for name in before if before[name] != after[name]] == [slice_customer]


def test_the_size_of_a_chunk_changes_nothing(
    out: Path, slice_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "CHUNK", 37)
    batch.score(slice_workspace, out=tmp_path / "small", places=["app", "campaign"])
    for name in ("scores", "recommendations"):
        assert rows(tmp_path / "small", name) == rows(out, name)

    def ordered(folder: Path) -> list[dict[str, Any]]:
        return sorted(
            rows(folder, "actions"), key=lambda row: (row["customer_id"], row["place"], row["rank"])
        )

    assert ordered(tmp_path / "small") == ordered(out)


def test_a_champion_from_the_future_is_refused_unless_allowed(
    slice_workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="would know the future"):
        batch.score(slice_workspace, as_of="2017-09-01", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = batch.score(slice_workspace, as_of="2017-09-01", out=tmp_path / "out", allow_future_model=True)
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert manifest["future_model"] is True
    assert all(model["future"] for model in manifest["models"].values())
    assert report.as_of == "2017-09-01"


def test_a_day_after_the_clock_and_a_wrong_place_are_refused(
    slice_workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="after the workspace's clock"):
        batch.score(slice_workspace, as_of="2018-06-01", out=tmp_path / "out")
    with pytest.raises(UserError, match="did you mean 'till'"):
        batch.score(slice_workspace, places=["tll"], out=tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(UserError, match="was not made by this command"):
        batch.score(slice_workspace, out=tmp_path / "mine")
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_an_empty_workspace_says_what_to_run(tmp_path: Path) -> None:
    for call in (batch.score, Engine.open):
        with pytest.raises(UserError, match="nextbest ingest") as caught:
            call(Workspace(tmp_path))
        assert caught.value.exit_code == ExitCode.NOT_BUILT
