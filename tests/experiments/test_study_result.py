"""Costs of variants, and the sentence on the leanest that is not worse."""

from __future__ import annotations

from pathlib import Path

from experiments.study_job import Result
from experiments.study_result import Cost, costs_of, thrift
from experiments.study_verdict import Outcome, Verdict
from training.measuring.metrics import Measure

AUC = Measure("roc_auc", "ROC-AUC", True, "")
BRIER = Measure("brier", "Brier score", False, "")


def run(variant: str, seed: int, inputs: int, fit: float) -> Result:
    return Result("k", Path("k"), "churn", variant, seed, {"rounds": seed}, inputs, fit, 10.0, 4, 100, False)


def cost(variant: str, inputs: int) -> Cost:
    return Cost("churn", variant, inputs, inputs / 100, 1.0, 0, ())


def verdict(measure: Measure, **words: str) -> Verdict:
    others = [Outcome(name, 0.8, (0.8,), verdict=word) for name, word in words.items()]
    outcomes = (Outcome("all", 0.8, (0.8,)), *others)
    return Verdict("churn", "Churn", measure, "all", outcomes, 9, 9, ("2017-09-01",), 1, 3, "")


def test_a_cost_is_the_median_fit_and_the_sum_of_the_runs():
    (found,) = costs_of([run("a", 0, 5, 1.0), run("a", 1, 7, 3.0)])
    assert found == Cost("churn", "a", 7, 2.0, 20.0, 4, ({"rounds": 0}, {"rounds": 1}))


def test_the_leanest_that_is_worse_on_no_metric_is_named():
    costs = [cost("all", 90), cost("half", 50), cost("few", 10)]
    told = [verdict(AUC, half="better", few="undecided"), verdict(BRIER, half="undecided", few="worse")]
    assert thrift("churn", told, costs) == (
        "churn: 'half' reads 50 inputs instead of 90, takes 0.50 instead of 0.90 s of processor time a fit, "
        "and is better than 'all' on ROC-AUC and cannot be told apart from 'all' on Brier score."
    )


def test_nothing_is_said_when_the_reference_is_the_leanest():
    costs = [cost("all", 90), cost("more", 91), cost("few", 10)]
    assert thrift("churn", [verdict(AUC, more="better", few="worse")], costs) is None
