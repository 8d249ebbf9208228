"""What an input means is said once, is what is computed, and binds the models that read it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from training.datasets import open_snapshots
from training.fitted import Fitted
from training.recommendation import declarations
from training.recommendation.declarations import DECLARATIONS, DECLARED, INPUTS, Input
from training.recommendation.examples import Collector
from training.recommendation.ledger import Ledger
from training.recommendation.task import Recommendation
from training.registry import flavor

from .conftest import lines, products, workspace

KNOWN = Path(__file__).with_name("known_inputs.json")
SENTENCE = r"model recommendation was trained on other feature declarations: .*nextbest train recommendation"


def test_every_input_is_declared_once_in_words_that_stand_alone() -> None:
    assert len({each.name for each in DECLARATIONS}) == len(DECLARATIONS) == len(INPUTS) == 62
    assert len({each.meaning for each in DECLARATIONS}) == len(DECLARATIONS)
    assert (
        DECLARED["own_15"] == "baskets of the customer that held the item, each counting half after 15 days"
    )
    assert Input("a", "words").text == "words"
    assert Input("a", "words", 2).text == "words (version 2)"
    assert Recommendation.declared == declarations.DECLARED


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Inputs of all candidates in the shop of the tests, with prices, discounts, brands and makers."""
    sold, goods = lines(), products()
    place = sold["product_id"].str[-2:].replace("el", "99").astype(int)
    sold["amount"] += place / 4
    sold["discount"] = ((place + sold["occurred_at"].dt.day) % 3 == 0) * 0.5
    goods["brand"] = np.where(np.arange(len(goods)) % 2, "own", "national")
    goods["manufacturer"] = [f"m{number % 5}" for number in range(len(goods))]
    shop = open_snapshots(workspace(tmp_path_factory.mktemp("rich"), sold, goods))
    collector = Collector(Ledger.read(shop), shop.until)
    assortment = collector.assortment(shop.until)
    return assortment.describe(assortment.items.recode(collector.histories), shop.until)[2]


def test_the_words_and_what_is_computed_change_together(values: np.ndarray) -> None:
    """The mean and the known share of each input under its words.

    An input that is computed otherwise fails here until its words, or its version, say so, too.
    """
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    for name, column in zip(INPUTS, values.T.astype(np.float64), strict=True):
        there = ~np.isnan(column)
        found = [column[there].mean() if there.any() else 0.0, there.mean()]
        said = f"{name}: {DECLARED[name]}"
        assert said in known, f"{said!r} is new: add {found}"
        assert found == pytest.approx(known[said], rel=1e-4, abs=1e-6), said


@pytest.fixture
def stored(fitted: Fitted, tmp_path: Path) -> Path:
    fitted.with_meta(as_of=17000).save(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_of_other_inputs_is_refused(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert flavor.load_model(stored).meta["declared"] == DECLARED
    others = {
        r"\('own_15' is another\)": {**DECLARED, "own_15": "baskets of the customer, whatever they held"},
        r"\('weather' is another\)": {**DECLARED, "weather": "rain on the day"},
        r"\('tenure' is another\)": {name: DECLARED[name] for name in INPUTS if name != "tenure"},
        r"now [0-9a-f]{12}\.": dict(reversed(DECLARED.items())),
    }
    for which, declared in others.items():
        with monkeypatch.context() as changed:
            changed.setattr(Recommendation, "declared", declared)
            with pytest.raises(UserError, match=SENTENCE) as refused:
                flavor.load_model(stored)
            assert refused.value.exit_code is ExitCode.NOT_BUILT
            with pytest.raises(UserError, match=which):
                flavor.load_model(stored)
    assert flavor.load_model(stored).task == "recommendation"


def test_a_model_from_before_its_inputs_were_declared_has_to_be_trained_again(stored: Path) -> None:
    meta = read_json(stored / "meta.json")
    del meta["declared"]
    write_json(stored / "meta.json", meta)
    with pytest.raises(UserError, match=SENTENCE) as refused:
        flavor.load_model(stored)
    assert "what its inputs mean was not kept with it" in str(refused.value)
