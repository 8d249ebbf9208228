"""The page needs no network and says everything; pictures and JSON say the same."""

from __future__ import annotations

import dataclasses
import json
import re

from experiments import study_page
from experiments.study_page import finding, forest


def test_page_pictures_and_json_are_in_the_reports(found, world):
    assert found.page == world.reports / "study-small.html"
    assert [path.name for path in found.pictures] == [
        "study-small-churn-roc_auc.png",
        "study-small-churn-brier.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found.pictures)
    said = json.loads(found.data.read_text(encoding="utf-8"))
    assert said["verdicts"][0]["outcomes"][2]["difference"] == found.verdict().outcome("tenure").difference


def test_page_needs_no_network_and_says_everything(found):
    page = found.page.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "http" not in re.sub(r"data:image/png;base64,[^\"]*", "", page)
    text = page.replace("&#39;", "'")
    for sentence in (found.design.hypothesis, found.verdict().sentence, *found.thrift, found.run_id):
        assert sentence in text
    assert text.count("<td>tenure</td>") == 2 * 2 + 1 + 2
    assert "nothing later was read" in text
    assert "the noise of the seeds, pooled over the variants, is added" in text


def test_only_what_there_is_more_than_one_of_is_drawn(found):
    def said(*cutoffs):
        days = ("2017-06-01", "2017-07-01")
        verdicts = [
            dataclasses.replace(found.verdicts[0], task=task, cutoffs=days[:count])
            for task, count in zip(("churn", "value"), cutoffs, strict=False)
        ]
        return study_page.drawn(dataclasses.replace(found, verdicts=tuple(verdicts)))

    draws = f"({found.design.replicates:,} replicates, the same draws for every variant)"
    assert said(2, 2) == f"Customers and cutoffs are both drawn with replacement {draws}"
    unknown = "so what another date would change is not known and not in the intervals"
    assert said(1) == f"Customers are drawn with replacement {draws}; there was one cutoff, {unknown}"
    assert said(2, 1).startswith("Customers are drawn with replacement, and so are the cutoffs of churn (")
    assert said(2, 1).endswith(f"; value had one cutoff, {unknown}")
    count = len(found.verdict().cutoffs)
    assert said(count, count) in found.page.read_text(encoding="utf-8")


def test_the_title_counts_verdicts_and_names_the_decided(found):
    assert finding(found.verdict()) == "ROC-AUC, against 'all': 1 worse (tenure), 1 undecided"
    assert study_page.look(found) == "short"


def test_the_picture_turns_differences_so_that_right_is_better(found):
    for metric in ("roc_auc", "brier"):
        verdict = found.verdict(metric=metric)
        (panel,) = forest(verdict).axes
        dots = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "o"]
        sign = 1 if metric == "roc_auc" else -1
        assert dots == [sign * outcome.difference for outcome in verdict.others]
        assert dots[1] < 0
        assert [text.get_text() for text in panel.get_yticklabels()] == ["no household", "tenure"]
