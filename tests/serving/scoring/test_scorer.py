from __future__ import annotations

import numpy as np
import pytest

from features.errors import ExitCode, UserError
from features.evaluators import offline
from features.shrinkage import shrunk
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.scoring import scorer, scores
from serving.scoring.scorer import Champions
from training.churn import Churn


def test_scores_do_not_depend_on_who_else_is_scored(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day])
    labels = engine.canonical.source.labels
    everybody = scorer.score(engine.champions, matrix, labels)
    for row in range(0, len(matrix), 11):
        alone = scorer.score(engine.champions, matrix.take(np.array([row])), labels)
        assert alone.status()[0] == everybody.status()[row]
        for name, column in everybody.columns.items():
            np.testing.assert_allclose(alone.columns[name][0], column[row], rtol=0, atol=1e-12)


def test_probabilities_never_fall_with_the_horizon(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day])
    columns = scorer.score(engine.champions, matrix, engine.canonical.source.labels).columns
    scored = ~np.isnan(columns["p_visit_7"])
    assert scored.any()
    assert (columns["p_visit_7"][scored] <= columns["p_visit_14"][scored]).all()
    assert (columns["p_visit_14"][scored] <= columns["p_visit_28"][scored]).all()


def test_a_task_without_a_champion_is_null_for_all_and_says_why(engine: Engine) -> None:
    some = {task: model for task, model in engine.champions.registered.items() if task != "churn"}
    poorer = Champions(some, {"churn": "churn: no champion yet"})
    matrix = offline.compute(engine.canonical, [engine.clock_day]).take(np.arange(20))
    found = scorer.score(poorer, matrix, engine.canonical.source.labels)
    assert np.isnan(found.columns["churn_probability"]).all()
    assert all(text.startswith("churn: no champion yet") for text in found.status())
    assert scorer.priors(poorer).status()[0] == "churn: no champion yet"
    assert np.isnan(scorer.priors(poorer).columns["churn_probability"][0])


def test_customers_with_too_little_history_have_shrunken_scores(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day])
    labels = engine.canonical.source.labels
    everybody = scorer.score(engine.champions, matrix, labels)
    few = ~Churn().eligible(matrix, labels)
    assert 0 < few.sum() < len(matrix)
    for task in scorer.SHRUNK:
        for name in scorer.FIELDS[task].values():
            assert np.isfinite(everybody.columns[name]).all()
    for origin in (everybody.origins[task] for task in scorer.SHRUNK):
        assert set(origin.basis[few]) == {"shrunk"}
        assert set(origin.basis[~few]) == {"model"}
        assert ((origin.own_weight[few] >= 0) & (origin.own_weight[few] < 1)).all()
        assert all(parent.startswith("segment ") for parent in origin.parent[few])
        assert np.isnan(origin.own_weight[~few]).all()
        assert set(origin.parent[~few]) == {None}
    chance = everybody.columns["churn_probability"][few]
    np.testing.assert_array_equal(chance > 0.5, everybody.columns["expected_days"][few] > 28)
    for row in np.flatnonzero(few)[::3]:
        alone = scorer.score(engine.champions, matrix.take(np.array([row])), labels)
        for name, column in everybody.columns.items():
            np.testing.assert_array_equal(alone.columns[name], column[[row]])
        for task, origin in everybody.origins.items():
            assert alone.origins[task].of(0) == origin.of(row)


def test_a_stranger_is_nothing_but_the_base(engine: Engine) -> None:
    found = scorer.priors(engine.champions)
    nothing_own = {"basis": "shrunk", "own_weight": 0.0, "parent": "all"}
    assert all(
        found.origins[task].of(0) == nothing_own
        for task in engine.champions.registered
        if task in found.origins
    )


def test_figures_are_drawn_to_the_base_of_the_champion(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day])
    found = [scorer.figures(engine.champions, matrix.take(np.array([row]))) for row in range(len(matrix))]
    assert {figure.name for each in found for figure in each} == {figure.name for figure in shrunk.FIGURES}
    assert all(0 <= figure.own_weight <= 1 for each in found for figure in each)
    spend = [next(figure for figure in each if figure.name == "spend_per_visit") for each in found]
    order = np.argsort(np.nan_to_num(matrix.column("visits_91")), kind="stable")
    assert (np.diff([spend[row].own_weight for row in order]) >= 0).all()
    assert scorer.figures(Champions({}, {}), matrix) == ()


def test_no_rows_give_no_scores(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day]).take(np.arange(0))
    found = scorer.score(engine.champions, matrix, engine.canonical.source.labels)
    assert all(len(column) == 0 for column in found.columns.values())
    assert len(found.status()) == 0


def test_a_workspace_without_any_champion_says_what_to_run() -> None:
    nobody = Champions({}, {"churn": "churn: no champion yet"})
    with pytest.raises(UserError, match="nextbest promote --all") as caught:
        nobody.require()
    assert caught.value.exit_code == ExitCode.NOT_BUILT


def test_the_registry_is_asked_for_every_task(slice_workspace: Workspace, engine: Engine) -> None:
    loaded = Champions.load(slice_workspace)
    # The slice has no contacts, so nobody's response can be learned.
    assert set(loaded.registered) == set(scores.TASKS) - {"response"}
    assert loaded.missing == {}
    described = loaded.describe(engine.clock_day)
    assert {task: described[task]["horizon_days"] for task in scores.CORE} == dict.fromkeys(scores.CORE, 28)
    earliest = min(model.as_of for model in loaded.registered.values())
    assert loaded.from_the_future(earliest - 1)
    loaded.check(earliest - 1, allow_future=True)
    with pytest.raises(UserError, match="the service may start it with --allow-future-model"):
        loaded.check(earliest - 1, allow_future=False)


def test_a_task_that_the_source_cannot_support_is_not_advised(workspace_without_products: Workspace) -> None:
    missing = Champions.load(workspace_without_products).missing
    assert list(missing) == ["recommendation"]
    assert missing["recommendation"].startswith("recommendation: not possible with this source: ")
    assert "product_id" in missing["recommendation"]
    assert "nextbest train" not in missing["recommendation"]


def test_how_scores_would_come_about_is_known_without_them(engine: Engine) -> None:
    matrix = offline.compute(engine.canonical, [engine.clock_day])
    labels = engine.canonical.source.labels
    whole, none = (scorer.score(engine.champions, matrix, labels, wanted) for wanted in (scores.TASKS, ()))
    assert all(np.isnan(column).all() for column in none.columns.values())
    assert set(none.origins) == set(scorer.SHRUNK)
    for task, origin in none.origins.items():
        assert [origin.of(row) for row in range(len(matrix))] == [
            whole.origins[task].of(row) for row in range(len(matrix))
        ]
    some = scorer.score(engine.champions, matrix, labels, ["churn"])
    np.testing.assert_array_equal(some.columns["churn_probability"], whole.columns["churn_probability"])
    assert np.isnan(some.columns["p_visit_7"]).all()


def test_the_facts_about_models_are_those_of_the_day(engine: Engine) -> None:
    day = engine.clock_day
    for asked in (day, day - 400, day):
        facts = engine.champions.describe(asked)["churn"]
        assert facts["future"] is (asked < day)
        assert facts["horizon_days"] == 28
