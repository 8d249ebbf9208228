"""Contacts of our own as campaigns, on the small world: most answer them, as few answer its campaigns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import TINY
from training.campaigns import own
from training.datasets import Snapshots
from training.plan import Rows, lay_out
from training.probability import positives
from training.response import Response

from .own_world import DAYS, FIRST, written
from .world import BEGIN

PARAMS = {**Response.first, "rounds": 40, "min_child_weight": 1.0}


def test_a_contact_teaches_when_its_window_is_over_and_not_before(
    known: Snapshots, task: Response, rows: list[tuple[Any, ...]]
) -> None:
    for until in (BEGIN + 250, known.until):
        at = known.cut(until)
        cutoffs = range(FIRST - DAYS, until)
        found = task.examples(at, list(cutoffs))
        wanted = {
            (name, day): max(
                answer >= shown and answer < day + DAYS and max(answer, late) < until
                for other, _, on, shown, _, answer, late, _ in rows
                if (other, on) == (name, day)
            )
            for name, _, day, _, _, _, _, _ in rows
            if day + DAYS <= until
        }
        given: dict[tuple[str, int], bool] = {}
        for name, day, answered in zip(
            found.matrix.customer_id, found.matrix.as_of, positives(found), strict=True
        ):
            given[name, int(day)] = given.get((name, int(day)), False) or bool(answered)
        assert given == wanted
        assert found.matrix.as_of.max() + DAYS <= until


def test_what_was_not_known_yet_changes_nothing(
    known: Snapshots, task: Response, rows: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    day = BEGIN + 261
    seen = [row for row in rows if row[2] < day and max(row[3], row[4]) < day]
    seen = [(*row[:5], -1, -1, row[7]) if max(row[5], row[6]) >= day else row for row in seen]
    assert len(seen) < len(rows)
    cut = Snapshots(
        dataclasses.replace(known.canonical.cut(day, tmp_path), source=known.canonical.source),
        day,
        written(seen, tmp_path / "contacts.parquet"),
    )
    found = own.contacts(cut), own.contacts(known.cut(day))
    assert found[0] is not None
    assert found[1] is not None
    assert own.digest(found[0]) == own.digest(found[1])
    digests = []
    for snapshots in (known.cut(day), cut):
        cutoffs = task.training_cutoffs(snapshots, snapshots.first_day + 28, day, TINY)
        digests.append(task.fit(task.examples(snapshots, cutoffs), PARAMS, 0).digest())
    assert digests[0] == digests[1]


def test_the_probability_is_that_of_own_contacts(known: Snapshots, task: Response) -> None:
    plan = lay_out(task, known, TINY)
    rows = Rows(task, known, plan, TINY)
    rows.prepare(choices=True)
    assert plan.folds
    assert max(plan.final) + 2 * DAYS <= known.until
    fitted = task.fit(rows.train(plan.as_of), PARAMS, seed=1)
    assert set(fitted.meta["kinds"]) == {"coupon", "call"}
    asked = rows.at(plan.reports[0], plan.as_of)
    frame = task.rows(fitted, asked)
    means = frame.groupby(asked.kinds())["model.probability"].mean()
    assert means["coupon"] == pytest.approx(0.9, abs=0.08)
    assert means["call"] == pytest.approx(0.6, abs=0.1)
    # A model of campaigns knows neither action, and can be asked all the same.
    other = Response()
    campaigns = other.fit(
        other.examples(known, other.training_cutoffs(known, known.first_day + 28, known.until, TINY)),
        PARAMS,
        seed=1,
    )
    assert other.rows(campaigns, asked)["model.probability"].mean() < means.mean() - 0.2
