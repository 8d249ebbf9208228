"""All studies on one page: values compare on the same rows only, and each study is a link."""

from __future__ import annotations

import dataclasses
import re
import shutil

import pytest

from experiments import leaderboard
from experiments.leaderboard import Entry, ranked
from features.errors import UserError
from features.workspace import Workspace


@pytest.fixture
def board(found, tmp_path):
    """The leaderboard of a workspace that has the small study twice, once under another name."""
    there = Workspace(tmp_path)
    there.reports.mkdir()
    for name in ("study-small.json", "study-other.json"):
        shutil.copy(found.data, there.reports / name)
    return leaderboard.write(there)


def entry(study: str, value: float, metric: str = "roc_auc", rows: int = 10, *, higher: bool = True) -> Entry:
    return Entry(
        study=study,
        hypothesis="",
        page="",
        task="churn",
        title="",
        metric=metric,
        metric_title="",
        higher_is_better=higher,
        variant="v",
        value=value,
        reference="r",
        difference=0.0,
        low=0.0,
        high=0.0,
        verdict=None,
        inputs=1,
        fit_seconds=1.0,
        cutoffs=(),
        rows=rows,
        fingerprint="",
    )


def test_the_best_of_the_same_rows_leads():
    found = ranked([entry("a", 0.7), entry("b", 0.8), entry("c", 0.9, rows=11)])
    assert [(e.study, e.leads) for e in found] == [("b", True), ("a", False), ("c", True)]
    low = ranked([entry("a", 0.2, "brier", higher=False), entry("b", 0.1, "brier", higher=False)])
    assert [(e.study, e.leads) for e in low] == [("b", True), ("a", False)]


def test_each_study_has_its_best_variant_per_task_and_metric(board, found):
    assert board.studies == 2
    assert [(e.metric, e.leads) for e in board.entries] == [
        ("brier", True),
        ("brier", False),
        ("roc_auc", True),
        ("roc_auc", False),
    ]
    assert {e.value for e in board.entries if e.metric == "roc_auc"} == {found.verdict().best.value}
    assert {e.fingerprint for e in board.entries} == {found.fingerprint}
    assert dataclasses.asdict(board.entries[0])["rows"] == found.verdict().rows


def test_the_page_links_to_the_studies_beside_it_and_to_nothing_else(board):
    page = board.page.read_text(encoding="utf-8")
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == {"study-small.html", "study-other.html"}
    assert "http" not in page


def test_without_a_study_the_command_that_makes_one_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no study has been run .* Run `nextbest experiments study`"):
        leaderboard.write(Workspace(tmp_path))
