from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.conftest import AS_OF
from training.churn import Churn
from training.datasets import Snapshots
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.reporting import explained
from training.reporting.explained import Explained
from training.task import Contributions
from training.value import expectation
from training.value.task import ValueTask


def explain(task: Any, model: Fitted, rows: CustomerExamples, **options: int) -> Explained:
    found = explained.explain(task, model, rows, **options)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fitted(snapshots: Snapshots) -> tuple[Fitted, CustomerExamples]:
    task = Churn()
    rows = task.examples(snapshots, [AS_OF - 28, AS_OF - 56])
    return task.fit(rows, {**task.first, "rounds": 20}, 0), rows


def test_a_sample_is_explained_and_contributions_add_up_to_the_prediction(fitted: Any) -> None:
    model, rows = fitted
    found = explain(Churn(), model, rows, limit=40, seed=1)
    assert found.contributions.values.shape == found.values.shape == (40, len(found.contributions.names))
    whole = dict(zip(_keys(rows.matrix), Churn().predict(model, rows.matrix)["probability"], strict=True))
    margin = found.contributions.base + found.contributions.values.sum(axis=1)
    expected = [whole[key] for key in _keys(found)]
    assert 1 / (1 + np.exp(-margin)) == pytest.approx(expected, abs=1e-5)
    place = found.contributions.names.index("visits_91")
    visits = dict(zip(_keys(rows.matrix), rows.matrix.column("visits_91"), strict=True))
    assert found.values[:, place].tolist() == [visits[key] for key in _keys(found)]
    assert not np.isnan(found.values[:, found.contributions.names.index("bg_nbd_visit")]).any()
    assert found.about == "the chance of no visit within 28 days"


def test_the_same_seed_draws_the_same_rows_and_few_rows_are_all_taken(fitted: Any) -> None:
    model, rows = fitted
    first, again, other = (explain(Churn(), model, rows, limit=40, seed=s) for s in (1, 1, 2))
    assert _keys(first) == _keys(again) != _keys(other)
    assert len(explain(Churn(), model, rows).customer_id) == min(len(rows), explained.LIMIT)


def test_without_rows_nothing_is_explained(fitted: Any) -> None:
    model, rows = fitted
    assert explained.explain(Churn(), model, rows.at([])) is None


def planted() -> Explained:
    """`up` raises, `down` lowers half as much, `idle` does nothing, `blank` is never known."""
    x = np.linspace(-1, 1, 200)
    moved = np.column_stack([0.5 * -x, x, np.zeros(200), np.where(x > 0, 0.1, -0.1)])
    values = np.column_stack([x, x, x, np.full(200, np.nan)])
    names = ("down", "up", "idle", "blank")
    ids = np.array([f"c{i}" for i in range(200)], dtype=object)
    contributions = Contributions(names, moved, np.zeros(200))
    return Explained(ids, np.zeros(200, dtype=np.int32), contributions, values, "the chance of rain")


def test_importance_is_the_mean_size_largest_first() -> None:
    found = planted().importance
    assert list(found) == ["up", "down", "blank", "idle"]
    assert found["up"] == pytest.approx(np.abs(np.linspace(-1, 1, 200)).mean())


def test_the_picture_says_which_way_and_colours_unknown_values_grey() -> None:
    figure = explained.picture(planted(), top=3)
    title = figure.get_suptitle().replace("\n", " ")
    ways = "up (more raises it), down (more lowers it), blank (no direction)"
    assert title == f"The chance of rain moves most with {ways}"
    swarm, bars = figure.axes
    assert swarm.get_xlabel().endswith("right: raises the chance of rain")
    assert [text.get_text() for text in swarm.get_yticklabels()] == ["up", "down", "blank"]
    assert len(bars.patches) == 3
    points = sum(len(drawn.get_offsets()) for drawn in swarm.collections)
    assert points == 3 * 200
    offsets = np.concatenate([drawn.get_offsets()[:, 1] for drawn in swarm.collections])
    assert np.abs(offsets - np.rint(offsets)).max() < 0.5


def test_inputs_of_any_model_are_known_and_the_title_says_what_is_moved(snapshots: Snapshots) -> None:
    task = ValueTask(("visits_91", "days_since_visit"))
    rows = task.examples(snapshots, [AS_OF - 182, AS_OF - 91])
    model = task.fit(rows, {**task.first, "rounds": 5}, 0)
    found = explain(task, model, rows, limit=30)
    assert found.contributions.names == (*task.features, *expectation.NAMES)
    assert not np.isnan(found.values).any()
    alive = found.values[:, found.contributions.names.index("pareto_nbd_alive")]
    assert 0 <= alive.min() < alive.max() <= 1
    assert found.about == "the factor on the spend that Pareto/NBD expects"
    assert explained.finding(found).startswith("The factor on the spend that Pareto/NBD expects moves most")


def _keys(rows: Any) -> list[tuple[str, int]]:
    return list(zip(rows.customer_id.tolist(), rows.as_of.tolist(), strict=True))
