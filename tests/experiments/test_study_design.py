"""What a study may say, and the sentences that refuse the rest."""

from __future__ import annotations

from datetime import date

import pytest

from experiments.study_design import Design, Variant, budget, options_of
from features.catalogue import FEATURES, NAMES
from features.errors import UserError
from tests.experiments.conftest import small

PAIR = (Variant("all"), Variant("lean", families=("rhythm",)))


def test_families_become_the_features_of_the_task_in_the_order_of_the_catalogue():
    rhythm = tuple(feature.name for feature in FEATURES if feature.family == "rhythm")
    assert Variant("lean", families=("rhythm",)).task("churn").features == rhythm
    rest = tuple(name for name in NAMES if name not in rhythm)
    assert Variant("rest", without_families=("rhythm",)).task("churn").features == rest
    assert Variant("all").task("churn").features == NAMES
    assert Variant("one", options={"features": ["visits_91"]}).task("churn").features == ("visits_91",)


def test_each_variant_has_a_task_of_its_own():
    assert Variant("all").task("churn") is not Variant("all").task("churn")


def test_texts_become_dates_and_lists_tuples_and_the_first_variant_is_the_reference():
    made = Design(
        "x", "Is it\n  so?", "churn", list(PAIR), cutoffs=["2017-09-01", date(2017, 8, 1)], seeds=[3, 3, 1]
    )
    assert made.tasks == ("churn",)
    assert made.cutoffs == (date(2017, 8, 1), date(2017, 9, 1))
    assert made.seeds == (3, 1)
    assert made.hypothesis == "Is it so?"
    assert made.reference == "all"
    assert [variant.name for variant in made.others] == ["lean"]


def test_trials_are_the_variants_own_or_the_studys():
    made = small(budget=budget({"trials": 5}), variants=(Variant("a"), Variant("b", trials=0)))
    assert [made.trials(variant) for variant in made.variants] == [5, 0]
    assert budget({"trials": 5}).step_days == budget({}).step_days


def test_options_are_those_of_the_tasks_constructor():
    assert options_of("churn") == ("features",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "My Study"}, "small letters, digits and hyphens"),
        ({"hypothesis": " "}, "has no hypothesis"),
        ({"tasks": ()}, "names no task"),
        ({"tasks": ("chrun",)}, "did you mean 'churn'"),
        ({"tasks": 3}, "tasks: 3 was given, and it has to be a list"),
        ({"variants": PAIR[:1]}, "has 1 variants: a comparison needs two"),
        ({"variants": (*PAIR, Variant("lean"))}, "two variants called 'lean'"),
        ({"reference": "al"}, "reference variant not found: 'al'. Hint: did you mean 'all'"),
        ({"seeds": ()}, "a study needs one or more"),
        ({"seeds": (-1,)}, "whole number of 0 or more"),
        ({"cutoffs": ("2017-13-01",)}, "2017-13-01"),
        ({"replicates": 5}, "whole number of 100 or more"),
        ({"budget": budget({"trials": -1})}, "trials of the budget: -1 was given"),
        ({"variants": (*PAIR, Variant("x", space={"rounds": (1, 2)}))}, "a space and no trials"),
        (
            {"variants": (*PAIR, Variant("x", options={"sauces": []}))},
            "option of task churn not found: 'sauces'",
        ),
        ({"variants": (*PAIR, Variant("x", options={"features": ["visit_91"]}))}, "did you mean 'visits_91'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(change, message):
    with pytest.raises(UserError, match=message):
        small(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"families": ("rythm",)}, "family of features not found: 'rythm'. Hint: did you mean 'rhythm'"),
        ({"families": ("rhythm",), "without_families": ("fuel",)}, "names features in several ways"),
        ({"families": 3}, "has to be a list"),
        ({"setting": [1]}, "setting of variant 'x': .* has to be a mapping"),
        ({"space": {"rounds": 3}}, "space of 'rounds' in variant 'x': 3 was given"),
        ({"space": {"rounds": (1, 2)}, "setting": {"rounds": 1}}, "fixes 'rounds' and gives it a range"),
        ({"trials": 1.5}, "trials of variant 'x': 1.5 was given"),
    ],
)
def test_a_variant_that_says_nonsense_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        Variant("x", **change)


def test_a_variant_without_any_feature_is_refused():
    empty = Variant("none", without_families=tuple({feature.family for feature in FEATURES}))
    with pytest.raises(UserError, match="has no feature left"):
        empty.task("churn")


def test_a_task_without_features_cannot_choose_them():
    with pytest.raises(UserError, match="chooses features, and task recommendation has none"):
        PAIR[1].task("recommendation")


def test_only_parts_of_the_budget_that_a_study_may_set():
    with pytest.raises(UserError, match="part of the budget not found: 'replicates'"):
        budget({"replicates": 3})
