from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import UserError
from features.json_file import write_json
from serving.catalogue.file import Assumption
from serving.decisions import effects
from serving.decisions.effects import Accepted, Effects, Measured
from tests.serving.decision_catalogue import catalogue

BELIEF = {"value": 0.10, "spread": 0.05, "unit": "share", "meaning": "kept", "source": "test"}


def prior(value: float = 0.10, spread: float | None = 0.05) -> Assumption:
    return Assumption(value=value, spread=spread, unit="share", meaning="kept", source="test")


def measured(estimate: float, error: float) -> Measured:
    return Measured("a", "kept", estimate, error, 100, 50)


def test_an_effect_on_sales_has_the_error_of_means(tmp_path: Path) -> None:
    entry = {"id": "a", "propensity": "kept", "effect": "kept"}
    action = catalogue(tmp_path, entry, assumptions={"kept": BELIEF}).action("a")
    contacted, control = np.tile([0.0, 300.0], 50), np.tile([0.0, 200.0], 20)
    found = effects.measure_sales(action, contacted, control, 1000.0)
    assert found is not None
    assert (found.action, found.effect, found.contacted, found.control) == ("a", "kept", 100, 40)
    assert found.estimate == pytest.approx((150 - 100) / 1000)
    error = math.sqrt(150**2 * 100 / 99 / 100 + 100**2 * 40 / 39 / 40) / 1000
    assert found.error == pytest.approx(error)
    assert effects.measure_sales(action, contacted[:29], control, 1000.0) is None
    assert effects.measure_sales(action, contacted, control[:29], 1000.0) is None
    assert effects.measure_sales(action, contacted, control, 0.0) is None
    assert effects.measure_sales(action, contacted * 0, control * 0, 1000.0) is None


def test_equal_precisions_meet_in_the_middle() -> None:
    found = effects.posterior(prior(), [measured(0.2, 0.05)])
    assert (found.mean, found.weight) == pytest.approx((0.15, 0.5))
    assert found.spread == pytest.approx(0.05 / math.sqrt(2))
    assert (found.outcomes, found.basis) == (150, "estimated")
    # An error of twice the spread weighs 1/5: 1 / (1 + 4).
    found = effects.posterior(prior(), [measured(0.2, 0.10)])
    assert (found.mean, found.weight, found.basis) == (pytest.approx(0.12), pytest.approx(0.2), "assumed")


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(1e-3, 1)), max_size=6),
    st.floats(0, 1),
    st.floats(1e-3, 1),
)
def test_one_by_one_and_all_at_once_are_the_same(
    found: list[tuple[float, float]], mean: float, spread: float
) -> None:
    together = effects.posterior(prior(mean, spread), [measured(*one) for one in found])
    step = prior(mean, spread)
    for one in found:
        belief = effects.posterior(step, [measured(*one)])
        assert min(step.value, one[0]) - 1e-9 <= belief.mean <= max(step.value, one[0]) + 1e-9
        step = prior(belief.mean, belief.spread)
    assert (together.mean, together.spread) == pytest.approx((step.value, step.spread), rel=1e-6, abs=1e-9)
    assert 0 <= together.weight < 1
    assert together.spread <= spread


def test_a_certain_prior_learns_nothing_and_a_negative_mean_counts_as_none() -> None:
    for spread in (None, 0.0):
        found = effects.posterior(prior(0.1, spread), [measured(0.5, 0.01)])
        assert (found.mean, found.spread, found.weight, found.basis) == (0.1, 0.0, 0.0, "assumed")
    harmful = effects.posterior(prior(), [measured(-0.3, 0.01)])
    assert harmful.mean < 0
    assert harmful.used == 0


