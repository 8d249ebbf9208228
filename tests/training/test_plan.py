from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.clock import to_date, to_day
from features.errors import UserError
from features.labels import LabelDefinitions
from training import tasks
from training.churn import Churn
from training.datasets import Snapshots, day, open_snapshots
from training.plan import Rows, lay_out
from training.task import FULL, QUICK

from .conftest import TINY, make, visits


def sample(until: str, choices_until: date | None = date(2017, 10, 31)) -> Snapshots:
    """A year of data from 2017-01-01; laying out reads nothing but its days."""
    source = SimpleNamespace(labels=LabelDefinitions(), choices_until=choices_until)
    snapshots = Snapshots(SimpleNamespace(source=source), day(until))  # type: ignore[arg-type]
    snapshots.__dict__["first_day"] = day("2017-01-01")
    return snapshots


def dates(days: tuple[int, ...]) -> list[str]:
    return [to_date(each).isoformat() for each in days]


def test_the_protocol_s_cutoffs() -> None:
    plan = lay_out(Churn(), sample("2018-01-01"), FULL)
    assert dates(plan.reports) == ["2017-11-01", "2017-12-01"]
    assert dates(plan.folds) == ["2017-09-05", "2017-09-19", "2017-10-03"]
    assert dates(plan.final)[-2:] == ["2017-11-20", "2017-12-04"]
    assert len(plan.final) == FULL.cutoffs
    assert not plan.overlaps
    assert max(plan.folds) + 28 <= to_day(date(2017, 10, 31))


def test_choices_never_reach_past_the_as_of() -> None:
    plan = lay_out(Churn(), sample("2017-09-15"), QUICK)
    assert plan.choices_until == day("2017-09-15")
    assert plan.overlaps
    assert dates(plan.reports) == ["2017-08-01"]
    assert max(plan.folds) + 28 <= day("2017-09-15")


def test_without_a_limit_report_and_choices_overlap() -> None:
    assert lay_out(Churn(), sample("2018-01-01", None), FULL).overlaps


@pytest.mark.parametrize("name", ["churn", "decline", "next_purchase", "rhythm", "value"])
def test_runs_a_week_apart_share_validation_cutoffs(name: str) -> None:
    """By which promotion compares them, where the source sets no end to choices."""
    weeks = [
        sample(f"2017-{month:02}-{first:02}", None) for month in (11, 12) for first in (1, 8, 15, 22, 29)
    ]
    folds = [lay_out(tasks.TASKS[name], week, FULL).folds for week in weeks]
    for before, after in pairwise(folds):
        assert len({*before} & {*after}) >= FULL.folds - 1


def test_every_fit_has_a_training_window_that_ended_before_it() -> None:
    for until in ("2017-05-29", "2017-07-01", "2017-12-31"):
        snapshots = sample(until)
        plan = lay_out(Churn(), snapshots, FULL)
        rows = Rows(Churn(), snapshots, plan, FULL)
        for looked_at in (*plan.reports, *plan.folds, plan.as_of):
            grid = rows.grid(looked_at)
            assert grid
            assert max(grid) + plan.horizon_days <= looked_at
            assert min(grid) >= plan.earliest


def test_too_short_a_history_is_said_with_numbers() -> None:
    with pytest.raises(
        UserError, match=r"needs 91 days of history and two windows of 28 days.*146 days before"
    ):
        lay_out(Churn(), sample("2017-05-27"), FULL)
    assert lay_out(Churn(), sample("2017-05-28"), FULL).final


def test_labels_of_a_fit_are_those_known_at_its_as_of(tmp_path: Path) -> None:
    frame = visits()
    # Every visit from August on becomes known 20 days late.
    late = frame["occurred_at"] >= pd.Timestamp("2017-08-01")
    frame["known_at"] = frame["occurred_at"] + pd.to_timedelta(np.where(late, 20, 0), unit="D")
    snapshots = open_snapshots(make(tmp_path, frame))
    plan = lay_out(Churn(), snapshots, TINY)
    rows = Rows(Churn(), snapshots, plan, TINY)
    rows.prepare(choices=True)
    fold = plan.folds[0]
    cutoff = rows.grid(fold)[-1]
    then, now = rows.train(fold).at([cutoff]), rows.train(plan.as_of)
    assert then.outcome.sum() > rows.at(cutoff, plan.as_of).outcome.sum()
    assert len(now)


def test_rows_come_from_one_data_set_when_nothing_is_late(snapshots: Snapshots) -> None:
    plan = lay_out(Churn(), snapshots, TINY)
    rows = Rows(Churn(), snapshots, plan, TINY)
    assert set(rows.cutoffs(choices=False)) < set(rows.cutoffs(choices=True))
    rows.prepare(choices=True)
    assert rows.train(plan.as_of).cutoffs == plan.final
    assert rows.at(plan.folds[0], plan.choices_until).cutoffs == plan.folds
    assert rows.before(plan.folds[0]).until == plan.folds[0]
