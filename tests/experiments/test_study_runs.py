"""Which runs a study has, cutoffs that it refuses, and that no run is done twice, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from experiments import study_job
from experiments.study import Variant
from experiments.study_job import Workbench
from experiments.study_runs import choice_snapshots, jobs_of, lay_out, run_all
from features.clock import to_date
from features.errors import UserError
from features.workspace import Workspace
from tests.experiments.conftest import CHOICES_UNTIL, FIXED, small
from tests.training.conftest import make, visits
from training.registry import tracking

TWO = (Variant("all", setting=FIXED), Variant("tenure", options={"features": ["tenure_days"]}, setting=FIXED))
KILLED = """
from pathlib import Path
from experiments.study_runs import choice_snapshots, lay_out, run_all
from features.workspace import Workspace
from tests.experiments.conftest import small
from tests.experiments.test_study_runs import TWO
from training.registry import tracking

if __name__ == "__main__":
    tracking.code_version = lambda: {code!r}
    space = Workspace(Path({root!r}))
    study, snapshots = small(variants=TWO, seeds=(0, 1)), choice_snapshots(space)
    run_all(study, space, snapshots, lay_out(study, snapshots), workers=2)
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """The small world in a workspace of the test's own."""
    return make(tmp_path, visits(), f"choices_until = {CHOICES_UNTIL}\n")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the runs that are done from now on."""
    keys: list[str] = []
    do = Workbench.do

    def noted(self: Workbench, job: study_job.Job, key: str) -> None:
        keys.append(key)
        do(self, job, key)

    monkeypatch.setattr(Workbench, "do", noted)
    return keys


def test_every_variant_runs_with_every_seed_on_every_task(snapshots_of_world):
    study = small(tasks=("churn", "next_purchase"), variants=(Variant("a"), Variant("b", trials=3)))
    pairs = list(jobs_of(study, lay_out(study, snapshots_of_world)))
    assert len(pairs) == study.count == 2 * 2 * 2
    assert [(job.task, variant.name, job.seed) for variant, job in pairs[:4]] == [
        ("churn", "a", 0),
        ("churn", "a", 1),
        ("churn", "b", 0),
        ("churn", "b", 1),
    ]
    assert {job.budget.trials for variant, job in pairs if variant.name == "b"} == {3}


def test_without_cutoffs_the_latest_firsts_of_a_month_are_taken(snapshots_of_world):
    layout = lay_out(small(cutoffs=()), snapshots_of_world)
    assert [str(to_date(day)) for day in layout.cutoffs["churn"]] == ["2017-07-01", "2017-08-01"]
    assert str(to_date(layout.until)) == CHOICES_UNTIL


def test_a_cutoff_whose_window_is_reserved_is_refused(snapshots_of_world):
    with pytest.raises(
        UserError,
        match=r"cutoff 2017-08-05 of churn needs the 28 days from it on, and choices end on 2017-09-01: .* "
        r"Name cutoffs up to 2017-08-04",
    ):
        lay_out(small(cutoffs=("2017-07-01", "2017-08-05")), snapshots_of_world)


def test_a_cutoff_without_history_is_refused(snapshots_of_world):
    with pytest.raises(UserError, match=r"cutoff 2017-04-20 of churn has no label window .* from 2017-0"):
        lay_out(small(cutoffs=("2017-04-20",)), snapshots_of_world)


def test_a_task_that_the_source_cannot_support_is_refused(snapshots_of_world):
    with pytest.raises(UserError, match=r"recommendation cannot be studied: .* needs product_id"):
        lay_out(small(tasks="recommendation", variants=(Variant("a"), Variant("b"))), snapshots_of_world)


def test_what_was_done_before_a_kill_is_not_done_again(fresh, counted, monkeypatch):
    study, snapshots = small(variants=TWO), choice_snapshots(fresh)
    layout, do = lay_out(study, snapshots), Workbench.do

    def killed(self: Workbench, job: study_job.Job, key: str) -> None:
        if len(counted) == 2:
            raise KeyboardInterrupt
        do(self, job, key)

    with monkeypatch.context() as patch:
        patch.setattr(Workbench, "do", killed)
        with pytest.raises(KeyboardInterrupt):
            run_all(study, fresh, snapshots, layout)
    results = run_all(study, fresh, snapshots, layout)
    assert len(counted) == len(set(counted)) == 4
    assert [result.reused for result in results] == [True, True, False, False]
    again = run_all(study, fresh, snapshots, layout)
    assert len(counted) == 4
    assert all(result.reused for result in again)
    assert [result.variant for result in again] == ["all", "all", "tenure", "tenure"]
    assert [result.seed for result in again] == [0, 1, 0, 1]


def test_another_study_of_the_same_runs_does_none_of_them(found, world, snapshots_of_world, counted):
    other = small("other", hypothesis="Something else.", seeds=(1,), variants=found.design.variants[1:])
    results = run_all(other, world, snapshots_of_world, lay_out(other, snapshots_of_world))
    assert counted == []
    assert [result.variant for result in results] == ["no household", "tenure"]


def test_variants_that_are_the_same_run_once(fresh, counted):
    study = small(variants=(TWO[1], Variant("again", options=TWO[1].options, setting=FIXED)), seeds=(0,))
    snapshots = choice_snapshots(fresh)
    one, other = run_all(study, fresh, snapshots, lay_out(study, snapshots))
    assert len(counted) == 1
    assert (one.variant, other.variant) == ("tenure", "again")
    pd.testing.assert_frame_equal(one.frame, other.frame)


def test_a_killed_study_in_parallel_leaves_no_worker_and_goes_on_to_the_same_numbers(fresh, results):
    """Killed by `kill -9` after its first run."""
    script = fresh.root.parent / "killed.py"
    script.write_text(KILLED.format(root=str(fresh.root), code=tracking.code_version()), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
        start_new_session=True,
    )
    done = study_job.home(fresh)
    _wait(lambda: any(path.name[0] != "." and path.is_dir() for path in done.glob("*")), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait(lambda: not _alive(process.pid))
    study, snapshots = small(variants=TWO, seeds=(0, 1)), choice_snapshots(fresh)
    again = run_all(study, fresh, snapshots, lay_out(study, snapshots))
    assert any(result.reused for result in again)
    assert len(again) == 4
    # Done one after the other in this process, elsewhere.
    pd.testing.assert_frame_equal(again[0].frame, results[0].frame)


def _alive(group: int) -> list[str]:
    """Processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [state for number, state in rows if int(number) == group and not state.startswith("Z")]


def _wait(ready, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + 400
    while not ready():
        assert process is None or process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.1)
