from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from features.catalogue import catalogue_hash
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from training import boosting
from training.fitted import FORMAT, Fitted

TREES = {
    "max_depth": 2,
    "rounds": 5,
    "learning_rate": 0.3,
    "min_child_weight": 1.0,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_lambda": 1.0,
}


@pytest.fixture
def fitted() -> Fitted:
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    booster = boosting.train(x, x[:, 0] > 0, ("a", "b"), TREES, 0, objective="binary:logistic")
    arrays = {"ids": np.array(["p1", "p22"]), "prices": np.array([1.5, np.nan])}
    return Fitted("churn", {"trees": booster}, arrays, {"as_of": 17000, "catalogue_hash": catalogue_hash()})


def test_what_is_saved_is_what_is_loaded(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = Fitted.load(tmp_path / "model")
    assert again.digest() == fitted.digest()
    assert again.meta == fitted.meta
    assert again.as_of == 17000
    assert again.arrays["ids"].tolist() == ["p1", "p22"]
    x = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    before, after = (boosting.predict(model.boosters["trees"], x) for model in (fitted, again))
    assert before.tobytes() == after.tobytes()


def test_no_file_holds_a_pickle(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "meta.json", "trees.ubj"]
    with zipfile.ZipFile(tmp_path / "arrays.npz") as stored:
        assert all(b"|O" not in stored.read(name)[:128] for name in stored.namelist())
    objects = Fitted("churn", {}, {"bad": np.array([object()])}, {})
    with pytest.raises(ValueError, match="allow_pickle"):
        objects.save(tmp_path / "objects")


def test_a_model_of_other_features_is_refused(fitted: Fitted, tmp_path: Path) -> None:
    fitted.with_meta(catalogue_hash="0" * 64).save(tmp_path)
    with pytest.raises(UserError, match=r"other feature declarations.*nextbest train churn") as refused:
        Fitted.load(tmp_path)
    assert refused.value.exit_code is ExitCode.NOT_BUILT


def test_a_newer_format_and_an_empty_folder_are_refused(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    write_json(tmp_path / "meta.json", {**read_json(tmp_path / "meta.json"), "format": FORMAT + 1})
    with pytest.raises(UserError, match=f"reads up to {FORMAT}"):
        Fitted.load(tmp_path)
    with pytest.raises(UserError, match="holds no model"):
        Fitted.load(tmp_path / "nothing")


def test_the_digest_sees_every_part(fitted: Fitted) -> None:
    changed = {**fitted.arrays, "prices": np.array([1.5, 2.0])}
    assert Fitted("churn", fitted.boosters, changed, {}).digest() != fitted.digest()
    assert Fitted("churn", {}, fitted.arrays, {}).digest() != fitted.digest()
    assert fitted.with_meta(seed=9).digest() == fitted.digest()
    assert isinstance(fitted.boosters["trees"], xgb.Booster)
