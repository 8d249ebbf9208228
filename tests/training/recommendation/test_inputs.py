from __future__ import annotations

import numpy as np

from training.recommendation.declarations import INPUTS
from training.recommendation.examples import Collector


def test_inputs_tell_own_from_new_and_are_known_where_they_can_be(collector: Collector) -> None:
    assortment = collector.assortment(collector.until)
    coded = assortment.items.recode(collector.histories)
    context, candidates, values = assortment.describe(coded, collector.until)
    column = {name: values[:, place] for place, name in enumerate(INPUTS)}
    own = candidates.entry >= 0
    assert values.shape == (len(candidates), len(INPUTS))
    assert values.dtype == np.float32
    assert (column["own_baskets"][own] >= 1).all()
    assert (column["own_baskets"][~own] == 0).all()
    assert np.isnan(column["own_last"][~own]).all()
    once = own & (context.own.days[candidates.entry] == 1)
    assert np.isnan(column["own_gap"][once]).all()
    assert np.isfinite(column["own_gap"][own & ~once]).all()
    for name in ("collaborative", "item_popularity_28", "since_visit", "category_share", "type_expected"):
        assert np.isfinite(column[name]).all()
    shares = column["department_share"]
    assert np.allclose(shares, 1.0)
