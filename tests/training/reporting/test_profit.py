"""A base of 100 customers with a known order, so that every profit can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from training.reporting import profit
from training.reporting.profit import Terms, advise, curve


def frame(n: int = 100) -> pd.DataFrame:
    """The first 20 customers by probability are positive, nobody else is."""
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "as_of": 17471,
            "churned": (np.arange(n) < n // 5).astype(int),
            "model.probability": np.linspace(0.99, 0.01, n),
        }
    )


def made(data: pd.DataFrame, **more: int) -> profit.Curve:
    return curve(data, "model.probability", "churned", **more)


def test_profit_is_counted_and_the_best_depth_is_where_the_positives_end() -> None:
    found = made(frame(), replicates=50)
    assert found.rate == 0.2
    assert found.found[[10, 20, 100]].tolist() == [10, 20, 20]
    advice = advise(found, Terms(50, 1200))
    assert (advice.best.depth, advice.best.contacts, advice.best.found) == (0.2, 20, 20)
    assert advice.best.profit_cents == 20 * 1200 - 20 * 50
    assert advice.everybody.profit_cents == 20 * 1200 - 100 * 50
    assert advice.break_even == pytest.approx(50 / 1200)
    assert advice.best.low_cents <= advice.best.profit_cents <= advice.best.high_cents
    assert advice.depth_low <= 0.2 <= advice.depth_high
    assert "not a measured lift" in advice.assumption


def test_contacts_stop_at_the_break_even_probability() -> None:
    advice = advise(made(frame()), Terms(100, 200))
    reached = frame()["model.probability"] >= 0.5
    assert advice.by_probability.contacts == reached.sum()
    assert advice.by_probability.profit_cents == 20 * 200 - reached.sum() * 100
    assert advice.by_probability.probability >= 0.5


def test_a_single_customer_who_is_worth_it_is_contacted() -> None:
    data = frame(2000).assign(**{"model.probability": np.r_[0.5, np.linspace(0.004, 0.001, 1999)]})
    advice = advise(made(data), Terms(100, 400))
    stop = advice.by_probability
    assert (stop.contacts, stop.depth, stop.probability) == (1, 1 / 2000, 0.5)
    assert advise(made(data), Terms(100, 150)).by_probability.contacts == 0


def test_the_first_hundredth_is_counted_in_thousandths() -> None:
    data = frame(10_000)
    assert made(data).contacts[:13].tolist() == [0, 1, *range(10, 101, 10), 200]
    assert made(data).depth[-1] == 1.0


def test_an_effect_makes_contacts_worth_less() -> None:
    half, whole = (advise(made(frame()), Terms(100, 1000, effect)) for effect in (0.5, 1.0))
    assert half.break_even == 2 * whole.break_even
    assert half.best.profit_cents == 20 * 500 - 20 * 100


def test_when_no_contact_pays_nobody_is_contacted() -> None:
    advice = advise(made(frame()), Terms(300, 200))
    assert advice.break_even == 1.5
    for stop in (advice.by_probability, advice.best):
        assert (stop.depth, stop.contacts, stop.profit_cents) == (0.0, 0, 0)


def test_rows_that_share_a_probability_share_their_positives_in_any_order() -> None:
    same = frame().assign(**{"model.probability": 0.3})
    forth, back = made(same), made(same.iloc[::-1])
    assert forth.found.tolist() == back.found.tolist() == np.rint(np.arange(101) * 0.2).tolist()


def test_the_interval_draws_households_not_rows() -> None:
    rng = np.random.default_rng(0)
    data = frame(400).assign(churned=(rng.random(400) < 0.3).astype(int))
    doubled = pd.concat([data, data.assign(as_of=17501)])
    single, twice = (advise(made(rows), Terms(100, 400)) for rows in (data, doubled))
    width = [(a.everybody.high_cents - a.everybody.low_cents) / a.rows for a in (single, twice)]
    assert width[1] == pytest.approx(width[0], rel=1e-6)
    assert twice.customers == 400


@pytest.mark.parametrize(
    ("given", "said"),
    [((0, 100), "cost is 0.00"), ((100, -5), "margin is -0.05"), ((1, 2, 1.5), "effect is 1.5")],
)
def test_terms_that_mean_nothing_are_refused(given: tuple[int, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Terms(*given)


def test_example_terms_do_not_pay_for_contacting_everybody() -> None:
    found = made(frame())
    assert advise(found, profit.example(found)).everybody.profit_cents < 0
