from __future__ import annotations

import numpy as np

from training.datasets import Snapshots
from training.recommendation.assortment import Assortment
from training.recommendation.examples import Collector
from training.recommendation.ledger import Ledger


def test_tables_cut_at_the_day_give_the_same_assortment(collector: Collector, cut_shop: Snapshots) -> None:
    ledger = Ledger.read(cut_shop)
    cut = Assortment.at(ledger, ledger.histories(), cut_shop.until).arrays()
    whole = collector.assortment(cut_shop.until).arrays()
    assert cut.keys() == whole.keys()
    for name, array in whole.items():
        assert np.array_equal(array, cut[name]), name
