from __future__ import annotations

import numpy as np

from training.recommendation.candidates import choose
from training.recommendation.context import Context, OwnItems
from training.recommendation.examples import Collector


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
