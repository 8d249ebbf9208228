from __future__ import annotations

import numpy as np

from training.recommendation.decay import OLDEST, Decay


def test_halves_with_every_half_life() -> None:
    assert Decay(30)(np.array([0, 30, 60])).tolist() == [1.0, 0.5, 0.25]


def test_a_very_old_purchase_has_the_weight_of_the_oldest() -> None:
    weights = Decay(500)(np.array([OLDEST, OLDEST + 10_000]))
    assert weights[0] == weights[1] > 0
