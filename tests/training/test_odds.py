from __future__ import annotations

import numpy as np
import pytest

from training import odds


def test_log_odds_and_back() -> None:
    p = np.array([0.01, 0.5, 0.9])
    assert odds.log_odds(p)[1] == 0
    assert odds.of(odds.log_odds(p)) == pytest.approx(p)
    assert np.isfinite(odds.log_odds(np.array([0.0, 1.0]))).all()


def test_a_line_keeps_the_order_and_moves_the_level() -> None:
    p = np.array([0.01, 0.5, 0.9])
    assert odds.on_line(p, *odds.AS_IT_IS) == pytest.approx(p)
    assert odds.on_line(p, 1.0, np.log(2.0)) == pytest.approx(2 * p / (1 + p))
    assert (np.diff(odds.on_line(p, 0.5, -1.0)) > 0).all()
