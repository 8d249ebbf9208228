from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from features.build import built_from, open_store
from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.publishing import generations, publish, sweep
from features.quality import profile
from features.workspace import Workspace


def write(target: Path, content: str) -> None:
    with publish(target) as folder:
        (folder / "data").write_text(content)


def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write(target, "first")
    with publish(target) as folder:
        (folder / "data").write_text("second")
        assert (target / "data").read_text() == "first"
    assert (target / "data").read_text() == "second"
    assert len(list(generations(target).iterdir())) == 1


def test_a_failed_build_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "first")
    with pytest.raises(IsADirectoryError), publish(target) as folder:
        folder.write_text("a folder is no file")
    assert (target / "data").read_text() == "first"
    assert len(list(generations(target).iterdir())) == 1


def test_what_a_killed_build_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    (generations(target) / "out-half").mkdir(parents=True)
    write(target, "whole")
    assert [path.name for path in generations(target).iterdir()] == [target.resolve().name]


def test_folders_whose_names_begin_alike_do_not_touch_each_other(tmp_path: Path) -> None:
    write(tmp_path / "out-2017", "old")
    write(tmp_path / "out", "new")
    write(tmp_path / "out", "newer")
    assert (tmp_path / "out-2017" / "data").read_text() == "old"


def test_a_sweep_leaves_what_is_published_alone(tmp_path: Path) -> None:
    target = tmp_path / "out"
    sweep(target)
    write(target, "whole")
    # A build killed while it wrote, and one killed between its link and the renaming of it.
    (generations(target) / "out-half").mkdir()
    (generations(target) / "out-half.link").symlink_to("nowhere")
    sweep(target)
    assert (target / "data").read_text() == "whole"
    assert [path.name for path in generations(target).iterdir()] == [target.resolve().name]


@dataclass(frozen=True)
class Killed:
    """A command that is killed again and again, each time a little later.

    Attributes:
        arguments: of the command.
        begun: pattern under the workspace; it works from when more paths match it than before.
    """

    arguments: tuple[str, ...]
    begun: str

    def run(self, workspace: Workspace, seconds: float | None = None) -> float:
        """Run the command, killed so long after it began; the seconds that its work took."""
        before = set(workspace.root.glob(self.begun))
        command = [sys.executable, "-m", "cli", *self.arguments, "--workspace", str(workspace.root)]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            while process.poll() is None and set(workspace.root.glob(self.begun)) <= before:
                time.sleep(0.002)
            started = time.perf_counter()
            if seconds is not None:
                time.sleep(seconds)
                process.kill()
            _, said = process.communicate(timeout=120)
        assert seconds is not None or process.returncode == 0, said
        return time.perf_counter() - started


def copy_of(workspace: Workspace, folder: Path) -> Workspace:
    shutil.copytree(workspace.root, folder, symlinks=True)
    return Workspace(folder)


def leftovers(workspace: Workspace) -> list[str]:
    published = {workspace.tables, workspace.quarantine, workspace.features}
    stray = [
        path
        for target in published
        for path in (generations(target).iterdir() if generations(target).exists() else ())
        if path != target.resolve()
    ]
    return [str(path) for path in [*stray, *workspace.root.glob(".ingest-*")]]


def tables_state(workspace: Workspace) -> tuple[str, int]:
    """The fingerprint that the tables state and, counted in each of them, their rows."""
    canonical = Canonical.open(workspace)
    with canonical.connect() as opened:
        rows = {
            name: opened.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in canonical.tables
        }
    assert (
        rows
        == canonical.profile["rows"]
        == {n: p.whole.rows for n, p in profile.read(canonical.folder).items()}
    )
    return canonical.profile["fingerprint"], sum(rows.values())


def test_an_ingest_killed_at_any_moment_leaves_the_tables_whole(slice_source: Path, tmp_path: Path) -> None:
    old_source = tmp_path / "source"
    shutil.copytree(slice_source, old_source)
    duckdb.connect().execute(
        f"COPY (FROM '{slice_source}/transactions.parquet' WHERE occurred_at < TIMESTAMP '2017-10-01') "
        f"TO '{old_source}/transactions.parquet'"
    )
    earlier = Workspace(tmp_path / "earlier")
    ingest(earlier, str(old_source))
    killed = Killed(("ingest", "--source", str(slice_source)), ".ingest-*")
    whole = copy_of(earlier, tmp_path / "whole")
    took = killed.run(whole)
    states = {tables_state(earlier): "old", tables_state(whole): "new"}
    assert len(states) == 2
    workspace = copy_of(earlier, tmp_path / "killed")
    found = []
    for share in (0.0, 0.4, 0.8):
        killed.run(workspace, share * took)
        found.append(states[tables_state(workspace)])
    assert found == sorted(found, reverse=True)
    killed.run(workspace)
    assert states[tables_state(workspace)] == "new"
    assert leftovers(workspace) == []


def test_a_build_killed_at_any_moment_leaves_the_features_whole(
    ingested_slice: Workspace, tmp_path: Path
) -> None:
    workspace = copy_of(ingested_slice, tmp_path / "killed")
    killed = Killed(("features", "build", "--force"), ".features.generations/*")
    # Killed before there is anything: there is nothing, or all of it where the machine was slow to kill.
    killed.run(workspace, 0.0)
    assert not workspace.features.exists() or built_from(Canonical.open(workspace)) is not None
    took = killed.run(workspace)
    with closing(open_store(workspace)) as store:
        customers = store.customers()
    for share in (0.3, 0.8):
        killed.run(workspace, share * took)
        assert built_from(Canonical.open(workspace)) is not None
        with closing(open_store(workspace)) as store:
            assert store.customers() == customers
            assert store.get(customers[-1]) is not None
    killed.run(workspace)
    assert leftovers(workspace) == []
