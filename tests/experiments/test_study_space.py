"""A task with a part of its search space fixed or narrowed, and its fits timed."""

from __future__ import annotations

from typing import ClassVar

import pytest

from experiments.study_space import adapt
from features.errors import UserError
from training import tuning
from training.churn import Churn
from training.task import Params


def drawn(setting=None, space=None, seeds=range(12)):
    """Settings that a narrowed churn draws."""
    task = Churn()
    adapt(task, setting or {}, space or {})
    task.__dict__["first"] = {}
    return [tuning.untuned(task, seed).params for seed in seeds]


def test_a_fixed_value_is_always_drawn_and_the_rest_is_as_before():
    free, fixed = drawn(), drawn({"max_depth": 5, "rhythm": False})
    assert {params["max_depth"] for params in fixed} == {5}
    assert {params["rhythm"] for params in fixed} == {False}
    assert len({params["max_depth"] for params in free}) > 1
    assert [params.keys() for params in fixed] == [params.keys() for params in free]
    assert len({params["learning_rate"] for params in fixed}) == 12


def test_a_range_replaces_the_tasks_own():
    found = drawn(space={"max_depth": (8, 9), "learning_rate": (0.2, 0.3), "calibration": ("platt",)})
    assert {params["max_depth"] for params in found} == {8, 9}
    assert all(0.2 <= params["learning_rate"] <= 0.3 for params in found)
    assert {params["calibration"] for params in found} == {"platt"}


def test_the_first_setting_keeps_what_the_ranges_admit():
    task = Churn()
    adapt(task, {"max_depth": 5}, {"rounds": (20, 30), "rhythm": (True,)})
    params = tuning.untuned(task, 0).params
    assert params["max_depth"] == 5
    assert 20 <= params["rounds"] <= 30
    assert params["learning_rate"] == Churn.first["learning_rate"]
    assert params["rhythm"] is True
    assert Churn.first["max_depth"] == 3, "the class is as before"


class Sampled(Churn):
    """Has a part of its setting that is not searched and stands with the first setting."""

    first: ClassVar[Params] = {**Churn.first, "sample": 9}

    def space(self, trial):
        return {**super().space(trial), "sample": self.first["sample"]}


def test_a_part_of_the_setting_that_is_not_searched_can_be_fixed():
    task = Sampled()
    adapt(task, {"sample": 7}, {})
    assert tuning.untuned(task, 0).params["sample"] == 7
    adapt(other := Sampled(), {}, {"max_depth": (8, 9)})
    assert tuning.untuned(other, 0).params["sample"] == 9


@pytest.mark.parametrize(
    ("setting", "space", "message"),
    [
        ({"depth": 3}, {}, "setting of task churn not found: 'depth'. Hint: did you mean 'max_depth'"),
        ({"max_depth": 2.5}, {}, "setting max_depth is 2.5"),
        ({"rhythm": "yes"}, {}, "setting rhythm is 'yes'"),
        ({}, {"round": (1, 2)}, "searched setting of task churn not found: 'round'"),
        ({}, {"rounds": (30, 20)}, r"space of rounds is \[30, 20\]"),
        ({}, {"rounds": (1, 2, 3)}, "least, most"),
        ({}, {"calibration": ("isotonic",)}, r"some of \['none', 'platt'\]"),
    ],
)
def test_what_the_task_does_not_draw_is_refused(setting, space, message):
    with pytest.raises(UserError, match=message):
        adapt(Churn(), setting, space)


def test_fits_are_timed_and_baselines_left_out(snapshots_of_world):
    task = Churn()
    seconds = adapt(task, {"rounds": 5}, {})
    rows = task.examples(snapshots_of_world, [snapshots_of_world.until - 60])
    task.fit(rows, tuning.untuned(task, 0).params, 0)
    assert len(seconds) == 1
    assert seconds[0] > 0
    assert task.baselines(snapshots_of_world, rows, rows).empty
    assert task.shuffled(rows, 3, 0) == []
