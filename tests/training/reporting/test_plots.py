"""Forest, cutoffs, importance and lists: what their titles and marks say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.measuring.evaluation import Difference, Evaluation, evaluate
from training.measuring.metrics import Measure, probability_metrics
from training.reporting import plots, style


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(4)
    p = rng.beta(1, 4, 900)
    frame = pd.DataFrame(
        {
            "customer_id": np.tile(np.arange(300), 3).astype(str),
            "as_of": np.repeat([17440, 17471, 17501], 300),
            "churned": (rng.random(900) < p).astype(int),
            "model.probability": p,
            "noise.probability": rng.random(900),
            "twin.probability": p,
        }
    )
    return evaluate(frame, metrics=probability_metrics("churned"), replicates=60)


def test_forest_turns_every_metric_so_that_right_is_better(evaluation):
    figure = plots.differences(evaluation)
    assert figure.get_suptitle() == "Better in 6 of 12 comparisons with baselines, undecided in 6"
    for panel in figure.axes:
        low, high = panel.lines[0].get_xdata()
        assert 0 < low < high
        assert panel.lines[0].get_color() == style.GOOD
        assert panel.lines[2].get_color() == style.OPEN
        assert [text.get_text() for text in panel.get_yticklabels()] == ["noise", "twin"]


def test_forest_says_who_wins(evaluation):
    worse = evaluation.__class__(
        **{
            **evaluation.__dict__,
            "differences": tuple(
                d.__class__(**{**d.__dict__, "verdict": "worse" if d.baseline == "twin" else d.verdict})
                for d in evaluation.differences
            ),
        }
    )
    assert plots.differences(worse).get_suptitle().endswith("worse than twin in 6")


AUC, LOSS = (Measure(name, name, higher, "") for name, higher in (("auc", True), ("loss", False)))


def row(name: str, low: float, high: float, measure: Measure = AUC) -> tuple[str, Difference]:
    verdict = (
        "undecided" if low < 0 < high else "better" if (low > 0) == measure.higher_is_better else "worse"
    )
    return name, Difference("all", name, measure.name, (low + high) / 2, low, high, verdict)


def test_a_far_off_baseline_becomes_an_arrow_so_that_close_intervals_show():
    close, far = row("close", -0.005, 0.007), row("far", 0.26, 0.34)
    figure = plots.forest({AUC: [far, row("near", 0.06, 0.11), close]}, "Finding", "right of zero: better")
    (panel,) = figure.axes
    low, high = panel.get_xlim()
    assert low < -0.005
    assert 0.11 < high < 0.13
    assert (0.007 + 0.005) / (high - low) > plots.VISIBLE
    assert [text.get_text() for text in panel.texts] == ["0.300 (0.260 to 0.340)"]
    assert [line.get_marker() for line in panel.lines if line.get_marker() in "<>"] == [">"]
    assert figure.get_supxlabel().endswith("arrow: beyond the axis")


def test_an_arrow_points_to_where_a_turned_difference_is():
    figure = plots.forest(
        {LOSS: [row("far", 0.26, 0.34, LOSS), row("close", -0.005, 0.007, LOSS)]}, "Finding", "right"
    )
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.texts] == ["-0.300 (-0.340 to -0.260)"]
    assert [line.get_marker() for line in panel.lines if line.get_marker() in "<>"] == ["<"]


@pytest.mark.parametrize(
    "others",
    [
        [row("close", -0.02, 0.03), row("far", 0.1, 0.2)],
        [row("narrow", -0.001, 0.001), row("wide", -0.1, 0.2)],
        [row("twin", 0.0, 0.0), row("far", 0.1, 0.2)],
        [row("alone", 0.5, 0.501)],
    ],
)
def test_nothing_is_cut_where_intervals_show_or_reach_into_the_axis(others):
    figure = plots.forest({AUC: others}, "Finding", "right")
    (panel,) = figure.axes
    assert list(panel.texts) == []
    assert panel.get_xlim()[1] >= max(item.high for _, item in others)
    assert "arrow" not in figure.get_supxlabel()


def test_by_cutoff_gives_the_range_over_many_cutoffs(evaluation):
    values = [evaluation.value("brier", cutoff=cutoff).value for cutoff in evaluation.cutoffs]
    figure = plots.by_cutoff(evaluation, "brier")
    assert figure.get_suptitle() == (
        f"Brier score between {style.number(min(values))} and {style.number(max(values))}"
    )
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list(evaluation.cutoffs)


def test_validation_cutoffs_stand_before_the_reports_with_hollow_marks(evaluation):
    rng = np.random.default_rng(1)
    p = rng.beta(1, 4, 600)
    early = pd.DataFrame(
        {
            "customer_id": np.tile(np.arange(300), 2).astype(str),
            "as_of": np.repeat([17348, 17376], 300),
            "churned": (rng.random(600) < p).astype(int),
            "model.probability": p,
        }
    )
    choice = evaluate(early, metrics=probability_metrics("churned"), replicates=20)
    (panel,) = plots.by_cutoff(evaluation, "roc_auc", choice).axes
    dates = [*choice.cutoffs, *evaluation.cutoffs]
    assert [text.get_text() for text in panel.get_xticklabels()] == dates
    lines = [(c.get_label(), c.lines[0]) for c in panel.containers]
    fills = {label: (line.get_markerfacecolor(), line.get_color()) for label, line in lines}
    assert fills["model, validation"] == ("white", style.GOOD)
    assert fills["model"] == (style.GOOD, style.GOOD)
    drawn = dict(lines)["model, validation"].get_ydata()
    assert drawn.tolist() == [choice.value("roc_auc", cutoff=cutoff).value for cutoff in choice.cutoffs]


def test_trials_name_the_best_and_draw_the_best_so_far():
    figure = plots.trials([0.4, float("nan"), 0.3, 0.35])
    assert figure.get_suptitle() == "Best of 4 trials: number 2, loss 0.3000"
    (panel,) = figure.axes
    assert panel.lines[1].get_ydata().tolist() == [0.4, 0.4, 0.3, 0.3]


def test_importance_shows_shares_of_the_whole_largest_first():
    figure = plots.feature_importance({"b": 1.0, "a": 6.0, "c": 2.0, "d": 1.0}, top=3)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([0.6, 0.2, 0.1])
    assert figure.get_suptitle() == "90% of the gain comes from a, c, d"


def test_numbers_keep_their_digits():
    assert [style.number(x) for x in (0.84, 0.01234, 5.5, 28)] == ["0.840", "0.0123", "5.50", "28.0"]
