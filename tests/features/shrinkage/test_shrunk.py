from __future__ import annotations

import math

import numpy as np
import pytest

from features import clock
from features.canonical import Canonical
from features.evaluators import offline
from features.shrinkage import shrunk
from features.shrinkage.shrunk_app import figures

T = 400


def lines(last: int = T + 20):
    """Six stores in each of two areas, the south's customers spend more; two stores of one customer."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(12):
        level = (1000 if number < 6 else 3000) + 100 * number
        for customer in range(15):
            days = T - 91 + np.sort(rng.choice(91, 1 + int(rng.poisson(3)), replace=False))
            taste = level * rng.uniform(0.7, 1.3)
            for day in days:
                cents = int(taste * rng.uniform(0.6, 1.4))
                made.append((f"c{number:02d}-{customer:02d}", f"s{number:02d}", int(day), cents))
    made += [("small-1", "small", T - 3, 9000), ("small-1", "elsewhere", T - 30, 2000)]
    made += [("newcomer", "s00", T - 1, 4000), ("later", "s00", T, 10**7), ("small-1", "small", T + 5, 10**7)]
    return [
        {"customer_id": c, "store_id": s, "day": day, "amount_cents": cents, "product_id": "petrol"}
        for c, s, day, cents in made
        if day < last
    ]


AREAS = [{"store_id": f"s{n:02d}", "area": "north" if n < 6 else "south"} for n in range(12)]
AREAS += [{"store_id": "small", "area": "south"}, {"store_id": "elsewhere", "area": None}]


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace(lines(), tables={"stores": AREAS})


@pytest.fixture(scope="module")
def stores(workspace):
    return shrunk.stores(Canonical.open(workspace), T)


def named(figures_, name="spend_per_visit"):
    return next(figure for figure in figures_ if figure.name == name)


def test_a_store_with_few_customers_is_drawn_to_its_area_and_a_large_one_stands(stores):
    small, large, stray = (named(stores[name]) for name in ("small", "s11", "elsewhere"))
    assert (small.own, small.parent) == (9000.0, "area south")
    assert small.own_weight < 0.4
    assert large.own_weight > 0.6
    assert 3000 < small.parent_value < 5000
    assert abs(large.value - large.own) < 200
    assert stray.parent == "all"
    north = named(stores["s00"])
    assert north.parent == "area north"
    assert north.parent_value < small.parent_value - 1500


def test_every_value_is_what_its_weight_says(stores, workspace):
    matrix = offline.compute(Canonical.open(workspace), [T], names=shrunk.inputs()).columns()
    priors = shrunk.customer_priors(matrix)
    customers = [shrunk.customer(priors, matrix, row) for row in range(len(matrix["tenure_days"]))]
    for figure in (f for each in [*stores.values(), *customers] for f in each):
        assert 0 <= figure.own_weight <= 1
        assert 0 <= figure.parent_own_weight <= 1
        if math.isnan(figure.own):
            assert (figure.own_weight, figure.value) == (0, figure.parent_value)
        else:
            expected = figure.own_weight * figure.own + (1 - figure.own_weight) * figure.parent_value
            assert figure.value == pytest.approx(expected)


def test_a_newcomer_has_the_figures_of_others_and_a_regular_the_own(workspace):
    date = str(clock.to_date(T))
    new = figures(workspace, "newcomer", date)
    rate, spend = (named(new.figures, name) for name in ("visits_per_week", "spend_per_visit"))
    assert math.isnan(rate.own)
    assert rate.own_weight == 0
    assert rate.value == rate.parent_value > 0
    assert rate.parent == spend.parent == "segment first_28"
    assert 0 < spend.own_weight < named(figures(workspace, "c11-00", date).figures).own_weight
    assert named(new.figures, "fuel_visit_share").value == pytest.approx(1.0)


def test_nothing_at_or_after_the_as_of_is_read(workspace, make_workspace, stores):
    cut = make_workspace(lines(last=T), tables={"stores": AREAS})
    assert repr(shrunk.stores(Canonical.open(cut), T)) == repr(stores)
    date = str(clock.to_date(T))
    assert repr(figures(cut, "small-1", date)) == repr(figures(workspace, "small-1", date))


def test_without_areas_products_and_discounts_there_is_all(make_workspace):
    poor = shrunk.stores(Canonical.open(make_workspace(lines(), None)), T)
    assert {figure.parent for each in poor.values() for figure in each} == {"all"}
    assert math.isnan(named(poor["small"], "fuel_visit_share").value)
    assert named(poor["small"], "discount_share").value == 0


def test_one_customer_alone_has_figures(make_workspace):
    canonical = Canonical.open(make_workspace(lines()[:1]))
    matrix = offline.compute(canonical, [T], names=shrunk.inputs()).columns()
    for figure in shrunk.customer(shrunk.customer_priors(matrix), matrix):
        assert (figure.own_weight, figure.value) == pytest.approx((0, figure.parent_value), nan_ok=True)
    assert len(shrunk.stores(canonical, T)) == 1
    assert shrunk.stores(canonical, T + 200) == {}


def test_a_customer_without_a_history_is_in_no_segment():
    columns = {name: np.array([np.nan, 5.0]) for name in shrunk.inputs()}
    assert shrunk.segment(columns).tolist() == [None, "first_28"]
