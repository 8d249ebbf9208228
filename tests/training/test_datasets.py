from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.canonical import Canonical
from features.clock import to_date
from features.errors import UserError
from training import datasets
from training.datasets import Snapshots

from .conftest import AS_OF, CUSTOMERS, make

JANUARY = datasets.day("2017-01-01")


def test_cutoffs_end_when_the_last_window_does_and_go_back_in_steps() -> None:
    assert datasets.cutoffs(100, 28, 228, step_days=14, count=3) == (172, 186, 200)
    assert datasets.cutoffs(180, 28, 228, step_days=14, count=9) == (186, 200)
    assert datasets.cutoffs(200, 28, 228, step_days=14, count=9) == (200,)
    assert datasets.cutoffs(201, 28, 228, step_days=14, count=9) == ()


def test_report_cutoffs_are_first_days_of_a_month_whose_windows_have_ended() -> None:
    earliest, until = JANUARY + 91, datasets.day("2018-01-01")
    found = datasets.report_cutoffs(earliest + 28, 28, until, count=2)
    assert [str(to_date(day)) for day in found] == ["2017-11-01", "2017-12-01"]
    found = datasets.report_cutoffs(earliest + 28, 28, datasets.day("2017-12-28"), count=1)
    assert [str(to_date(day)) for day in found] == ["2017-11-01"]


def test_a_report_on_short_history_uses_the_latest_day_it_can() -> None:
    earliest = JANUARY + 95
    until = earliest + 28 + 28 + 3
    assert datasets.report_cutoffs(earliest + 28, 28, until, count=2) == (until - 28,)
    assert datasets.report_cutoffs(earliest + 28, 28, until - 4, count=2) == ()


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """Customer a comes on days 0, 5, 5 and 9; that of day 9 becomes known on day 20. b comes on day 3."""
    days = [0, 5, 5, 9, 3]
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a", "b"],
            "occurred_at": pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta(days, unit="D"),
            "known_at": pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta([0, 5, 5, 20, 3], unit="D"),
            "amount": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    return Snapshots(Canonical.open(make(tmp_path_factory.mktemp("late"), frame)), JANUARY + 30)


def ask(snapshots: Snapshots, customer: str, day: int) -> float:
    return float(snapshots.visits.next_days(np.array([customer], dtype=object), np.array([JANUARY + day]))[0])


def test_the_day_of_the_as_of_is_day_one(late: Snapshots) -> None:
    assert [ask(late, "a", day) for day in (0, 1, 5, 6, 9)] == [1.0, 5.0, 1.0, 4.0, 1.0]
    assert np.isnan(ask(late, "a", 10))


def test_a_search_never_runs_into_the_next_customer(late: Snapshots) -> None:
    assert np.isnan(ask(late, "b", 4))
    assert np.isnan(ask(late, "unknown", 0))
    assert np.isnan(ask(late, "Aa", 0))


def test_a_visit_that_arrives_late_is_no_label_before_it_arrives(late: Snapshots) -> None:
    assert late.late
    assert ask(late.cut(JANUARY + 21), "a", 6) == 4.0
    assert np.isnan(ask(late.cut(JANUARY + 20), "a", 6))
    assert late.cut(JANUARY + 99).until == late.until


def test_visits_of_a_cut_are_those_read_from_a_cut(late: Snapshots) -> None:
    warm = late.cut(JANUARY + 12)
    cold = Snapshots(late.canonical, JANUARY + 12)
    _ = late.visits
    again = late.cut(JANUARY + 12)
    for other in (warm, again):
        assert other.visits.key[-1] & 0xFFFFF == cold.visits.key[-1] & 0xFFFFF
        assert len(other.visits.key) == len(cold.visits.key) == 3


def test_features_are_shared_and_never_later_than_the_snapshot(snapshots: Snapshots) -> None:
    day = AS_OF - 60
    matrix = snapshots.features([day, day - 7])
    assert matrix.as_of.tolist() == sorted(matrix.as_of.tolist())
    assert len(matrix) == 2 * CUSTOMERS
    earlier = snapshots.cut(day)
    assert earlier.features([day]) is snapshots.features([day])
    with pytest.raises(ValueError, match="after the snapshot"):
        earlier.features([day + 1])


def test_nothing_known_yet_is_said(snapshots: Snapshots) -> None:
    with pytest.raises(UserError, match="no transaction is known before 2016-12-01"):
        _ = Snapshots(snapshots.canonical, datasets.day("2016-12-01")).first_day


def test_opening_by_path_and_date(planted_root: Path) -> None:
    assert datasets.open_snapshots(planted_root).until == AS_OF
    assert datasets.open_snapshots(str(planted_root), "2017-09-01").until == datasets.day("2017-09-01")
    with pytest.raises(UserError, match="cutoff is not a date"):
        datasets.open_snapshots(planted_root, "yesterday")
    with pytest.raises(UserError, match="2030-01-01 is after the workspace's clock, 2017-10-28: days that"):
        datasets.open_snapshots(planted_root, "2030-01-01")


@pytest.fixture
def planted_root(planted) -> Path:
    return planted.root


def test_after_two_ids_are_one_person_the_person_answers(tmp_path: Path) -> None:
    """b comes on days 3 and 8, and is known to be a from day 6."""
    workspace = make(
        tmp_path,
        pd.DataFrame(
            {
                "customer_id": ["a", "b", "b"],
                "occurred_at": pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta([0, 3, 8], unit="D"),
                "amount": [1.0, 2.0, 3.0],
            }
        ),
    )
    joined = JANUARY + 6
    people = pd.DataFrame(
        {
            "reference": ["b", "b"],
            "customer_id": ["b", "a"],
            "from_day": np.array([-(2**31), joined], dtype=np.int32),
            "to_day": np.array([joined, 2**31 - 1], dtype=np.int32),
        }
    )
    with workspace.publish(workspace.identity) as folder:
        people.to_parquet(folder / "people.parquet", index=False)
    snapshots = Snapshots(Canonical.open(workspace), JANUARY + 30)
    assert snapshots.features([JANUARY + 5]).customer_id.tolist() == ["a", "b"]
    assert snapshots.features([JANUARY + 7]).customer_id.tolist() == ["a"]
    assert ask(snapshots, "b", 5) == ask(snapshots, "a", 5) == 4.0
    # Before it was known, b's visit is no visit of a's.
    assert ask(snapshots.cut(JANUARY + 6), "b", 1) == 3.0
    assert np.isnan(ask(snapshots.cut(JANUARY + 6), "a", 1))
