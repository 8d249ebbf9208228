"""The picture of a comparison says what is outside its tolerance, and draws each measure as it is."""

from __future__ import annotations

import dataclasses

import numpy as np

from experiments.simulator.reality import DISTRIBUTIONS, MEASURES, compare
from experiments.simulator.reality_baskets import Baskets
from experiments.simulator.reality_figures import DAYS, Figures, figures
from experiments.simulator.reality_picture import picture

ALLOWED = dict.fromkeys(MEASURES, 0.05)


def base() -> Figures:
    """1,200 customers who come every 2 to 13 days."""
    days = [np.arange(n % 7, DAYS, 2 + n % 12) for n in range(1200)]
    customer = np.repeat(np.arange(1200), [len(of_one) for of_one in days])
    day = np.concatenate(days)
    size = 1 + (customer + day) % 4
    return figures(Baskets(customer, day, size, 100 * size + customer, (customer + day) % 3 > 0))


def test_the_title_says_what_is_outside() -> None:
    found = base()
    far = dataclasses.replace(found, gaps=found.gaps * 2)
    assert (
        picture(compare(found, far, ALLOWED)).get_suptitle()
        == "Outside the tolerance: days between two visits"
    )
    assert "within the tolerance on all 7" in picture(compare(found, found, ALLOWED)).get_suptitle()


def test_each_panel_draws_its_measure_of_both_sides() -> None:
    found = base()
    other = dataclasses.replace(
        found, visits_per_week=found.visits_per_week * 1.5, retention=found.retention - 0.1
    )
    figure = picture(compare(found, other, ALLOWED))
    panels = {panel.get_xlabel(): panel for panel in figure.axes}
    assert list(panels)[: len(DISTRIBUTIONS)] == list(DISTRIBUTIONS.values())
    real, simulated = (line.get_xdata() for line in panels[DISTRIBUTIONS["visits_per_week"]].lines)
    np.testing.assert_allclose(simulated, 1.5 * np.asarray(real))
    real, simulated = (line.get_ydata() for line in panels["month of 28 days since first seen"].lines)
    np.testing.assert_allclose(simulated, np.asarray(real) - 0.1)
    assert "too far" in panels["month of 28 days since first seen"].get_title(loc="left")


def test_a_measure_that_one_side_lacks_is_still_drawn() -> None:
    found = base()
    lacking = dataclasses.replace(found, fuel_basket_spend=np.array([]))
    figure = picture(compare(found, lacking, ALLOWED))
    figure.canvas.draw()
    assert len(figure.axes[list(DISTRIBUTIONS).index("fuel_basket_spend")].lines) == 1
