"""The report page of each kind of task: the verdict, the words, the pictures, and no need of a network."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.fits import Contrast
from training.measuring.evaluation import evaluate
from training.measuring.metrics import Metric, list_metrics, next_purchase_metrics, probability_metrics
from training.reporting import curves, gallery, profit, report, slices
from training.reporting.drift import Drift
from training.reporting.explained import Explained
from training.reporting.gallery import Image
from training.reporting.report_content import HORIZON, LeftOut, ReportContent
from training.task import Contributions, Target

NOVEMBER, DECEMBER = 17471, 17501


def keys(n: int) -> dict[str, object]:
    return {
        "customer_id": [f"h{i % (n // 2)}" for i in range(n)],
        "as_of": np.repeat([NOVEMBER, DECEMBER], n // 2),
    }


def churn() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 5, 600)
    return pd.DataFrame(
        {
            **keys(600),
            "churned": (rng.random(600) < p).astype(int),
            "model.probability": p,
            "recency.score": rng.random(600),
            "bg_nbd.probability": np.clip(p + rng.normal(0, 0.05, 600), 0, 1),
        }
    )


def next_purchase() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rate = rng.gamma(2, 0.05, 600)
    days = np.ceil(rng.exponential(1 / rate))
    columns = {f"model.p{h}": 1 - np.exp(-rate * h) for h in (7, 14, 28)}
    return pd.DataFrame(
        {
            **keys(600),
            "days": np.where(days > 45, np.nan, days),
            **columns,
            "model.days": np.log(2) / rate,
            "mean_gap.days": rng.random(600) * 30,
        }
    )


def recommendation() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    fields = [metric.name for metric in list_metrics()]
    return pd.DataFrame(
        {
            **keys(600),
            **{f"model.{field}": rng.random(600) for field in fields},
            **{f"popularity.{field}": rng.random(600) / 2 for field in fields},
        }
    )


KINDS: dict[str, tuple[pd.DataFrame, tuple[Metric, ...], str, str]] = {
    "churn": (churn(), probability_metrics("churned"), "roc_auc", "recency"),
    "next_purchase": (next_purchase(), next_purchase_metrics(), "mae28", "mean_gap"),
    "recommendation": (recommendation(), list_metrics(), "ndcg10_b_all", "popularity"),
}
GROUPS = pd.DataFrame(
    {"stage": np.where(np.arange(600) % 3 == 0, "forming", "stable"), "tier": "A", "store_group": "unknown"}
)
EVERYWHERE = {"differences", "by_cutoff", "slices", "trials"}
PICTURES = {
    "churn": EVERYWHERE | {"roc_pr", "calibration", "gain", "profit", "explained", "drift"},
    "next_purchase": EVERYWHERE | {"horizons", "importance"},
    "recommendation": EVERYWHERE | {"lists", "importance"},
}


def content(kind: str, **changes: object) -> ReportContent:
    frame, metrics, primary, bar = KINDS[kind]
    facts: dict[str, object] = {
        "task": kind,
        "title": f"Title of {kind}",
        "run_id": "0123456789abcdef",
        "primary": primary,
        "bars": {primary: bar},
        "evaluation": evaluate(frame, metrics=metrics, replicates=40, seed=1),
        "frame": frame,
        "data": {"as-of": "2018-01-01", "base rate": 0.12345, "report cutoffs": ["2017-11-01", "2017-12-01"]},
        "settings": {"max_depth": 4, "input": None, "calibrated": True},
        "features": {"days_since_visit": "days from the last visit to the as-of"},
        "importance": {"days_since_visit": 3.0, "visits_91": 1.0},
        "trials": [{"trial": n, "loss": loss} for n, loss in enumerate((0.25, float("nan"), 0.21))],
        "choice": evaluate(frame.assign(as_of=frame["as_of"] - 70), ["model"], metrics, 20),
        "slices": slices.measured(frame, GROUPS, metrics[:2], replicates=20),
        "seconds": {"tuning": 3.0, "fit": 1.0},
    }
    return ReportContent(**{**facts, **(extra() if kind == "churn" else {}), **changes})


def extra() -> dict[str, object]:
    """What only a task has that reads features and answers with one probability."""
    frame = KINDS["churn"][0]
    moved = np.random.default_rng(0).normal(size=(50, 2))
    sample = Explained(
        frame["customer_id"].to_numpy()[:50],
        frame["as_of"].to_numpy(dtype=np.int32)[:50],
        Contributions(("days_since_visit", "visits_91"), moved, np.zeros(50)),
        moved,
    )
    pair = curves.pair_in(frame)
    assert pair is not None
    return {
        "explained": sample,
        "drift": (Drift("visits_91", 0.3, 0.5, 2.0, 3.0, 0.0, 0.1),),
        "curve": profit.curve(frame, *pair, replicates=20),
        "currency": "EUR",
        "contrast": Contrast("ROC-AUC", 100, 0.8, 0.83, "Random folds would have said 0.83, not 0.80."),
        "musts": (Target("roc_auc", 0.006),),
        "aims": (Target("roc_auc", 0.99), Target("brier", -0.5)),
        "purpose": "Says who stays away.",
        "limits": ("Nothing is known of strangers.",),
    }


@cache
def drawn(kind: str) -> tuple[ReportContent, dict[str, Image]]:
    """The content of a kind with its pictures, made once."""
    given = content(kind)
    return given, gallery.images(given)


def text_of(page: str) -> str:
    """What a reader sees, without pictures and styles."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.mark.parametrize("kind", KINDS)
