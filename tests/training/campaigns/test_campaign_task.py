"""Campaigns are learned from until there are enough contacts of our own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.columns import CUSTOMER_ID
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.labels import LabelDefinitions, ResponseLabel
from features.workspace import Workspace
from tests.training.conftest import TINY
from training.campaigns import own
from training.campaigns.contacts import CAMPAIGN_ID
from training.campaigns.examples import ResponseExamples
from training.datasets import Snapshots, open_snapshots
from training.plan import Rows, lay_out
from training.probability import positives
from training.response import Response

from .own_world import DAYS, FIRST, LABELS, contacts, written
from .world import BEGIN, make


def test_own_contacts_are_learned_from_once_there_are_enough(known: Snapshots, task: Response) -> None:
    assert task.records
    assert task.missing(known.canonical) is None
    assert task.options() == {"records": task.records}
    assert Response(**task.options()).suited(known).records == task.records
    said = task.learned_from(known)
    assert said.startswith("learned from own records: 1,5")
    assert "contacts decided as of 2017-03-02 to 2017-11-13" in said
    assert said.endswith("accepted or redeemed within 14 days.")
    early = known.cut(BEGIN + 150)
    assert Response().suited(early).records == ""
    why = Response().learned_from(early)
    assert why.startswith("learned from campaign history: own records have ")
    assert "contacts that are over, where 900 are enough" in why
    none = dataclasses.replace(known, own=None)
    assert Response().suited(none).records == ""
    assert Response().learned_from(none) == "learned from campaign history: there are no own records."


def test_own_windows_of_a_fit_have_no_day_in_common(known: Snapshots, task: Response) -> None:
    plan = lay_out(task, known, dataclasses.replace(TINY, cutoffs=9))
    assert plan.horizon_days == task.horizon_days(known.labels) == 2 * DAYS
    assert 1 < len(plan.final) <= own.WINDOWS
    assert max(plan.final) + 2 * DAYS <= known.until
    assert {later - day for day, later in zip(plan.final, plan.final[1:], strict=False)} == {DAYS + 1}
    started = [set(task.examples(known, [day]).matrix.as_of.tolist()) for day in plan.final]
    assert sum(map(len, started)) == len(set.union(*started))


@pytest.mark.parametrize("own_records", [False, True])
def test_an_answer_reported_late_is_not_known_before(own_records: bool, tmp_path: Path) -> None:
    world = make(tmp_path / "made")
    source = tmp_path / "made" / "source"
    responses = source / "responses.parquet"
    told = pd.read_parquet(responses)
    told["known_at"] = told["occurred_at"] + pd.to_timedelta(
        np.where(np.arange(len(told)) % 3, 0, 45), unit="D"
    )
    told.to_parquet(responses, index=False)
    space = Workspace(tmp_path / "late").create()
    ingest(space, str(source))
    plain = open_snapshots(space, world.snapshots.until)
    labelled = dataclasses.replace(plain.canonical.source, labels=LABELS)
    canonical = dataclasses.replace(plain.canonical, source=labelled)
    rows = [
        (*row[:6], row[6] + 60 * (row[6] >= 0 and not place % 3), row[7])
        for place, row in enumerate(contacts(world))
    ]
    known = Snapshots(
        canonical, plain.until, written(rows, tmp_path / "own.parquet") if own_records else None
    )
    task = Response().suited(known)
    assert bool(task.records) == own_records
    plan = lay_out(task, known, TINY)
    all_rows = Rows(task, known, plan, TINY)
    all_rows.prepare(choices=True)
    hidden = 0
    for day in (*plan.folds, *plan.reports):
        used = all_rows.train(day)
        assert answers(used) == answers(task.examples(known.cut(day), all_rows.grid(day)))
        hidden += answers(used) != answers(task.examples(known, all_rows.grid(day)))
    assert hidden


def answers(rows: ResponseExamples) -> dict[tuple[Any, ...], float]:
    keys = rows.keys()
    named = zip(keys[CUSTOMER_ID], keys[CAMPAIGN_ID], rows.matrix.as_of.tolist(), strict=True)
    return dict(zip(named, positives(rows).tolist(), strict=True))


def test_own_records_take_the_place_of_campaigns(task: Response) -> None:
    other = Response()
    assert task.asks_alike
    assert task.supersedes(other) == "it has learned from own records, and the champion from campaign history"
    assert other.supersedes(task) == task.supersedes(task) == ""


def test_how_many_records_are_enough_is_no_part_of_the_label() -> None:
    usual, other = ResponseLabel(), ResponseLabel(own_contacts=7, own_answers=3)
    definitions = [Response().definition(LabelDefinitions(response=each)) for each in (usual, other)]
    assert definitions[0] == definitions[1]
    assert definitions[0]["own_days"] == usual.own_days
    shorter = Response().definition(LabelDefinitions(response=ResponseLabel(own_days=7)))
    assert shorter != definitions[0]


def test_records_that_changed_cannot_be_learned_from_again(known: Snapshots, task: Response) -> None:
    again = Response(records="f00d")
    with pytest.raises(UserError, match="own records again: they have changed"):
        again.learned_from(known)
    with pytest.raises(UserError, match="the workspace keeps none any more"):
        task.examples(dataclasses.replace(known, own=None), [FIRST])
