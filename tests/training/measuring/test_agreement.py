from __future__ import annotations

import numpy as np
import pandas as pd

from training.measuring import agreement


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    spend, share = rng.gamma(2, 5000, 1000), rng.random(1000)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1000).astype(str),
            "actual_spend_cents": spend * rng.gamma(4, 0.25, 1000),
            "actual_visits": 3,
            "model.spend_cents": spend,
            "model.promised10_b_all": share,
            "model.bought10_b_all": np.where(np.arange(1000) % 10 == 0, np.nan, share / 2),
        }
    )


def test_what_can_be_compared_is_read_from_the_columns() -> None:
    assert agreement.pairs_in(frame()) == {
        "spend_cents": ("model.spend_cents", "actual_spend_cents"),
        "items listed": ("model.promised10_b_all", "model.bought10_b_all"),
    }
    assert agreement.pairs_in(pd.DataFrame({"churned": [1], "model.probability": [0.5]})) == {}


def test_tenths_are_means_of_equal_bins_without_unknown_rows() -> None:
    x, y, half = agreement.tenths(np.arange(101.0), np.r_[np.arange(100.0) * 2, np.nan])
    assert x.tolist() == (np.arange(10) * 10 + 4.5).tolist()
    assert y.tolist() == (2 * x).tolist()
    assert (half > 0).all()


def test_the_title_says_how_far_off_the_whole_is() -> None:
    figure = agreement.picture(frame())
    assert len(figure.axes) == 2
    assert "items listed 200%" in figure.get_suptitle().replace("\n", " ")
    drawn = figure.axes[0].containers[0].lines[0].get_xdata()
    assert drawn.mean() < 1000
