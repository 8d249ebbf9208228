"""What an input means is said once, is what is computed, and binds the models that read it."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
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


def described(root: Path, departments: int) -> np.ndarray:
    """Inputs of all candidates in the shop of the tests, with all that tells one input from another.

    Prices, discounts, brands, makers, second baskets of a day, customers who came late or went early, and so
    many departments, whose categories hold items of several types.
    """
    sold, goods = lines(), products()
    place = sold["product_id"].str[-2:].replace("el", "99").astype(int)
    sold["amount"] += place / 4
    sold["discount"] = ((place + sold["occurred_at"].dt.day) % 3 == 0) * 0.5
    who, day = sold["customer_id"].str[1:].astype(int), sold["occurred_at"].dt.day_of_year
    came = ~((who % 4 == 1) & (day < 60 + who) | (who % 5 == 2) & (day > 200 - who))
    again = sold[came & (who % 3 == 0) & (day % 2 == 0) & (place % 3 > 0)]
    sold = pd.concat([sold[came], again.assign(basket_id=again["basket_id"] + " again")], ignore_index=True)
    number = np.arange(len(goods))
    goods["brand"] = np.where(number % 2, "own", "national")
    goods["manufacturer"] = [f"m{each % 5}" for each in number]
    sections = np.array([f"section {each % 3 % departments}" for each in number], dtype=object)
    fuel = goods["product_id"] == "fuel"
    goods["department"] = np.where(fuel, goods["department"], sections)
    goods["category"] = np.where(fuel, "fuel", sections + [f" shelf {each // 7}" for each in number])
    shop = open_snapshots(workspace(root, sold, goods))
    collector = Collector(Ledger.read(shop), shop.until)
    assortment = collector.assortment(shop.until)
    return assortment.describe(assortment.items.recode(collector.histories), shop.until)[2]


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return described(tmp_path_factory.mktemp("rich"), departments=3)


def figures(column: np.ndarray) -> list[float]:
    """Mean, known share, and two sums in which every row has a weight of its own, so that order counts."""
    there = ~np.isnan(column)
    mean = float(column[there].mean()) if there.any() else 0.0
    apart = np.where(there, column - mean, 0.0)
    waves = np.cos(np.outer([1.0, 2.0], np.arange(1, len(column) + 1) * np.sqrt(5.0)))
    sums = waves @ apart / max(float(np.linalg.norm(apart)), 1e-12)
    return [mean, float(there.mean()), *sums.tolist()]


def same(found: list[float], known: list[float]) -> bool:
    return found == pytest.approx(known, rel=1e-4, abs=1e-5)


def others(values: np.ndarray) -> list[str]:
    """The inputs whose figures are not those that are known under their words."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    by_name = dict(zip(INPUTS, values.T.astype(np.float64), strict=True))
    found = {f"{name}: {DECLARED[name]}": figures(column) for name, column in by_name.items()}
    new = {said: found[said] for said in found if said not in known}
    assert not new, f"new words: add {json.dumps(new)}"
    return [said.partition(":")[0] for said in found if not same(found[said], known[said])]


def test_the_words_and_what_is_computed_change_together(values: np.ndarray) -> None:
    """The figures of each input under its words.

    An input that is computed otherwise fails here until its words, or its version, say so, too.
    """
    assert others(values) == []


def test_the_figures_tell_every_input_from_every_other(values: np.ndarray) -> None:
    columns = values.T.astype(np.float64)
    assert [name for name, column in zip(INPUTS, columns, strict=True) if not np.nanstd(column) > 0] == []
    found = dict(zip(INPUTS, map(figures, columns), strict=True))
    alike = [(one, two) for one, two in combinations(INPUTS, 2) if same(found[one], found[two])]
    assert alike == []


def test_a_permutation_is_found(values: np.ndarray) -> None:
    draw = np.random.default_rng(0)
    # Two inputs in each other's place, some of all pairs: that figures differ is tried for all, above.
    for one, two in draw.permutation(list(combinations(range(len(INPUTS)), 2)))[:60]:
        swapped = values.copy()
        swapped[:, [one, two]] = swapped[:, [two, one]]
        assert others(swapped) == [INPUTS[place] for place in sorted((one, two))]
    # The right values, dealt to the wrong candidates.
    for place, name in enumerate(INPUTS):
        dealt = values.copy()
        dealt[:, place] = draw.permutation(dealt[:, place])
        assert others(dealt) == [name]


def test_one_department_would_not_do(tmp_path: Path) -> None:
    share = described(tmp_path / "one", departments=1)[:, INPUTS.index("department_share")]
    assert np.nanstd(share) < 1e-6, "what the shop of several departments is for"


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