def test_an_effect_is_the_difference_of_rates_by_exposure(tmp_path: Path) -> None:
    (action,) = catalogue(
        tmp_path, {"id": "a", "propensity": "kept", "effect": "kept"}, assumptions={"kept": BELIEF}
    ).actions
    found = effects.measure(action, (60, 100), (20, 50), 0.5)
    assert found is not None
    assert found.estimate == pytest.approx((0.6 - 0.4) / 0.5)
    p1, p0 = 61 / 102, 21 / 52
    assert found.error == pytest.approx(math.sqrt(p1 * (1 - p1) / 102 + p0 * (1 - p0) / 52) / 0.5)
    # Nobody at all, or everybody, succeeded: the error is not 0.
    assert effects.measure(action, (0, 5), (0, 5), 1.0).error > 0.15  # type: ignore[union-attr]
    assert effects.measure(action, (0, 0), (1, 5), 1.0) is None
    assert effects.measure(action, (1, 5), (1, 5), 0.0) is None


def test_the_error_is_that_of_repeated_trials() -> None:
    draws = np.random.default_rng(0)
    won, anyway = draws.binomial(400, 0.3, 4000), draws.binomial(200, 0.2, 4000)
    spread = np.std((won / 400 - anyway / 200) / 0.25)
    from serving.catalogue.actions import PACKAGED, load

    action = next(action for action in load(PACKAGED).actions if action.effect)
    found = effects.measure(action, (120, 400), (40, 200), 0.25)
    assert found is not None
    assert found.error == pytest.approx(spread, rel=0.05)


def test_the_factor_is_shrunk_by_few_outcomes() -> None:
    assert Accepted("a", 0, 0.0).factor == 1
    assert Accepted("a", 0, 20.0).factor == 0.5
    assert Accepted("a", 500, 1000.0).factor == pytest.approx(0.5, rel=0.03)
    # Who accepts may have come anyway.
    assert Accepted("a", 40, 20.0).factor == 1


def test_what_is_kept_is_read_again_with_the_priors_of_today(tmp_path: Path) -> None:
    given_actions = (
        {"id": "a", "propensity": "kept", "effect": "kept"},
        {"id": "b", "propensity": "rate"},
    )
    found = catalogue(tmp_path, *given_actions, assumptions={"kept": BELIEF})
    file = tmp_path / "effects.json"
    assert Effects.read(file, found) == Effects.prior(found)
    effects.keep(
        file, 17_500, [measured(0.2, 0.05), Measured("gone", "gone", 1, 1, 1, 1)], [Accepted("b", 10, 30.0)]
    )
    read = Effects.read(file, found)
    assert read.beliefs["kept"].mean == pytest.approx(0.15)
    assert read.factors == {"b": 30 / 50}
    assert (read.at(17_499), read.at(17_500)) == (None, read)
    other = catalogue(tmp_path, *given_actions, assumptions={"kept": {**BELIEF, "value": 0.3}})
    assert Effects.read(file, other).beliefs["kept"].mean == pytest.approx(0.25)
    assert [read.basis(action) for action in found.actions] == ["estimated", "assumed"]


def test_beliefs_are_carried_to_another_catalogue(tmp_path: Path) -> None:
    held = catalogue(
        tmp_path,
        {"id": "a", "propensity": "kept", "effect": "kept"},
        {"id": "b", "propensity": "rate"},
        assumptions={"kept": BELIEF},
    )
    after = Effects.after(held, [measured(0.2, 0.05)], [Accepted("b", 10, 30.0)], 17_500)
    actions = (
        {"id": "a", "propensity": "kept", "effect": "kept"},
        {"id": "c", "propensity": "new", "effect": "new"},
    )
    other = catalogue(tmp_path, *actions, assumptions={"kept": {**BELIEF, "value": 0.9}, "new": BELIEF})
    found = after.carried(other)
    assert found.beliefs == {"kept": after.beliefs["kept"], "new": Effects.prior(other).beliefs["new"]}
    assert (found.factors, found.as_of) == ({}, 17_500)


def test_acceptances_of_an_action_with_an_effect_are_not_counted_twice(tmp_path: Path) -> None:
    found = catalogue(
        tmp_path, {"id": "a", "propensity": "kept", "effect": "kept"}, assumptions={"kept": BELIEF}
    )
    assert Effects.after(found, [], [Accepted("a", 50, 1.0)]).factors == {}


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "effects.json", {"format": 99})
    with pytest.raises(UserError, match="nextbest experiments effects"):
        Effects.read(tmp_path / "effects.json", catalogue(tmp_path, {"id": "a"}))
