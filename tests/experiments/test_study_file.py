"""A study as a file: equal to the one made in Python, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

import experiments
from experiments.study import Study, Variant
from experiments.study_design import budget
from features.errors import UserError

TEXT = """\
name: lean-churn
hypothesis: >
  Rhythm is
  enough.
tasks: [churn]
cutoffs: [2017-08-01, 2017-09-01]
seeds: [0, 1, 2]
metrics: roc_auc
replicates: 300
reference: all
budget: {trials: 3, step_days: 28}
variants:
  all:
  lean: {families: [rhythm], setting: {rounds: 50}, space: {max_depth: [2, 3]}, trials: 2}
  two: {features: [visits_91, days_since_visit]}
"""
SHIPPED = sorted((Path(experiments.__file__).parent / "studies").glob("*.yaml"))


def written(folder: Path, text: str) -> Path:
    file = folder / "study.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_makes_the_same_study_as_python(tmp_path):
    assert Study.load(written(tmp_path, TEXT)) == Study(
        name="lean-churn",
        hypothesis="Rhythm is enough.",
        tasks=("churn",),
        variants=(
            Variant("all"),
            Variant(
                "lean", families=("rhythm",), setting={"rounds": 50}, space={"max_depth": (2, 3)}, trials=2
            ),
            Variant("two", options={"features": ["visits_91", "days_since_visit"]}),
        ),
        cutoffs=("2017-08-01", "2017-09-01"),
        seeds=(0, 1, 2),
        metrics=("roc_auc",),
        budget=budget({"trials": 3, "step_days": 28}),
        replicates=300,
    )


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_shipped_studies_are_studies_called_by_their_files(file):
    assert Study.load(file).name == file.stem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds:", "sedes:", "key of a study not found: 'sedes'. Hint: did you mean 'seeds'"),
        ("name: lean-churn\n", "", "the study has no 'name'. Add it."),
        ("  two: {features", "  two: {feature", "key of variant 'two' not found: 'feature'. .*'features'"),
        ("  two:", "  lean:", "names 'lean' twice"),
        ("{trials: 3,", "{trails: 3,", "part of the budget not found: 'trails'. Hint: did you mean 'trials'"),
        ("{trials: 3,", "{trials: many,", "trials of the budget: 'many' was given"),
        ("budget: {trials: 3, step_days: 28}", "budget: 3", "budget is 3: it has to be a mapping"),
        ("2017-08-01", "soon", "soon"),
        ("tasks: [churn]", "tasks: {churn: 1}", "tasks: .* has to be a list"),
        ("[0, 1, 2]", "[0, [1]", "is not valid YAML"),
        ("  all:\n", "  all: 3\n", "variant 'all' is 3: it has to be a mapping"),
    ],
)
def test_a_file_that_is_not_a_study_is_refused_in_a_sentence(tmp_path, old, new, message):
    assert old in TEXT
    with pytest.raises(UserError, match=message):
        Study.load(written(tmp_path, TEXT.replace(old, new)))


def test_a_file_that_is_not_there_or_holds_no_study_is_named(tmp_path):
    with pytest.raises(UserError, match=r"study not found: .*nowhere\.yaml"):
        Study.load(tmp_path / "nowhere.yaml")
    with pytest.raises(UserError, match="has to be a mapping of names"):
        Study.load(written(tmp_path, "- a\n- b\n"))
