"""Pictures of probabilities: ROC and precision-recall curves, calibration, cumulative gain, horizons."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from features import pictures
from features.columns import AS_OF, CUSTOMER_ID
from training.measuring import gate
from training.measuring.agreement import lists_in
from training.measuring.evaluation import Evaluation, Word
from training.measuring.metrics import MODEL, column, models_in, spoken, values
from training.measuring.weighted import Floats
from training.reporting import style

PERCENT = PercentFormatter(1, decimals=0)
STAND: dict[Word, str] = {"better": "above", "worse": "below", "undecided": "level with"}


def label_in(frame: pd.DataFrame) -> str | None:
    """The first label column of a report frame: a number, no key; None when it has none (lists)."""
    names = (str(n) for n in frame.columns if "." not in str(n) and n not in (CUSTOMER_ID, AS_OF))
    return next((name for name in names if pd.api.types.is_numeric_dtype(frame[name])), None)


def pair_in(frame: pd.DataFrame) -> tuple[str, str] | None:
    """Names of the model's probability and of the 0/1 label it promises; None unless both classes occur."""
    label, promise = label_in(frame), column(MODEL, "probability")
    if label is None or promise not in frame or frame[promise].isna().any():
        return None
    return (promise, label) if set(frame[label].unique()) == {0, 1} else None


def promise_in(frame: pd.DataFrame, gate: str | None = None) -> tuple[Floats, Floats] | None:
    """Probabilities and what came true, n values each: of the label, the longest horizon, or all lists.

    The label is `gate`, see `Task.gate`, else the first.
    """
    label, days, pairs = gate or label_in(frame), horizons_in(frame), lists_in(frame)
    if label and column(MODEL, "probability") in frame and set(frame[label].unique()) <= {0, 1}:
        return values(frame, column(MODEL, "probability")), values(frame, label)
    if label and days:
        return values(frame, column(MODEL, f"p{days[-1]}")), (values(frame, label) <= days[-1]).astype(
            np.float64
        )
    if "all" in pairs:
        said, bought = (values(frame, name) for name in pairs["all"])
        return said, bought
    return None


def roc_pr(frame: pd.DataFrame, label: str, evaluation: Evaluation) -> Figure:
    """ROC and precision-recall curves of the model and every baseline."""
    y, models = values(frame, label), evaluation.models
    others = [v for v in (evaluation.value("roc_auc", m) for m in models[1:]) if not math.isnan(v.value)]
    ours = evaluation.value("roc_auc").value
    finding = f"ROC-AUC {style.number(ours)}"
    if others:
        best = max(others, key=lambda v: v.value)
        stand = evaluation.difference("roc_auc", best.model).verdict
        # Level curves often agree in three digits: a fourth shows which value is the larger.
        digits = 4 if stand == "undecided" else 3
        finding = (
            f"ROC-AUC {style.number(ours, digits)}, {STAND[stand]} the best baseline: "
            f"{spoken(best.model)}, {style.number(best.value, digits)}"
        )
    figure, (roc, pr) = pictures.canvas(finding, 1, 2, (9.6, 4.6))
    for model in reversed(models):
        s = _scores(frame, model)
        if s is None:
            continue
        drawn, positives = _steps(y, s)
        found = drawn - positives
        look = _look(model, models)
        name, auc = spoken(model), evaluation.value("roc_auc", model).value
        roc.plot(found / found[-1], positives / positives[-1], label=f"{name}  {style.number(auc)}", **look)
        area = evaluation.value("pr_auc", model).value
        recall, precision = positives[1:] / positives[-1], positives[1:] / drawn[1:]
        # The first few customers jump between 0 and 1 and say nothing about the model.
        steady = drawn[1:] >= min(20, len(y) / 10)
        pr.plot(recall[steady], precision[steady], label=f"{name}  {style.number(area)}", **look)
    roc.plot([0, 1], [0, 1], color=pictures.GRID, zorder=0)
    pr.axhline(y.mean(), color=pictures.GRID, zorder=0)
    pictures.label(roc, "false positive rate", "true positive rate", "ROC, area in the legend")
    pictures.label(pr, "recall", "precision", f"Precision-recall; base rate {y.mean():.1%}")
    pr.set_ylim(0, None)
    for panel in (roc, pr):
        style.legend(panel, "lower right" if panel is roc else "upper right")
    return figure


