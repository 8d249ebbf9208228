from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from training.recommendation import collaborative
from training.recommendation.collaborative import ROW_UNIT, Collaborative, Factors, Setting, whole_rows


def checkerboard(customers: int = 40, items: int = 12) -> sparse.csr_matrix:
    """Even customers own some of the even items, odd ones of the odd; the rest they lack."""
    draw = np.random.default_rng(3)
    camps = (np.arange(customers)[:, np.newaxis] % 2) == (np.arange(items) % 2)
    return sparse.csr_matrix(whole_rows((camps & (draw.random((customers, items)) < 0.7)).astype(np.float64)))


def test_the_camp_of_a_customer_scores_above_the_other() -> None:
    rows = checkerboard()
    factors = Factors.fit(rows, Setting(None, 6, 0.1))
    scores = factors.scores(factors.sums(rows))
    even = np.arange(12) % 2 == 0
    own_camp = np.where(np.arange(40)[:, np.newaxis] % 2 == 0, even, ~even)
    assert scores[own_camp].mean() > 0.3
    assert np.abs(scores[~own_camp]).max() < 0.01


def test_full_rank_is_ease_itself() -> None:
    draw = np.random.default_rng(0)
    rows = sparse.csr_matrix(whole_rows(draw.poisson(0.4, (50, 15)).astype(np.float64)))
    x = rows.toarray() / ROW_UNIT
    inverse = np.linalg.inv(x.T @ x + 0.4 * 50 * np.eye(15))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    factors = Factors.fit(rows, Setting(None, 15, 0.4))
    scores = factors.scores(factors.sums(rows))
    lacking = x == 0
    assert scores[lacking] == pytest.approx((x @ weights)[lacking], abs=2e-3)


def test_a_customer_has_the_same_bits_alone_and_in_company() -> None:
    rows = checkerboard(300, 40)
    factors = Factors.fit(rows, Setting(60.0, 16, 0.2))
    together = factors.scores(factors.sums(rows))
    for place in (0, 17, 299):
        assert np.array_equal(factors.scores(factors.sums(rows[[place]]))[0], together[place])


def test_contributions_sum_to_the_score_up_to_rounding() -> None:
    rows = checkerboard()
    factors = Factors.fit(rows, Setting(None, 6, 0.1))
    own = rows[0].indices
    adds = rows[0].data @ factors.contributions(np.array([1, 4]), own)
    scores = factors.scores(factors.sums(rows[[0]]))[0, [1, 4]]
    assert adds / (ROW_UNIT * 4096**2) == pytest.approx(scores, abs=1e-2)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), (0, 0), (4, 0)])
def test_degenerate_matrices(shape: tuple[int, int]) -> None:
    rows = sparse.csr_matrix(np.full(shape, 44.0))
    factors = Factors.fit(rows, Setting(None, 8, 0.4))
    scores = factors.scores(factors.sums(rows))
    assert scores.shape == shape
    assert np.isfinite(scores).all()


def test_the_artifact_gives_the_same_factors() -> None:
    rows = checkerboard()
    fitted = Collaborative.fit(np.arange(12), [rows, rows])
    again = Collaborative.of(fitted.arrays())
    one, other = (each.factors[1] for each in (again, fitted))
    assert np.array_equal(one.scores(one.sums(rows)), other.scores(other.sums(rows)))


def test_the_nearest_are_the_items_that_one_adds_most_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collaborative, "NEAREST", 5)
    factors = Factors.fit(checkerboard(300, 40), Setting(None, 16, 0.2))
    everything = np.arange(40)
    unit = collaborative.SCORE_UNIT / collaborative.PROFILE_UNIT
    adds = factors.contributions(everything, everything) * unit
    np.fill_diagonal(adds, 0.0)
    for item in range(40):
        near = factors.near(item)
        assert near.adds.tolist() == adds[item, near.items].astype(np.float32).tolist()
        assert near.adds.tolist() == np.sort(adds[item])[::-1][:5].astype(np.float32).tolist()


def test_scores_of_some_items_are_those_of_all() -> None:
    rows = checkerboard(300, 40)
    factors = Factors.fit(rows, Setting(None, 16, 0.2))
    some = np.array([3, 17, 39])
    sums = factors.sums(rows)
    assert np.array_equal(factors.scores(sums[5], some), factors.scores(sums)[5, some])
