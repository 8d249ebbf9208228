"""The picture and the box say what `training.reporting.profit` has counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.reporting import profit_page, report
from training.reporting.profit import Curve, Terms, advise, curve


@pytest.fixture(scope="module")
def found() -> Curve:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 4, 600)
    data = pd.DataFrame(
        {
            "customer_id": np.arange(600).astype(str),
            "as_of": 17471,
            "churned": (rng.random(600) < p).astype(int),
            "model.probability": p,
        }
    )
    return curve(data, "model.probability", "churned", replicates=30)


def test_the_picture_says_what_the_advice_says(found: Curve) -> None:
    terms = Terms(100, 400)
    advice = advise(found, terms)
    figure = profit_page.picture(found, terms, "EUR")
    assert len(figure.axes) == 2
    assert figure.get_suptitle().replace("\n", " ") == profit_page.finding(advice, "EUR")
    line = next(line for line in figure.axes[1].lines if len(line.get_xdata()) == len(found.contacts))
    assert line.get_ydata().max() == advice.best.profit_cents / 100
    assert len(profit_page.picture(found, terms, "EUR", gain=False).axes) == 1
    assert profit_page.finding(advise(found, Terms(200, 100)), "EUR").startswith("No contact pays")


def test_the_box_holds_everything_to_go_on_without_a_network(found: Curve) -> None:
    terms = Terms(100, 400)
    parts = profit_page.box(found, terms, "EUR")
    template = report.TEMPLATES / "profit_box.html"
    page = report.render(template, default="data:image/png;base64,", **parts)
    advice = parts["advice"]
    for stop in (advice.best, advice.by_probability, advice.everybody):
        assert profit_page.money(stop.profit_cents) in page
    assert "not a measured lift" in page
    assert "http" not in page
    assert '<form class="asked" hidden>' in page
