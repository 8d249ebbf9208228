"""A study of the small world, done once: a useless family, a decisive feature, a reference that has both."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.study import Study, StudyResult, Variant
from experiments.study_design import budget
from experiments.study_job import Result
from experiments.study_runs import choice_snapshots, lay_out, run_all
from features.workspace import Workspace
from tests.training.conftest import make, visits
from training.datasets import Snapshots

FIXED = {"rounds": 20, "colsample_bytree": 1.0, "rhythm": False}
LITTLE = budget({"trials": 0, "step_days": 28, "cutoffs": 3, "folds": 1})
# The small world ends on 2017-10-28; choices end two months before.
CHOICES_UNTIL = "2017-09-01"
CUTOFFS = ("2017-07-01", "2017-08-01")


def small(name: str = "small", **other: Any) -> Study:
    """A study of churn: nobody has a household, and only who came lately comes again."""
    made: dict[str, Any] = {
        "name": name,
        "hypothesis": "Households say nothing, and tenure alone is not enough.",
        "tasks": ("churn",),
        "variants": (
            Variant("all", setting=FIXED),
            Variant("no household", without_families=("household",), setting=FIXED),
            Variant("tenure", options={"features": ["tenure_days"]}, setting=FIXED),
        ),
        "cutoffs": CUTOFFS,
        "budget": LITTLE,
        "replicates": 200,
    }
    return Study(**(made | other))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small world, ingested."""
    return make(tmp_path_factory.mktemp("studied"), visits(), f"choices_until = {CHOICES_UNTIL}\n")


@pytest.fixture(scope="session")
def found(world: Workspace) -> StudyResult:
    """The study, done."""
    return small(metrics=("roc_auc", "brier")).run(world)


@pytest.fixture(scope="session")
def snapshots_of_world(world: Workspace) -> Snapshots:
    """What a study of the small world may read."""
    return choice_snapshots(world)


@pytest.fixture(scope="session")
def results(found: StudyResult, world: Workspace, snapshots_of_world: Snapshots) -> list[Result]:
    """The runs of the study."""
    layout = lay_out(found.design, snapshots_of_world)
    return run_all(found.design, world, snapshots_of_world, layout)
