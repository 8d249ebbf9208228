"""What sells in the customer's store: known answers, point in time, the same alone and in company."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.datasets import Snapshots
from training.recommendation.assortment import Assortment
from training.recommendation.candidates import SOURCES
from training.recommendation.here import LISTED, Here
from training.recommendation.histories import Histories
from training.recommendation.ledger import Ledger
from training.recommendation.recommender import recommend
from training.recommendation.task import Recommendation
from training.registry import flavor

from .test_recommender import rows_of, same


@pytest.fixture(scope="module")
def ledger(town: Snapshots) -> Ledger:
    return Ledger.read(town)


@pytest.fixture(scope="module")
def here(town: Snapshots, ledger: Ledger) -> Here:
    return Here.at(ledger, ledger.items(town.until), town.until)


def test_a_store_lists_what_it_sells_most_first(town: Snapshots, ledger: Ledger, here: Here) -> None:
    assert here.stores.tolist() == ["a north", "b south", "c new"]
    names = ledger.products[ledger.items(town.until)]
    for store, camp in enumerate(("red", "blue")):
        listed = here.best[store][here.best[store] >= 0]
        assert len(set(listed.tolist())) == len(listed) <= LISTED
        best = np.char.startswith(names[listed], camp)
        assert best[:10].mean() > 0.8
        sold = np.zeros(len(names))
        lines = np.flatnonzero((ledger.store == store) & np.isin(ledger.product, ledger.items(town.until)))
        place = np.searchsorted(ledger.items(town.until), ledger.product[lines])
        np.add.at(sold, place, 0.5 ** ((town.until - ledger.day[lines]) / 28))
        assert sold[listed] == pytest.approx(np.sort(sold)[::-1][: len(listed)])


def test_the_store_is_the_one_with_most_baskets_as_of_the_day(town: Snapshots, here: Here) -> None:
    histories = Histories.read(town.connect()).select(["c00", "c01", "nobody"])
    found = here.lists(histories, town.until)
    assert np.array_equal(found, np.stack([here.best[0], here.best[1], np.full(LISTED, -1)]))
    assert histories.stores is not None
    # Known only later, or on the day itself: nothing is read of it.
    days = np.full_like(histories.stores.day, town.until)
    late = replace(histories, stores=replace(histories.stores, known_day=days))
    assert (here.lists(late, town.until) == -1).all()
    assert (here.lists(replace(histories, stores=None), town.until) == -1).all()
    # A year ago in the north ten times, of late in the south twice: the south it is.
    moved = Histories(
        np.array(["m"]),
        np.array(["b south", "a north", "closed"]),
        np.array([0, 3]),
        np.array([1, 0, 2], dtype=np.int32),
        np.array([town.until - 365, town.until - 1, town.until - 1], dtype=np.int32),
        np.array([town.until - 365, town.until - 1, town.until - 1], dtype=np.int32),
        np.array([10, 2, 99], dtype=np.int32),
    )
    assert np.array_equal(here.lists(replace(moved, stores=moved), town.until), here.best[[1]])


def test_tables_cut_at_the_day_give_the_same_lists(town: Snapshots, ledger: Ledger, tmp_path: Path) -> None:
    day = town.until - 40
    cut = Snapshots(town.canonical.cut(day, tmp_path / "cut"), day)
    theirs = Ledger.read(cut)
    one, other = (
        Assortment.at(each, each.histories(), day, SOURCES).arrays() for each in (ledger.cut(day), theirs)
    )
    assert one.keys() == other.keys() >= {"here_stores", "here_best"}
    assert all(np.array_equal(one[name], other[name]) for name in one)
    # A store that opened later is nowhere.
    assert one["here_stores"].tolist() == ["a north", "b south"]
    read = [Histories.read(each.connect()).select(["c00", "c01"]) for each in (town, cut)]
    made = Here.of(one)
    assert np.array_equal(*(made.lists(each, day) for each in read))


def test_a_model_with_every_source_is_the_same_stored_alone_and_in_company(
    town: Snapshots, tmp_path: Path
) -> None:
    task = Recommendation(SOURCES)
    assert task.options() == {"sources": list(SOURCES)}
    fitted = task.fit(task.examples(town, [town.until - 28]), {**task.first, "rounds": 20}, 0)
    histories = Histories.read(town.connect())
    together = recommend(fitted, histories, town.until)
    fitted.with_meta(as_of=town.until).save(tmp_path / "model")
    assert same(recommend(flavor.load_model(tmp_path / "model"), histories, town.until), together)
    for row in (0, 1, 30):
        alone = recommend(fitted, histories.slice(row, row + 1), town.until)
        assert rows_of(alone, np.ones(len(alone), bool)) == rows_of(together, together.row == row)
