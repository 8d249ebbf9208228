from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import optuna
import pytest
import xgboost as xgb

from training import boosting
from training.boosting import Binned

TREES = {
    "max_depth": 3,
    "rounds": 30,
    "learning_rate": 0.3,
    "min_child_weight": 1.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
}


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3)).astype(np.float32)
    x[::7, 2] = np.nan
    return x, (x[:, 1] + 0.1 * rng.normal(size=600)) > 0


def test_a_planted_rule_is_learned_and_its_input_comes_first(data) -> None:
    x, y = data
    booster = boosting.fit(Binned(x, y, ("noise", "rule", "gaps")), TREES, 0, objective="binary:logistic")
    p = boosting.predict(booster, x)
    assert p.dtype == np.float64
    assert ((p > 0.5) == y).mean() > 0.95
    shares = boosting.importance(booster)
    assert shares[0][0] == "rule"
    assert shares[0][1] > 0.8
    assert sum(share for _, share in shares) == pytest.approx(1.0)


def test_the_seed_decides_the_model_to_the_byte(data) -> None:
    rows = Binned(*data, ("a", "b", "c"))
    raw = [
        bytes(boosting.fit(rows, TREES, seed, objective="binary:logistic").save_raw("ubj"))
        for seed in (1, 1, 2)
    ]
    assert raw[0] == raw[1] != raw[2]


def test_classes_and_no_rows(data) -> None:
    x, _ = data
    rows = Binned(x, np.arange(600) % 3, ("a", "b", "c"))
    booster = boosting.fit(rows, TREES, 0, objective="multi:softprob", num_class=3)
    found = boosting.explain(booster, x, rows.names)
    assert found.values.shape == (600, 3)
    assert boosting.predict(booster, x).shape == (600, 3)
    assert len(boosting.predict(booster, x[:0])) == 0


def test_fits_at_the_same_time_are_what_they_are_alone(data) -> None:
    rows = Binned(*data, ("a", "b", "c"))

    def raw(seed: int) -> bytes:
        return bytes(boosting.fit(rows, TREES, seed, objective="binary:logistic").save_raw("ubj"))

    alone = [raw(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(raw, range(6))) == alone


def test_a_thread_bins_the_rows_once_and_knows_what_training_took(data) -> None:
    rows = Binned(*data, ("a", "b", "c"))
    before = boosting.spent()
    boosting.fit(rows, TREES, 0, objective="binary:logistic")
    binned, first = rows.matrix, boosting.spent()
    boosting.fit(rows, TREES, 1, objective="binary:logistic")
    assert rows.matrix is binned
    assert before < first < boosting.spent()


def test_those_that_share_binned_inputs_learn_what_they_learn_alone(data) -> None:
    x, y = data
    learnt = {"binary:logistic": (y, 0.5), "count:poisson": (np.round(2 + x[:, 0] ** 2), 1.5)}
    held: dict[int, Any] = {}

    def raw(objective: str, **more: Any) -> bytes:
        label, margin = learnt[objective]
        rows = Binned(x, label, ("a", "b", "c"), base_margin=margin * x[:, 1].astype(np.float64), **more)
        return bytes(boosting.fit(rows, TREES, 0, objective=objective).save_raw("ubj"))

    for objective in (*learnt, *learnt):
        assert raw(objective, held=held) == raw(objective)
    assert len(held) == 1


def test_contributions_add_up_to_the_margin(data) -> None:
    x, y = data
    booster = boosting.fit(Binned(x, y, ("noise", "rule", "gaps")), TREES, 0, objective="binary:logistic")
    found = boosting.explain(booster, x, ("noise", "rule", "gaps"))
    p = boosting.predict(booster, x)
    assert found.values.sum(axis=1) + found.base == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
    assert np.abs(found.values).mean(axis=0).argmax() == 1
    moved = found.scaled(2.0, 1.0)
    assert moved.values.sum(axis=1) + moved.base == pytest.approx(2 * np.log(p / (1 - p)) + 1, abs=1e-3)


def test_the_space_draws_every_setting_of_trees() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = boosting.space(study.ask(), depth=(2, 4), rounds=(10, 20))
    assert set(drawn) == set(TREES) == {*boosting.TREE_SETTINGS, "rounds"}
    assert 2 <= drawn["max_depth"] <= 4
    assert 10 <= drawn["rounds"] <= 20


@pytest.mark.parametrize("classes", [0, 3])
def test_rows_are_answered_to_the_last_bit_as_xgboost_does_and_one_as_among_many(data, classes: int) -> None:
    x, y = data
    label = np.arange(600) % classes if classes else y
    objective = (
        {"objective": "multi:softprob", "num_class": classes} if classes else {"objective": "binary:logistic"}
    )
    booster = boosting.fit(Binned(x, label, ("a", "b", "c")), TREES, 0, **objective)
    together = boosting.predict(booster, x)
    np.testing.assert_array_equal(together, booster.inplace_predict(x).astype(np.float64))
    for row in range(0, 600, 7):
        alone = boosting.predict(booster, x[[row]])
        np.testing.assert_array_equal(alone, together[[row]])
        assert alone.dtype == together.dtype
    # What comes next does not write over what was answered, and a row need not lie as C has it.
    first = boosting.predict(booster, np.asfortranarray(x)[:1])
    boosting.predict(booster, x[1:2])
    np.testing.assert_array_equal(first, together[:1])


def test_one_row_that_cannot_be_answered_is_an_error(data) -> None:
    x, y = data
    booster = boosting.fit(Binned(x, y, ("a", "b", "c")), TREES, 0, objective="binary:logistic")
    with pytest.raises(xgb.core.XGBoostError):
        boosting.predict(booster, np.zeros((1, 4), dtype=np.float32))