def calibration(frame: pd.DataFrame, label: str, let_be: float = 0.0) -> Figure:
    """Reliability of the model's probability with Wilson intervals, the spread of predictions below.

    Args:
        frame: report frame.
        label: column with what came.
        let_be: `Task.gate_bound`.
    """
    y, p = values(frame, label), values(frame, column(MODEL, "probability"))
    stand = gate.promises(label, frame, let_be=let_be)[""]
    finding = f"Promises {p.mean():.1%} and sees {y.mean():.1%}: {stand.sentence}"
    figure, (panel, spread) = pictures.canvas(finding, 2, 1, (6.4, 5.2), heights=(3.2, 1))
    reliability(panel, y, p)
    models = models_in(frame)
    for name in (m for m in models[1:] if column(m, "probability") in frame):
        x, seen, _, _ = _bins(y, values(frame, column(name, "probability")))
        panel.plot(x, seen, label=spoken(name), **_look(name, models))
    pictures.label(panel, "", "observed rate", "ten bins of equal size; bars: 95 % Wilson interval")
    style.legend(panel, "upper left")
    spread.hist(p, bins=60, color=pictures.STRONG, alpha=0.75)
    spread.set_xlim(panel.get_xlim())
    spread.xaxis.set_major_formatter(PERCENT)
    pictures.label(spread, "predicted probability", "customers")
    return figure


def gain(frame: pd.DataFrame, label: str, models: Sequence[str]) -> Figure:
    """Share of all positives found among the customers with the highest scores."""
    y, found = values(frame, label), {}
    for model in models:
        s = _scores(frame, model)
        if s is not None:
            drawn, positives = _steps(y, s)
            found[model] = (drawn / drawn[-1], positives / positives[-1])
    tenth = float(np.interp(0.1, *found[models[0]]))
    figure, (panel,) = pictures.canvas(
        f"The tenth with the highest scores holds {tenth:.0%} of all {label}, {tenth * 10:.1f} x its share",
        size=(6.4, 5.2),
    )
    for model in reversed(list(found)):
        top = float(np.interp(0.1, *found[model]))
        panel.plot(*found[model], label=f"{spoken(model)}  {top:.0%}", **_look(model, models))
    panel.plot([0, 1], [0, 1], color=pictures.GRID, zorder=0)
    panel.axvline(0.1, color=pictures.GREY, linewidth=0.8)
    panel.xaxis.set_major_formatter(PERCENT)
    panel.yaxis.set_major_formatter(PERCENT)
    note = "share found in the top 10 % in the legend"
    pictures.label(panel, "customers contacted, highest score first", "positives found", note)
    style.legend(panel, "lower right")
    return figure


def horizons(frame: pd.DataFrame, label: str = "days") -> Figure:
    """Calibration of P(purchase within h) at each horizon, and the expected day against the observed one."""
    days = horizons_in(frame)
    truth = values(frame, label)
    gaps = {h: abs(values(frame, column(MODEL, f"p{h}")).mean() - (truth <= h).mean()) for h in days}
    worst = max(gaps, key=lambda h: gaps[h])
    figure, panels = pictures.canvas(
        f"Promised and observed rates differ by at most {gaps[worst]:.1%} overall (at {worst} days)",
        1,
        len(days) + 1,
        (3.1 * (len(days) + 1), 3.7),
    )
    for panel, h in zip(panels, days, strict=False):
        y, p = (truth <= h).astype(np.float64), values(frame, column(MODEL, f"p{h}"))
        reliability(panel, y, p)
        pictures.label(panel, "predicted", "observed" if h == days[0] else "", f"purchase within {h} days")
    expected_day(
        panels[-1], np.fmin(truth, float(max(days))), values(frame, column(MODEL, "days")), max(days)
    )
    return figure