def test_page_has_the_verdict_first_and_every_number_of_the_evaluation(kind, tmp_path: Path):
    given, images = drawn(kind)
    page = report.write(tmp_path / "reports" / "page.html", given, images).read_text(encoding="utf-8")
    seen = text_of(page)
    (bar,) = given.evaluation.bars(given.bars)
    headline = "The model reaches its must, but not any of its 2 aims." if given.musts else "reaches its bar."
    assert seen.index(headline) < seen.index(given.evaluation.sentence(bar)) < seen.index("Values")
    for value in given.evaluation.to_pandas()["value"]:
        assert report.style.number(value, 4) in seen
    for item in given.evaluation.differences:
        assert f"{item.value:+.4f}" in seen
    assert "days from the last visit to the as-of" in seen
    assert "base rate 0.1235" in seen
    assert "calibrated yes" in seen
    assert page.count("data:image/png;base64,") == len(PICTURES[kind])
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"|url\(|@import|<script src|https?:', page) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_contents_lead_to_every_section_that_is_there(kind):
    page = report.html(*drawn(kind))
    wanted, there = re.findall(r'href="#(\w+)"', page), re.findall(r'<h2 id="(\w+)"', page)
    assert wanted == there
    assert ("targeting" in there) == (kind == "churn")
    assert {"slices", "time", "tuning"} <= set(there)


def test_verdict_says_how_far_musts_and_aims_are():
    page = report.html(*drawn("churn"))
    seen = text_of(page)
    assert "its bar" not in seen
    assert re.search(r"aim ROC-AUC .*? reached asked \+0\.0060 \d\.\d{4} short asked \+0\.9900", seen)
    assert "Random folds would have said 0.83, not 0.80." in seen
    assert "Nothing is known of strangers." in seen
    assert seen.index("Says who stays away.") < seen.index("The model reaches its must")


def test_a_missed_must_colours_the_verdict():
    met = report.html(content("churn"), {})
    missed = report.html(content("churn", musts=(Target("roc_auc", 0.9),)), {})
    assert '<section class="verdict ">' in met
    assert '<section class="verdict short">' in missed
    assert "The model does not reach its must or any of its 2 aims." in missed
    assert "reaches its bar" not in missed


TINY, HUGE = Target("roc_auc", 0.001), Target("roc_auc", 0.9)
EASY = Target("roc_auc", 0.001, ("recency",))


