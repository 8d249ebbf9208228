"""What a generation tries, on a task that only has a space."""

from __future__ import annotations

import optuna
import pytest

from training import draws
from training.draws import Choice, WarmStart


class Line:
    """One number to choose."""

    def __init__(self) -> None:
        self.first = {"x": 0.9}

    def space(self, trial):
        return {"x": trial.suggest_float("x", 0.0, 1.0), "fixed": 7}


def tried(task: Line, wanted: range, seed: int = 0, warm: WarmStart | None = None) -> list[float]:
    found = draws.draw(task, {}, wanted, seed, warm)
    assert list(found) == list(wanted)
    assert all(each.params == {**each.trial.params, "fixed": 7} for each in found.values())
    return [each.params["x"] for each in found.values()]


def warm(x: float, high: float = 1.0) -> WarmStart:
    return WarmStart("earlier", {"x": x}, {"x": optuna.distributions.FloatDistribution(0.0, high)})


def test_the_first_setting_then_draws_with_seeds_of_their_own() -> None:
    whole = tried(Line(), range(4))
    assert whole[0] == 0.9
    assert len(set(whole)) == 4
    # A draw depends on its number and the seed, not on who else is in its generation.
    assert tried(Line(), range(2, 4)) == whole[2:]
    assert tried(Line(), range(2, 4), seed=1) != whole[2:]


def test_an_earlier_best_is_tried_second_unless_it_is_the_first_or_of_another_space() -> None:
    plain = tried(Line(), range(3))
    assert tried(Line(), range(3), warm=warm(0.25)) == [0.9, 0.25, plain[2]]
    assert tried(Line(), range(3), warm=warm(0.9)) == plain
    assert tried(Line(), range(3), warm=warm(0.25, high=2.0)) == plain


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({}, True),
        ({"as_of": 101}, False),
        ({"choices_until": 91}, False),
        ({"task": "other"}, False),
        ({"options": {"features": ["a"]}}, False),
    ],
)
def test_nothing_is_taken_from_a_study_that_knew_more_or_was_another(
    facts: dict[str, object], *, found: bool
) -> None:
    store = optuna.storages.InMemoryStorage()
    study = optuna.create_study(study_name="earlier", storage=store)
    earlier = Choice("earlier", "line", {}, 100, 90).facts()
    for name, value in {**earlier, **facts}.items():
        study.set_user_attr(name, value)
    asked = Choice("now", "line", {}, 100, 90)
    assert draws.warm_start(store, asked) is None
    trial = study.ask({"x": optuna.distributions.FloatDistribution(0.0, 1.0)})
    study.tell(trial, 0.5)
    got = draws.warm_start(store, asked)
    assert (got is not None) == found
    if got is not None:
        assert (got.study, got.params) == ("earlier", dict(trial.params))
    assert draws.warm_start(store, Choice("earlier", "line", {}, 100, 90)) is None


def test_of_studies_that_knew_the_same_days_the_last_to_end_is_taken() -> None:
    store = optuna.storages.InMemoryStorage()
    for name in ("ff00", "0a00", "5500"):
        study = optuna.create_study(study_name=name, storage=store)
        for key, value in Choice(name, "line", {}, 100, 90).facts().items():
            study.set_user_attr(key, value)
        study.tell(study.ask({"x": optuna.distributions.FloatDistribution(0.0, 1.0)}), 0.5)
    got = draws.warm_start(store, Choice("now", "line", {}, 100, 90))
    assert got is not None
    assert got.study == "5500"
