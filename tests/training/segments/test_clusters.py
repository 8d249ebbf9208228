"""The rules of clusters, ranks on the ladder, and what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from features.json_file import read_json, write_json
from features.workspace import Workspace
from training.segments import clusters
from training.segments.clusters import FORMAT, Cluster, Clusters, Rules, ranks_of

GIVEN = yaml.safe_load(Path(clusters.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FOUND = Clusters(
    as_of=17_000,
    figures=("visits_91", "spend_91"),
    centres=np.array([[0.2, 0.5], [0.8, 0.5]]),
    ladder=np.array([[0.0, 1.0, 2.0, 3.0], [np.nan] * 4]),
    clusters=(
        Cluster("c1", "rare", "少来", 6, 0.6, {"visits_91": 1.0, "spend_91": None}),
        Cluster("c4", "frequent", "常来", 4, 0.4, {"visits_91": 3.0, "spend_91": None}),
    ),
    next_id=5,
    agreement={"2": 0.9},
)


def test_a_stored_fit_is_read_back_and_assigns_the_same(tmp_path: Path) -> None:
    FOUND.save(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["arrays.npz", "clusters.json"]
    again = Clusters.read(tmp_path)
    assert again is not None
    assert (again.clusters, again.next_id, again.figures) == (FOUND.clusters, 5, FOUND.figures)
    customers = FeatureMatrix(
        np.array(["a", "b", "c"], dtype=object),
        np.full(3, 17_000, np.int32),
        ("spend_91", "visits_91"),
        np.array([[5.0, 0.0], [5.0, 9.0], [np.nan, 1.0]]),
    )
    for each in (FOUND, again):
        assert each.assign(customers).tolist() == [0, 1, 0]
    assert clusters.load(Workspace(tmp_path / "empty")) is None


def test_a_fit_of_a_newer_version_or_of_unknown_figures_is_refused(tmp_path: Path) -> None:
    FOUND.save(tmp_path)
    facts = read_json(tmp_path / "clusters.json")
    for change in ({"format": FORMAT + 1}, {"figures": ["visits_91", "mood"]}):
        write_json(tmp_path / "clusters.json", {**facts, **change})
        with pytest.raises(UserError, match="nextbest segments fit"):
            Clusters.read(tmp_path)


def test_ranks_share_ties_and_leave_the_unknown_in_the_middle() -> None:
    ladder = np.array([[0.0, 0.0, 0.0, 4.0], [np.nan] * 4])
    ranks = ranks_of(np.array([[0.0, 1.0], [4.0, 2.0], [9.0, 3.0], [-1.0, 0.0], [np.nan, 0.0]]), ladder)
    assert ranks[:, 0].tolist() == [0.375, 0.875, 1.0, 0.0, 0.5]
    assert (ranks[:, 1] == 0.5).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"figures": {"visit_91": {"high": ["a", "b"], "low": ["c", "d"]}}}, "visits_91"),
        ({"least": 5, "most": 4}, "least is 5 and most 4"),
        ({"least": 0}, "least is 0"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Rules.read(yaml.safe_dump({**GIVEN, **change}))