def expected_day(panel: Axes, truth: Floats, predicted: Floats, cap: int) -> None:
    """Observed median and quartiles of the day, in tenths of the customers by predicted day."""
    tenths = np.array_split(np.argsort(predicted, kind="stable"), min(10, len(predicted)))
    x = [float(np.mean(np.clip(predicted[rows], 1, cap))) for rows in tenths]
    low, middle, high = np.array([np.quantile(truth[rows], [0.25, 0.5, 0.75]) for rows in tenths]).T
    panel.plot([1, cap], [1, cap], color=pictures.GREY, linewidth=0.9)
    panel.vlines(x, low, high, color=pictures.STRONG, alpha=0.35, linewidth=3)
    panel.plot(x, middle, "o", color=pictures.STRONG, markersize=5)
    pictures.label(panel, f"expected day, cut at {cap}", "observed day", "median and quartiles")


def reliability(panel: Axes, y: Floats, p: Floats) -> None:
    """Observed rate against mean prediction in ten bins of equal size, with 95 % Wilson intervals."""
    x, seen, low, high = _bins(y, p)
    top = min(1.0, 1.05 * max(float(high.max()), float(x.max())))
    panel.plot([0, top], [0, top], color=pictures.GREY, linewidth=0.9, zorder=1)
    panel.errorbar(
        x,
        seen,
        yerr=np.clip([seen - low, high - seen], 0, None),
        fmt="o-",
        color=pictures.STRONG,
        linewidth=2,
        markersize=5,
        capsize=2.5,
        elinewidth=1.2,
        zorder=4,
        label=spoken(MODEL),
    )
    panel.set(xlim=(0, top), ylim=(0, top))
    panel.xaxis.set_major_formatter(PERCENT)
    panel.yaxis.set_major_formatter(PERCENT)


def horizons_in(frame: pd.DataFrame) -> list[int]:
    """The horizons in days of the model's columns `model.p<h>`, ascending."""
    found = (re.fullmatch(rf"{MODEL}\.p(\d+)", str(name)) for name in frame.columns)
    return sorted(int(match.group(1)) for match in found if match)


def _bins(y: Floats, p: Floats, bins: int = 10) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean prediction, observed rate and its Wilson interval (Wilson 1927) of bins of equal size."""
    groups = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    n = np.array([len(rows) for rows in groups])
    x, seen = (np.array([v[rows].mean() for rows in groups]) for v in (p, y))
    z = 1.96
    centre = (seen + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(seen * (1 - seen) / n + z**2 / (4 * n**2))
    return x, seen, centre - half, centre + half


def _steps(y: Floats, s: Floats) -> tuple[Floats, Floats]:
    """Rows and positives at or above each distinct score, highest first, from (0, 0)."""
    order = np.argsort(-s, kind="stable")
    last = np.r_[s[order][1:] != s[order][:-1], True]
    counted = np.arange(1, len(s) + 1)[last]
    return np.r_[0, counted].astype(float), np.r_[0, np.cumsum(y[order])[last]]


def _scores(frame: pd.DataFrame, model: str) -> Floats | None:
    """The model's probability or score, None when it has neither for every row."""
    name = next((n for n in (column(model, "probability"), column(model, "score")) if n in frame), None)
    if name is None or frame[name].isna().any():
        return None
    return values(frame, name)


def _look(model: str, models: Sequence[str]) -> dict[str, Any]:
    """Colour, line style, width and layer of a model's line."""
    ours = model == models[0]
    return {
        "color": style.colour(model, models),
        "linestyle": style.dash(model, models),
        "linewidth": 2.4 if ours else 1.4,
        "zorder": 3 if ours else 2,
    }
