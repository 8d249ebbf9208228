"""Metrics of expected visits and money: how far off, whether the totals add up, who the best customers are.

RMSE: root of the mean squared error. MAE: mean absolute error. Error of the total: |predicted / actual -
1|, both summed over all rows. Share of the best 20 %: money of the fifth with the largest expected spend /
money of all; ties shared out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.measuring.metrics import Metric, probability_metrics, values
from training.measuring.weighted import Floats, Statistic, mean, ratio, top_lift, undefined

if TYPE_CHECKING:
    import pandas as pd

TOP = 0.2


def value_metrics() -> tuple[Metric, ...]:
    """Metrics of a report frame with `actual_visits`, `actual_spend_cents` and `visited`."""

    def rmse(frame: pd.DataFrame, read: str) -> Statistic:
        squares = mean((values(frame, "actual_visits") - values(frame, read)) ** 2)
        return lambda w: np.sqrt(squares(w))

    def mae(frame: pd.DataFrame, read: str) -> Statistic:
        return mean(np.abs(values(frame, "actual_spend_cents") - values(frame, read)))

    def visits_total(frame: pd.DataFrame, read: str) -> Statistic:
        return total_error(values(frame, "actual_visits"), values(frame, read))

    def spend_total(frame: pd.DataFrame, read: str) -> Statistic:
        return total_error(values(frame, "actual_spend_cents"), values(frame, read))

    def best(frame: pd.DataFrame, read: str) -> Statistic:
        money = values(frame, "actual_spend_cents")
        if np.isnan(money).any():
            return undefined
        lift = top_lift(money, values(frame, read), TOP)
        return lambda w: TOP * lift(w)

    visits, money = ("actual_visits",), ("actual_spend_cents",)
    total = "distance of the predicted from the true total, as a share of it"
    return (
        Metric("rmse_visits", "RMSE visits", False, "root mean squared error", visits, ("visits",), rmse),
        Metric("visits_total_error", "Total visits off", False, total, visits, ("visits",), visits_total),
        Metric("mae_spend", "MAE spend, cents", False, "mean error", money, ("spend_cents",), mae),
        Metric("spend_total_error", "Total spend off", False, total, money, ("spend_cents",), spend_total),
        Metric(
            "top_20_value",
            "Value in the best 20 %",
            True,
            "share of the money that the fifth with the largest expected spend brought",
            money,
            ("spend_cents",),
            best,
        ),
        *probability_metrics("visited"),
    )


def total_error(y: Floats, p: Floats) -> Statistic:
    """|sum p / sum y - 1|; undefined where nothing came."""
    return lambda w: np.abs(ratio(w @ p, w @ y) - 1.0)
