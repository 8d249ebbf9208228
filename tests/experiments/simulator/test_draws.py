"""Numbers by address: each is what it is whatever else is drawn; distributions are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator import draws
from experiments.simulator.draws import EVERYBODY

MANY = np.arange(40_000)
U = draws.uniform(7, "test", MANY)


def test_a_number_depends_on_its_address_alone():
    whole = draws.uniform(1, "visits", np.arange(100), 5, 2)
    assert np.array_equal(draws.uniform(1, "visits", np.arange(40, 60), 5, 2), whole[40:60])
    assert draws.uniform(1, "visits", 41, np.array([4, 5]), 2)[1] == whole[41]
    assert draws.uniform(1, "visits", 41, 5, [[2]]).tolist() == [[whole[41]]]
    assert draws.uniform(1, "visits", EVERYBODY).shape == ()
    for address in ((3, 5, 2), (EVERYBODY, -4, -3), (2**40, 2**50, 7)):
        assert draws.uniform(1, "visits", *address) == draws.uniform(1, "visits", *np.array([address]).T)[0]


def test_the_number_of_an_address_never_changes():
    # Written worlds are compared over years: a change of these numbers changes every one of them.
    found = draws.uniform(0, "visits", [0, 1, EVERYBODY], 19723)
    assert found.tolist() == [0.9160430540412912, 0.34895130397874147, 0.13657145236449858]


def test_every_part_of_the_address_counts():
    orders = [(1, 2, 3), (2, 1, 3), (1, 3, 2), (3, 2, 1)]
    found = [draws.uniform(0, "a", *order) for order in orders]
    found += [draws.uniform(1, "a", 1, 2, 3), draws.uniform(0, "b", 1, 2, 3)]
    assert len({float(number) for number in found}) == len(found)


def test_numbers_are_uniform_and_neighbours_have_nothing_to_do_with_each_other():
    counts = np.bincount((U * 20).astype(int), minlength=20)
    assert (np.abs(counts - 2000) < 4.5 * np.sqrt(2000)).all()
    for other in (
        draws.uniform(7, "test", MANY + 1),
        draws.uniform(7, "test", MANY, 1),
        draws.uniform(8, "test", MANY),
    ):
        assert abs(np.corrcoef(U, other)[0, 1]) < 4.5 / np.sqrt(len(MANY))
    assert U.min() > 0
    assert U.max() < 1


@pytest.mark.parametrize(
    ("drawn", "mean", "variance"),
    [
        (draws.normal(U), 0, 1),
        (draws.lognormal(U, 0.5), 1, np.exp(0.25) - 1),
        (draws.exponential(U), 1, 1),
        (draws.gamma(U, 0.7), 1, 1 / 0.7),
        (draws.beta(U, 0.3, 4.0), 0.3, 0.3 * 0.7 / 5),
        (draws.poisson(U, 1.3), 1.3, 1.3),
        (draws.choice(U, [1, 0, 3]), 1.5, 0.75),
    ],
    ids=["normal", "lognormal", "exponential", "gamma", "beta", "poisson", "choice"],
)
def test_distributions_have_their_mean_and_variance(drawn: np.ndarray, mean: float, variance: float):
    error = np.sqrt(variance / len(MANY))
    assert abs(drawn.mean() - mean) < 4.5 * error
    assert drawn.var() == pytest.approx(variance, rel=0.1)


def test_a_larger_mean_never_lowers_a_count():
    less, more = draws.poisson(U, 0.8), draws.poisson(U, 0.9)
    assert (more >= less).all()
    assert 0 < (more > less).mean() < 0.1
    assert draws.poisson(np.array([0.999999]), 30.0, most=3).tolist() == [3]


def test_a_choice_may_have_weights_of_its_own_and_never_takes_one_of_0():
    weights = np.tile([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]], (len(MANY) // 2, 1))
    assert np.array_equal(draws.choice(U, weights), np.tile([1, 0], len(MANY) // 2))
    certain = np.array([np.nextafter(0, 1), np.nextafter(1, 0)])
    assert draws.choice(certain, [0.0, 0.1, 0.2, 0.0]).tolist() == [1, 2]


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 65_537])
def test_a_permutation_gives_every_number_once(size: int):
    found = draws.permute(3, "ids", np.arange(size), size)
    assert np.array_equal(np.sort(found), np.arange(size))
    assert np.array_equal(draws.permute(3, "ids", np.arange(size)[::-1], size), found[::-1])


def test_a_permutation_shows_no_order():
    found = draws.permute(3, "ids", np.arange(20_000), 20_000)
    assert abs(np.corrcoef(found, np.arange(20_000))[0, 1]) < 0.03
    assert not np.array_equal(found, draws.permute(4, "ids", np.arange(20_000), 20_000))
