"""A card's limits come from the facts of a run: each is planted here and has to be said."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.canonical import Canonical
from features.labels import LabelDefinitions
from features.workspace import Workspace
from training.category_purchase import CategoryPurchase
from training.measuring import gate
from training.measuring.evaluation import Value, evaluate
from training.measuring.metrics import next_purchase_metrics, probability_metrics
from training.reporting import curves, model_card, report
from training.reporting.drift import Drift
from training.reporting.model_card import Source
from training.reporting.report_content import ReportContent
from training.reporting.slices import Slice
from training.task import Target
from training.tasks import TASKS

SOURCE = Source("planted", ("transactions",), {"stores": "figures by area"})


def a_slice(group: str, rows: int, promised: float, observed: float) -> Slice:
    values = tuple(
        Value("all", "model", name, number, number - 0.1, number + 0.1)
        for name, number in (("roc_auc", 0.8), ("calibration_error", 0.15))
    )
    return Slice("stage", group, rows, rows, values, promised, observed, small=rows < 100)


@pytest.fixture(scope="module")
def content() -> ReportContent:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 3, 600)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(600).astype(str),
            "as_of": 17471,
            "churned": (rng.random(600) < p).astype(int),
            "model.probability": p,
            "bg_nbd.probability": rng.random(600),
        }
    )
    return ReportContent(
        task="churn",
        title="No visit within the horizon",
        run_id="0123456789abcdef",
        primary="roc_auc",
        bars={"roc_auc": "bg_nbd"},
        evaluation=evaluate(frame, metrics=probability_metrics("churned"), replicates=30),
        frame=frame,
        data={"as-of": "2018-01-01", "horizon in days": 28, "data fingerprint": "abc123"},
        settings={"max_depth": 4},
        features={"visits_91": "visit days"},
        musts=(Target("roc_auc", 0.9), Target("brier", -0.001)),
        slices=(
            a_slice("exploring", 57, 0.5, 0.9),
            a_slice("stable", 500, 0.1, 0.2),
            a_slice("lapsing", 500, 0.3, 0.31),
        ),
        drift=(Drift("visits_91", 0.4, 1.0, 1.0, 2.0, 0.0, 0.0), Drift("tenure_days", 0.01, 0, 1, 1, 0, 0)),
        purpose="Says who stays away.",
        limits=("Says nothing of strangers.",),
        gate="churned",
        warnings=("windows overlap.",),
    )


def test_limits_are_the_facts_of_the_run(content: ReportContent) -> None:
    said = model_card.limits(content, SOURCE)
    assert said[:2] == ["Says nothing of strangers.", "Windows overlap."]
    rest = "\n".join(said[2:])
    assert "Musts that it does not reach, see the verdict: ROC-AUC." in rest
    assert "rough: stage exploring (57)." in rest
    assert "For stage stable it promises 10.0%, and 20.0% came true" in rest
    assert "lapsing" not in rest
    assert "shifted since training: visits_91." in rest
    assert "no stores (figures by area)" in rest


def test_a_run_without_faults_has_no_limits(content: ReportContent) -> None:
    good = dataclasses.replace(content, musts=(), slices=(), drift=(), limits=(), warnings=())
    assert model_card.limits(good, Source("planted", ("transactions",), {})) == []


def test_both_files_say_the_same_and_markdown_is_not_escaped(content: ReportContent, tmp_path: Path) -> None:
    quoted = dataclasses.replace(content, purpose='Says "who" <stays> away.')
    page, text = model_card.write(tmp_path, quoted, SOURCE, {"churn": {"horizon_days": 28}})
    html, markdown = page.read_text(encoding="utf-8"), text.read_text(encoding="utf-8")
    assert (page.name, text.name) == (model_card.HTML, model_card.MARKDOWN)
    assert markdown.startswith('# Model card: No visit within 28 days\n\nSays "who" <stays> away.\n')
    assert "Says &#34;who&#34; &lt;stays&gt; away." in html
    for sentence in model_card.limits(quoted, SOURCE):
        assert f"- {sentence}\n" in markdown
        assert f"<li>{sentence}</li>" in html
    for fact in ("abc123", "horizon_days", "xgboost", "planted", "stage: stable"):
        assert fact in html
        assert fact in markdown
    for measure in content.evaluation.metrics:
        assert measure.meaning in html
        assert f"({measure.meaning}) | " in markdown
    assert re.findall(r'src="|href="|<script', html) == []
    assert "\n\n\n\n" not in markdown


def test_main_metrics_and_rows_stand_by_group(content: ReportContent, tmp_path: Path) -> None:
    page, text = model_card.write(tmp_path, content, SOURCE, {})
    html, markdown = page.read_text(encoding="utf-8"), text.read_text(encoding="utf-8")
    up, down = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
    heads = ("group", "rows", f"ROC-AUC {up}", f"Calibration error {down}", "promised", "observed")
    assert f"| {' | '.join(heads)} |" in markdown
    row = "| stage: stable | 500 (500 customers) | 0.8000 (0.700 to 0.900) | 0.1500 (0.0500 to 0.250) | "
    assert f"{row}10.0% | 20.0% |" in markdown
    assert all(f"<th>{head}</th>" in html for head in heads)
    assert '<td class="">0.1500<small>0.0500 to 0.250</small></td>' in html


def test_a_markdown_table_has_as_many_cells_in_every_row(content: ReportContent, tmp_path: Path) -> None:
    text = model_card.write(tmp_path, content, SOURCE, {})[1].read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE)
    assert len(tables) == 2
    for table in tables:
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_calibration_of_probabilities_of_horizons_and_of_nothing(content: ReportContent) -> None:
    (sentence,) = report.calibration(content)
    assert sentence.startswith(f"Promises {content.frame['model.probability'].mean():.1%} and sees ")
    # One bound for one figure: on the card, under its picture, and at the gate.
    stand = gate.promises("churned", content.frame)[""]
    assert sentence.endswith(f"; {stand.sentence}.")
    picture = curves.calibration(content.frame, "churned").get_suptitle().replace("\n", " ")
    assert picture.endswith(f": {stand.sentence}")
    days = content.frame[["customer_id", "as_of"]].assign(
        days=5.0, **{"model.p7": 0.75, "model.p14": 0.5, "model.days": 4.0}
    )
    evaluation = evaluate(days, metrics=next_purchase_metrics((7, 14)), replicates=5)
    horizons = dataclasses.replace(content, frame=days, evaluation=evaluation)
    seven, fourteen = report.calibration(dataclasses.replace(horizons, gate=None))
    assert seven.startswith(
        "Within 7 days: promises 75.0% and sees 100.0%; its calibration error is 0.2500, above "
    )
    assert fourteen.startswith(
        "Within 14 days: promises 50.0% and sees 100.0%; its calibration error is 0.5000"
    )
    assert report.calibration(dataclasses.replace(content, frame=days[["customer_id", "as_of"]])) == []


def test_baselines_that_win_are_named(content: ReportContent) -> None:
    assert model_card.winners(content) == []
    swapped = content.frame.rename(
        columns={"model.probability": "bg_nbd.probability", "bg_nbd.probability": "model.probability"}
    )
    evaluation = evaluate(swapped, ["model", "bg_nbd"], probability_metrics("churned"), 30)
    beaten = model_card.winners(dataclasses.replace(content, evaluation=evaluation))
    assert any(text.startswith("BG/NBD on ROC-AUC: ") and text.endswith("beyond chance") for text in beaten)


def test_the_source_says_what_it_lacks(planted: Workspace) -> None:
    source = Source.of(Canonical.open(planted))
    assert source.tables == ("transactions",)
    assert source.lacking["stores"] == "figures by area"
    assert "transactions" not in source.lacking


def test_definitions_are_those_of_the_section_that_the_task_names(content: ReportContent) -> None:
    given = {"category": {"window_days": 91}, "churn": {"horizon_days": 28}}
    named = dataclasses.replace(content, task="category_purchase", section=CategoryPurchase.section)
    assert model_card.facts(named, SOURCE, given)["labels"] == {"window_days": 91}
    assert model_card.facts(content, SOURCE, given)["labels"] == {"horizon_days": 28}
    sections = LabelDefinitions().plain()
    assert all(task.section or name in sections for name, task in TASKS.items())
