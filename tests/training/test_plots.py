"""Forest, cutoffs, importance and lists: what their titles and marks say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training import plots, style
from training.evaluation import Evaluation, evaluate
from training.metrics import probability_metrics


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


def test_by_cutoff_gives_the_range_over_many_cutoffs(evaluation):
    values = [evaluation.value("brier", cutoff=cutoff).value for cutoff in evaluation.cutoffs]
    figure = plots.by_cutoff(evaluation, "brier")
    assert figure.get_suptitle() == (
        f"Brier score between {style.number(min(values))} and {style.number(max(values))}"
    )
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list(evaluation.cutoffs)


def test_importance_shows_shares_of_the_whole_largest_first():
    figure = plots.feature_importance({"b": 1.0, "a": 6.0, "c": 2.0, "d": 1.0}, top=3)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([0.6, 0.2, 0.1])
    assert figure.get_suptitle() == "90% of the gain comes from a, c, d"


def test_numbers_keep_their_digits():
    assert [style.number(x) for x in (0.84, 0.01234, 5.5, 28)] == ["0.840", "0.0123", "5.50", "28.0"]