@pytest.mark.parametrize(
    ("bar", "musts", "aims", "words", "box"),
    [
        ("recency", (), (), "reaches its bar.", ""),
        ("recency", (), (TINY,), "reaches its bar and its aim.", ""),
        ("recency", (TINY, TINY), (), "reaches all of its 2 musts.", ""),
        ("recency", (TINY, HUGE), (TINY,), "reaches 1 of its 2 musts and its aim.", "short"),
        ("recency", (HUGE, HUGE), (TINY,), "reaches its aim, but not any of its 2 musts.", "short"),
        ("bg_nbd", (EASY,), (), "reaches its must, but not its bar.", "short"),
        ("bg_nbd", (HUGE,), (), "does not reach its must or its bar.", "short"),
    ],
)
def test_the_headline_is_one_statement_that_the_box_agrees_with(bar, musts, aims, words, box):
    frame, metrics, *_ = KINDS["churn"]
    # BG/NBD knows the outcome: a bar out of reach.
    if bar == "bg_nbd":
        frame = frame.assign(**{"bg_nbd.probability": 0.1 + 0.8 * frame["churned"]})
    else:
        frame = frame.drop(columns="bg_nbd.probability")
    evaluation = evaluate(frame, metrics=metrics, replicates=20)
    page = report.html(
        content("churn", bars={"roc_auc": bar}, musts=musts, aims=aims, evaluation=evaluation), {}
    )
    assert f"<strong>The model {words}</strong>" in page
    assert f'<section class="verdict {box}">' in page


def test_the_best_baseline_is_named_beside_a_bar_that_is_not_the_best():
    given = content("churn")
    (bar,) = given.evaluation.bars(given.bars)
    best = given.evaluation.value("roc_auc", "bg_nbd")
    assert best.value > bar.baseline.value
    seen = text_of(report.html(given, {}))
    said = f"The best baseline there is BG/NBD with {best.value:.4f}: difference "
    assert f"{given.evaluation.sentence(bar)} {said}" in seen
    assert "The best baseline" not in report.html(content("churn", bars={"roc_auc": "bg_nbd"}), {})


def test_a_part_that_is_left_out_says_why_in_its_place():
    why = LeftOut(contrast="Folds cannot be dealt.", drift="Nothing drifts.")
    page = report.html(content("recommendation", left_out=why), {})
    seen = text_of(page)
    assert "Over time Folds cannot be dealt." in seen
    assert "Drift of the inputs Nothing drifts." in seen
    assert re.findall(r'href="#(\w+)"', page) == re.findall(r'<h2 id="(\w+)"', page)
    assert "Nothing drifts." not in report.html(content("churn", left_out=why), {})


def test_every_number_of_the_targeting_box_is_there_without_a_script():
    given, images = drawn("churn")
    page = re.sub(r"<script.*?</script>", "", report.html(given, images), flags=re.DOTALL)
    assert given.curve is not None
    advice = profit.advise(given.curve, profit.example(given.curve))
    assert profit.money(advice.by_probability.profit_cents) in page
    assert "not a measured lift" in page
    assert images["profit"].uri in page


def test_warnings_that_repeat_the_verdict_are_said_once():
    given = content("churn")
    (bar,) = given.evaluation.bars(given.bars)
    sentence = given.evaluation.sentence(bar)
    seen = text_of(report.html(content("churn", warnings=(sentence, "mind that.")), {}))
    assert seen.count(sentence) == 1
    assert "Mind that." in seen


def test_page_draws_its_own_pictures_when_given_none(tmp_path: Path):
    page = report.write(tmp_path / "page.html", content("recommendation")).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,iVBOR") == len(PICTURES["recommendation"])


