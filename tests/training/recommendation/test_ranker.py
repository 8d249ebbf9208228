from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.errors import UserError
from training.recommendation import ranker
from training.recommendation.examples import Collector
from training.recommendation.task import Recommendation


def test_only_what_was_bought_or_only_what_was_not_cannot_be_learned(collector: Collector) -> None:
    block = collector.block(collector.until - 28, sample=True)
    for label in (np.zeros_like(block.label), np.ones_like(block.label)):
        with pytest.raises(UserError, match="cannot be learned"):
            ranker.train([replace(block, label=label)], Recommendation.first, 0)


def test_rows_bound_what_is_learned_from(collector: Collector) -> None:
    block = collector.block(collector.until - 28, sample=True)
    half = ranker._drawn(block, 0.5, 0)
    assert 0.3 < len(half) / len(block.row) < 0.7
    assert len(ranker._drawn(block, 1.0, 0)) == len(block.row)
