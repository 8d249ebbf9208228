from __future__ import annotations

import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from features import catalogue
from features.catalogue import NAMES, catalogue_hash, declarations_hash
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from training import boosting
from training.fitted import FORMAT, SUPPORT, Fitted, UnusableModelError, outdated

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
    booster = boosting.fit(boosting.Binned(x, x[:, 0] > 0, ("a", "b")), TREES, 0, objective="binary:logistic")
    arrays = {"ids": np.array(["p1", "p22"]), "prices": np.array([1.5, np.nan])}
    return Fitted(
        "churn", {"trees": booster}, arrays, {"as_of": 17000, "features": ["spend_91", "own_input"]}
    )


def test_what_is_saved_is_what_is_loaded(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = Fitted.load(tmp_path / "model")
    assert again.digest() == fitted.digest()
    assert again.meta == fitted.bound().meta
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


def test_a_model_is_bound_to_what_it_reads(fitted: Fitted) -> None:
    bound = fitted.bound()
    assert set(bound.meta["reads"]) == {"spend_91", *SUPPORT}
    assert bound.meta["declarations_hash"] == declarations_hash(bound.meta["reads"])
    assert bound.bound() is bound
    assert set(SUPPORT) <= set(NAMES)
    # A task whose inputs are its own says what they are made of, or reads no feature at all.
    assert Fitted("own", {}, {}, {"features": ["own_input"]}).bound().meta["reads"] == []
    named = Fitted("own", {}, {}, {"features": ["own_input"], "reads": ["spend_91"]}).bound()
    assert named.meta["reads"] == ["spend_91"]


def changed(monkeypatch: pytest.MonkeyPatch, name: str, /, **facts: str) -> None:
    """Declare a feature otherwise from now on."""
    now = [replace(each, **facts) if each.name == name else each for each in catalogue.DECLARATIONS]
    monkeypatch.setattr(catalogue, "DECLARATIONS", tuple(now))
    by_name = {each.name: each for each in now}
    monkeypatch.setattr(catalogue, "BY_NAME", by_name)
    monkeypatch.setattr("training.fitted.BY_NAME", by_name)
    monkeypatch.setattr(catalogue, "NAMES", tuple(each.name for each in now if not each.part))


def test_a_model_of_other_features_is_refused(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted.save(tmp_path)
    with monkeypatch.context() as unrelated:
        changed(unrelated, "spend_28", unit="moons")
        assert Fitted.load(tmp_path).as_of == 17000
    with monkeypatch.context() as patched:
        changed(patched, "spend_91", unit="moons")
        with pytest.raises(UserError, match=r"other feature declarations.*nextbest train churn") as refused:
            Fitted.load(tmp_path)
        assert refused.value.exit_code is ExitCode.NOT_BUILT
    with monkeypatch.context() as patched:
        changed(patched, "spend_91", name="spend_91_days")
        with pytest.raises(UserError, match="reads 'spend_91', which is not declared any more"):
            Fitted.load(tmp_path)


def test_format_1_knows_only_the_whole_catalogue(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    stored = read_json(tmp_path / "meta.json")
    old = {name: stored[name] for name in stored if name not in ("declarations_hash", "reads")}
    old |= {"format": 1, "catalogue_hash": catalogue_hash()}
    write_json(tmp_path / "meta.json", old)
    again = Fitted.load(tmp_path)
    assert again.digest(facts=False) == fitted.digest(facts=False)
    assert again.meta == {**fitted.meta, "catalogue_hash": catalogue_hash()}
    write_json(tmp_path / "meta.json", {**old, "catalogue_hash": "0" * 64})
    with pytest.raises(UserError, match="other feature declarations: catalogue 000000000000"):
        Fitted.load(tmp_path)
    assert outdated({}, {}) is not None


@pytest.mark.parametrize("number", [1, 2])
def test_before_format_3_the_digest_was_of_boosters_and_arrays(
    fitted: Fitted, tmp_path: Path, number: int
) -> None:
    fitted.save(tmp_path)
    old = {**read_json(tmp_path / "meta.json"), "format": number, "code": "0" * 64}
    write_json(tmp_path / "meta.json", old)
    digest = fitted.digest(facts=False)
    assert Fitted.load(tmp_path, digest).meta == {**fitted.bound().meta, "code": "0" * 64}
    # A model of today's format does not pass for an older one whose facts were not looked at.
    for stated in (FORMAT, number):
        write_json(tmp_path / "meta.json", {**fitted.facts(), "format": stated, "as_of": 1})
        with pytest.raises(UnusableModelError, match="not those that were trained"):
            Fitted.load(tmp_path, fitted.digest())


def test_loading_unpickles_nothing(fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted.save(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    again = Fitted.load(tmp_path)
    x = np.zeros((1, 2), dtype=np.float32)
    assert boosting.predict(again.boosters["trees"], x) == boosting.predict(fitted.boosters["trees"], x)
    # Somebody else's file with an object in it is not read.
    np.savez(tmp_path / "arrays.npz", bad=np.array([object()]))
    with pytest.raises(UserError, match=r"model churn is damaged.*allow_pickle=False"):
        Fitted.load(tmp_path)


def test_a_newer_format_and_an_empty_folder_are_refused(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    write_json(tmp_path / "meta.json", {**read_json(tmp_path / "meta.json"), "format": FORMAT + 1})
    with pytest.raises(UserError, match=f"reads up to {FORMAT}"):
        Fitted.load(tmp_path)
    with pytest.raises(UserError, match="holds no model"):
        Fitted.load(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["trees.ubj", "arrays.npz"])
def test_a_damaged_file_is_refused_in_a_sentence(fitted: Fitted, tmp_path: Path, name: str) -> None:
    fitted.save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    assert Fitted.load(tmp_path, fitted.digest()).digest() == fitted.digest()
    for part in (b"", whole[:100], whole[: len(whole) // 2], whole[:-1], b"x" * len(whole)):
        (tmp_path / name).write_bytes(part)
        for digest in (None, fitted.digest()):
            with pytest.raises(UserError, match=r"model churn is damaged: .*Restore the file, or run") as no:
                Fitted.load(tmp_path, digest)
            assert "pickle" not in str(no.value)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=f"{name}: it is missing") as refused:
        Fitted.load(tmp_path)
    assert refused.value.exit_code is ExitCode.NOT_BUILT


def test_a_changed_file_is_refused_by_the_digest(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    np.savez(tmp_path / "arrays.npz", **{**fitted.arrays, "prices": np.array([1.5, 2.0])})
    assert Fitted.load(tmp_path).arrays["prices"][1] == 2.0
    with pytest.raises(UserError, match=r"model churn is damaged: .*not those that were trained"):
        Fitted.load(tmp_path, fitted.digest())


def test_every_fact_is_under_the_digest(fitted: Fitted, tmp_path: Path) -> None:
    fitted.with_meta(priors={"probability": 0.25}, at=np.float32(1.5), span=(1, 2)).save(tmp_path)
    facts = read_json(tmp_path / "meta.json")
    digest = Fitted.load(tmp_path).digest()
    assert Fitted.load(tmp_path, digest).meta["priors"] == {"probability": 0.25}
    for name, value in {"priors": {"probability": 0.26}, "span": [2, 1], "reads": [], "more": None}.items():
        write_json(tmp_path / "meta.json", {**facts, name: value})
        with pytest.raises(UnusableModelError, match=r"model churn is damaged: .*not those that") as refused:
            Fitted.load(tmp_path, digest)
        assert refused.value.reason == f"it is damaged, {tmp_path}: its files are not those that were trained"


def test_facts_that_are_no_facts_of_a_model_are_refused(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    facts = read_json(tmp_path / "meta.json")
    for name in ("task", "format", "boosters", "reads"):
        write_json(tmp_path / "meta.json", {key: facts[key] for key in facts if key != name})
        with pytest.raises(UserError, match=f"model churn is damaged: .*it has no '{name}'"):
            Fitted.load(tmp_path, task="churn")
        write_json(tmp_path / "meta.json", {**facts, name: {}})
        with pytest.raises(UserError, match=f"model churn is damaged: .*its '{name}' is no "):
            Fitted.load(tmp_path, task="churn")
    (tmp_path / "meta.json").write_text('{"task": "chu', encoding="utf-8")
    with pytest.raises(UserError, match=r"model churn is damaged: .*cannot be read as JSON"):
        Fitted.load(tmp_path, task="churn")


def test_the_digest_sees_every_part(fitted: Fitted) -> None:
    changed = {**fitted.arrays, "prices": np.array([1.5, 2.0])}
    assert Fitted("churn", fitted.boosters, changed, {}).digest() != fitted.digest()
    assert Fitted("churn", {}, fitted.arrays, {}).digest() != fitted.digest()
    assert fitted.with_meta(seed=9).digest() != fitted.digest() == fitted.bound().digest()
    assert fitted.with_meta(seed=9).digest(facts=False) == fitted.digest(facts=False)
    assert isinstance(fitted.boosters["trees"], xgb.Booster)
