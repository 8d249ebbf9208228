from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from features.errors import UserError
from training.datasets import Snapshots
from training.recommendation import candidates
from training.recommendation.candidates import DEFAULT, SOURCES, checked, choose
from training.recommendation.context import Context, OwnItems
from training.recommendation.examples import Collector
from training.recommendation.ledger import Ledger
from training.recommendation.task import Recommendation


def test_candidates_are_distinct_and_marked_as_own_or_new(collector: Collector) -> None:
    as_of = collector.until
    assortment = collector.assortment(as_of)
    items, covered = assortment.items, assortment.collaborative.covered
    own = OwnItems.of(items.recode(collector.histories), as_of)
    chosen = choose(Context.of(own, items, assortment.collaborative), items, covered)
    pairs = chosen.row * len(items) + chosen.item
    assert (np.diff(pairs) > 0).all()
    owned = own.row * len(items) + own.item
    assert np.array_equal(chosen.entry >= 0, np.isin(pairs, owned))
    mine = chosen.entry >= 0
    assert np.array_equal(own.item[chosen.entry[mine]], chosen.item[mine])
    # A small assortment is ranked whole: every item for every customer.
    assert len(pairs) == 60 * 28


@pytest.fixture(scope="module")
def narrow(collector: Collector) -> Callable[..., set[tuple[int, int, bool]]]:
    """(customer, item, new) that some sources name when each may name two items."""
    assortment = collector.assortment(collector.until)
    items, covered = assortment.items, assortment.collaborative.covered
    own = OwnItems.of(items.recode(collector.histories), collector.until)
    context = Context.of(own, items, assortment.collaborative)

    def of(*sources: str) -> set[tuple[int, int, bool]]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("OWN", "TYPES", "LINES", "POPULAR", "TRIED", "PROMOTED"):
                patch.setattr(candidates, name, 2)
            patch.setattr(candidates, "COLLABORATIVE", (2, 2))
            found = choose(context, items, covered, sources)
        return set(zip(found.row.tolist(), found.item.tolist(), (found.entry < 0).tolist(), strict=True))

    return of


def test_each_source_adds_what_it_stands_for(narrow: Callable[..., set[tuple[int, int, bool]]]) -> None:
    assert not any(new for _, _, new in narrow("own"))
    assert len(narrow("own")) == 2 * 60
    for source in ("popular", "tried"):
        assert len({item for _, item, _ in narrow(source)}) == 2
    union = set().union(*(narrow(source) for source in SOURCES))
    assert narrow(*SOURCES) == union
    assert narrow() == set()


def test_of_new_items_only_the_others_are_left_out(collector: Collector) -> None:
    assortment = collector.assortment(collector.until)
    items, covered = assortment.items, assortment.collaborative.covered
    own = OwnItems.of(items.recode(collector.histories), collector.until)
    context = Context.of(own, items, assortment.collaborative)
    both, new = choose(context, items, covered), choose(context, items, covered, new_only=True)
    kept = both.entry < 0
    assert (new.entry == -1).all()
    assert np.array_equal(new.row, both.row[kept])
    assert np.array_equal(new.item, both.item[kept])


def test_the_best_of_a_source_are_over_zero() -> None:
    scores = np.array([[0.0, 3.0, 1.0, 2.0], [0.0, 0.0, -1.0, 5.0], [0.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    assert [sorted(candidates.highest(row, 2).tolist()) for row in scores] == [[1, 3], [3], []]


def test_types_and_lines_name_new_items_of_the_camp(
    collector: Collector, narrow: Callable[..., set[tuple[int, int, bool]]]
) -> None:
    """Customers of the red camp never bought blue types: what their types sell is red."""
    items = collector.assortment(collector.until).items
    red = np.char.startswith(items.product_id, "red")
    for source in ("types", "lines"):
        right = [red[item] == (row % 2 == 0) for row, item, new in narrow(source) if new]
        assert np.mean(right) > 0.5


def test_what_is_at_a_discount_of_late_is_promoted(town: Snapshots, collector: Collector) -> None:
    items = Collector(Ledger.read(town), town.until).assortment(town.until).items
    assert items.product_id[items.most_promoted].tolist() == ["blue07"]
    # Without any discount nothing is, rather than anything.
    assert len(collector.assortment(collector.until).items.most_promoted) == 0


def test_the_default_sources_are_those_whose_lists_are_the_best() -> None:
    assert Recommendation().sources == DEFAULT
    assert set(SOURCES) - set(DEFAULT) == {"promoted", "here"}


def test_sources_are_checked_and_in_their_own_order() -> None:
    assert checked(["popular", "own"]) == ("own", "popular")
    with pytest.raises(UserError, match="did you mean 'popular'"):
        checked(["populer"])


def test_of_what_can_be_had_every_source_names_its_best(collector: Collector) -> None:
    assortment = collector.assortment(collector.until)
    items, covered = assortment.items, assortment.collaborative.covered
    own = OwnItems.of(items.recode(collector.histories), collector.until)
    stocked = np.zeros(len(items), dtype=np.bool_)
    stocked[3::4] = True
    context = Context.of(own, items, assortment.collaborative)
    for source in DEFAULT:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("OWN", "TYPES", "LINES", "POPULAR", "TRIED"):
                patch.setattr(candidates, name, 2)
            patch.setattr(candidates, "COLLABORATIVE", (2, 2))
            found = choose(context, items, covered, (source,), stocked=stocked)
        assert len(found) >= own.customers, "what cannot be had takes nobody's place"
        assert stocked[found.item].all()
    best = [item for item in items.popular.tolist() if stocked[item]][:2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "POPULAR", 2)
        found = choose(context, items, covered, ("popular",), stocked=stocked)
    assert sorted(best) == sorted(set(found.item.tolist()))
