from pathlib import Path

import pytest

from serving.catalogue import actions
from serving.review.contradictions import contradictions
from tests.serving.catalogues import FULL, SMALL, load


def test_the_packaged_catalogue_contradicts_nothing() -> None:
    assert list(contradictions(actions.load(actions.PACKAGED))) == []


def test_a_small_catalogue_contradicts_nothing(tmp_path: Path) -> None:
    assert list(contradictions(load(tmp_path, SMALL))) == []


@pytest.mark.parametrize(
    ("old", "new", "finding", "words"),
    [
        (
            "refused_all_days: 14",
            "refused_all_days: 91",
            ("warning", "contradictory_limits", "policy"),
            ["refused_days (91) never matters", "refused_all_days (91)"],
        ),
        (
            "limits: [{contacts: 2, days: 7}], quiet",
            "limits: [{contacts: 4, days: 7}], quiet",
            ("warning", "contradictory_limits", "channel cashier"),
            ["4 in 7 days is never reached", "all channels together", "3 times in 7 days"],
        ),
        (
            "limits: [{contacts: 1, days: 7}, {contacts: 2, days: 28}]",
            "limits: [{contacts: 2, days: 5}]",
            ("warning", "contradictory_limits", "action one_more"),
            ["2 in 5 days is never reached", "channel cashier", "2 times in 7 days"],
        ),
        (
            "complaint_days: 28",
            "complaint_days: 27",
            ("warning", "complaint_without_answer", "policy"),
            ["27 days", "(service)"],
        ),
        (
            "starts: 2018-01-01, ends: 2018-03-31",
            "starts: 2018-02-01, ends: 2018-03-31",
            ("error", "contradictory_days", "action one_more"),
            ["experiment wording", "no day in common"],
        ),
        (
            "arms: [long]",
            "arms: [long, short]",
            ("warning", "experiment_without_others", "action one_more"),
            ["every arm", "Leave one arm out"],
        ),
        (
            "exempt_kinds: [service]",
            "exempt_kinds: [growth]",
            ("warning", "control_of_exempt", "action one_more"),
            ["control_share (0.1) has no effect"],
        ),
        (
            "    effect: rate\n",
            "",
            ("warning", "control_without_effect", "action one_more"),
            ["control group (0.1 of customers)", "names no effect to estimate"],
        ),
        (
            "spread: 0.05",
            "spread: 0.2",
            ("error", "never_credible", "action one_more"),
            ["rate is 0.1 with a spread of 0.2", "probability of 0.8", "below 0.12"],
        ),
        (
            "propensity: rate\n",
            "propensity: rate * 1\n",
            ("warning", "unused", "assumption spare"),
            ["no action uses it"],
        ),
    ],
)
def test_each_contradiction_is_found(
    tmp_path: Path, old: str, new: str, finding: tuple[str, str, str], words: list[str]
) -> None:
    assert old in FULL
    spare = "  spare: {value: 1, unit: cents, meaning: nothing, source: test}\nactions:"
    found = {
        (item.severity, item.rule, item.subject): item.says
        for item in contradictions(load(tmp_path, FULL.replace(old, new, 1).replace("actions:", spare)))
    }
    says = found[finding]
    for word in words:
        assert word in says


def test_what_nothing_uses_is_named(tmp_path: Path) -> None:
    text = FULL.replace("festival = 1 AND", "").replace("festival = 1", "TRUE").replace("AND TRUE", "")
    text = text.replace("  marketing: {unless", "  partners: {unless_stated: refused}\n  marketing: {unless")
    text = text.replace("channels:\n", "channels:\n  sms: {cost_cents: 1, reach: 0.1}\n", 1)
    found = {item.subject for item in contradictions(load(tmp_path, text)) if item.rule == "unused"}
    assert found == {"trigger festival", "purpose partners", "channel sms"}
