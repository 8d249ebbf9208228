"""A study from end to end: what is planted is found, what is useless is not, and the commands say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from experiments.study import Study, Variant, ablation
from features.catalogue import FEATURES
from features.errors import UserError
from tests.experiments.conftest import CUTOFFS, FIXED, small

FILE = f"""\
name: small
hypothesis: Households say nothing, and tenure alone is not enough.
tasks: [churn]
cutoffs: [{", ".join(CUTOFFS)}]
metrics: [roc_auc, brier]
replicates: 200
budget: {{trials: 0, step_days: 28, cutoffs: 3, folds: 1}}
variants:
  all: {{setting: {json.dumps(FIXED)}}}
  no household: {{without_families: [household], setting: {json.dumps(FIXED)}}}
  tenure: {{features: [tenure_days], setting: {json.dumps(FIXED)}}}
"""


def test_a_useless_family_makes_no_difference_and_a_decisive_feature_does(found):
    verdict = found.verdict("churn", "roc_auc")
    household, tenure = verdict.outcome("no household"), verdict.outcome("tenure")
    assert household.verdict == "undecided"
    assert household.difference == 0
    assert tenure.verdict == "worse"
    assert tenure.high_all < -0.1
    assert "'tenure' is worse by" in verdict.sentence
    assert verdict.cutoffs == CUTOFFS
    assert found.verdict(metric="brier").comparisons == verdict.comparisons == 4


def test_the_leanest_variant_that_is_not_worse_is_named(found):
    (sentence,) = found.thrift
    assert sentence.startswith("churn: 'no household' reads ")
    assert sentence.endswith("cannot be told apart from 'all' on ROC-AUC and Brier score.")
    assert found.cost("churn", "tenure").inputs == 1


def test_the_answer_as_a_frame_has_a_row_per_metric_and_variant(found):
    frame = found.to_pandas().set_index(["metric", "variant"])
    assert len(frame) == 2 * 3
    tenure = frame.loc[("roc_auc", "tenure")]
    assert tenure["difference"] == found.verdict().outcome("tenure").difference
    assert (tenure["verdict"], tenure["inputs"]) == ("worse", 1)


def test_the_same_study_again_gives_the_same_and_does_nothing_anew(found, world):
    again = small(metrics=("roc_auc", "brier")).run(world)
    assert again.verdicts == found.verdicts
    assert again.costs == found.costs
    assert (again.runs, again.reused) == (6, 6)
    assert again.run_id == found.run_id


def test_settings_are_chosen_before_the_earliest_cutoff(world):
    """With trials, on little history: the one that has a window to choose on does so."""
    variants = (Variant("a", setting=FIXED), Variant("b", setting=FIXED | {"max_depth": 2}))
    study = small("tuned", variants=variants, seeds=(0,), cutoffs=CUTOFFS[1:])
    tuned = Study(**{**vars(study), "budget": study.budget.__class__(**{**vars(study.budget), "trials": 1})})
    found = tuned.run(world)
    assert [cost.trials for cost in found.costs] == [1, 1]
    assert found.cost("churn", "b").settings[0]["max_depth"] == 2
    assert found.warnings == ()


def test_metrics_that_no_task_has_are_refused_before_any_work(world):
    with pytest.raises(UserError, match=r"metric not found: 'roc'. Hint: did you mean 'roc_auc'"):
        small(metrics=("roc",)).run(world)


def test_an_ablation_leaves_out_each_family_once():
    study = ablation("next_purchase", trials=3)
    families = dict.fromkeys(feature.family for feature in FEATURES)
    assert study.name == "ablation-next-purchase"
    assert study.reference == "all features"
    assert [variant.without_families for variant in study.others] == [(family,) for family in families]
    assert study.budget.trials == 3
    with pytest.raises(UserError, match=r"task recommendation has no features to leave out.*churn"):
        ablation("recommendation")
    with pytest.raises(UserError, match="task not found: 'chrun'"):
        ablation("chrun")


def test_the_command_prints_the_verdict_of_the_file(found, world, tmp_path, capsys):
    file, place = tmp_path / "small.yaml", ["--workspace", str(world.root)]
    file.write_text(FILE, encoding="utf-8")
    assert cli.run(["experiments", "study", str(file), *place]) == 0
    said = capsys.readouterr().out
    assert " ".join(found.verdict().sentence.split()) in " ".join(said.split())
    assert "6 runs, 6 of them done before" in said
    assert cli.run(["experiments", "study", str(file), *place, "--strict", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdicts"][0]["sentence"] == found.verdict().sentence
    assert Path(answer["page"]).exists()
    assert cli.run(["experiments", "leaderboard", *place]) == 0
    assert "small" in capsys.readouterr().out


def test_the_commands_word_their_errors(world, capsys):
    place = ["--workspace", str(world.root)]
    assert cli.run(["experiments", "study", "nowhere.yaml", *place]) == 2
    assert "study not found: 'nowhere.yaml'" in capsys.readouterr().err
    assert cli.run(["experiments", "ablate", "recommendation", *place]) == 2
    assert "has no features to leave out" in capsys.readouterr().err