def test_a_missed_bar_and_a_baseline_that_wins_are_said_in_words():
    frame, metrics, *_ = KINDS["churn"]
    swapped = frame.rename(columns={"model.probability": "best.probability", "recency.score": "model.score"})
    evaluation = evaluate(swapped, ["model", "best"], metrics, replicates=40)
    given = content(
        "churn",
        evaluation=evaluation,
        frame=swapped,
        bars={"roc_auc": "best"},
        musts=(),
        aims=(),
        warnings=["Mind <this>."],
    )
    page = report.html(given, {})
    seen = text_of(page)
    assert "The model does not reach its bar." in seen
    assert "worse than best beyond chance" in seen
    assert "A baseline has the better value here best: ROC-AUC" in seen
    assert "Mind &lt;this&gt;." in page


def test_page_of_one_cutoff_without_baselines_bars_trials_or_importance():
    frame = churn()[["customer_id", "as_of", "churned", "model.probability"]].iloc[:300]
    evaluation = evaluate(frame, metrics=probability_metrics("churned"), replicates=20)
    bare = {"choice": None, "slices": (), "drift": (), "explained": None, "curve": None, "contrast": None}
    bare |= {"musts": (), "aims": (), "importance": {}, "trials": (), "bars": {}}
    given = content("churn", evaluation=evaluation, frame=frame, **bare)
    images = gallery.images(given)
    page = report.html(given, images)
    seen = text_of(page)
    assert set(images) == {"roc_pr", "calibration", "gain"}
    assert re.findall(r'<h2 id="(\w+)"', page) == ["values", "calibration", "made", "features"]
    assert "No bar is set for this task." in seen
    assert "alone," not in seen
    assert "Tuning" not in seen
    assert "Model minus baseline" not in seen


def test_rows_of_one_class_have_no_curves_and_say_that_nothing_can_be_compared():
    frame = churn().assign(churned=0)
    evaluation = evaluate(frame, metrics=probability_metrics("churned"), replicates=20)
    given = content("churn", evaluation=evaluation, frame=frame, slices=(), curve=None, drift=())
    images = gallery.images(given)
    assert set(images) == {"differences", "explained", "trials"}
    seen = text_of(report.html(given, images))
    assert "ROC-AUC cannot be compared with recency: it is undefined on 600 rows" in seen
    assert "The model does not reach its must, its bar or any of its 2 aims." in seen
    assert "unknown no baseline to compare with" in seen


def test_page_of_one_cutoff_does_not_speak_of_pooling():
    frame = churn()[["customer_id", "as_of", "churned", "model.probability"]].iloc[:300]
    frame["worst.probability"] = 1 - frame["model.probability"]
    evaluation = evaluate(frame, metrics=probability_metrics("churned"), replicates=20)
    given = content("churn", evaluation=evaluation, frame=frame, bars={"roc_auc": "worst"}, musts=(), aims=())
    seen = text_of(report.html(given, {}))
    assert "No baseline has a better value than the model on any metric." in seen
    assert seen.count(report.style.number(evaluation.value("roc_auc").value, 4)) == 2


def test_heading_and_page_name_state_the_horizon():
    title = "No visit within the horizon"
    page = report.html(content("churn", title=title, data={HORIZON: 28}), {})
    assert "<h1>No visit within 28 days</h1>" in page
    assert "<title>No visit within 28 days" in page
    assert "<h1>No visit within the horizon</h1>" in report.html(content("churn", title=title, data={}), {})
    assert report.stated("Days to the next visit", 28) == "Days to the next visit, up to 28 days"
    assert report.stated("Items bought within the horizon", 1) == "Items bought within 1 day"


def test_headline_counts_bars():
    given = content("recommendation", bars={"ndcg10_b_all": "popularity", "ndcg10_b_new": "popularity"})
    assert "The model reaches all of its 2 bars." in report.html(given, {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (True, "yes"),
        (None, "-"),
        (float("nan"), "-"),
        (["a", 2], "a, 2"),
        (0.0532123, "0.05321"),
    ],
)
def test_plain_facts(value, text):
    assert report.plain(value) == text
