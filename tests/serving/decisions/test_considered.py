from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from serving.decisions import considered
from tests.serving.decision_catalogue import catalogue, columns, decide


def test_what_is_beyond_the_limit_is_dropped_and_said(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path,
            {"id": "apple", "channels": ["cashier", "receipt"]},
            {"id": "mango", "value_cents": "102"},
            {"id": "worse", "value_cents": "10"},
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    assert [choice.action.id for choice in found.ranked(0, 1)] == ["mango"]
    other = ("apple", "receipt", "worth 24 cents; channel cashier is worth more")
    nothing = ("worse", "cashier", "its expected value is not above zero (0 cents)")
    assert [(d.action_id, d.channel, d.reason) for d in considered.dropped(found, 0, 1)] == [
        ("apple", "cashier", "worth 45 cents through cashier; beyond the limit of 1"),
        other,
        nothing,
    ]
    assert considered.dropped(found, 0, 2) == considered.dropped(found, 0)
    assert [(d.action_id, d.channel, d.reason) for d in considered.dropped(found, 0)] == [other, nothing]


def test_what_is_unknown_is_not_eligible_and_said(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path,
            {"id": "a", "eligible": "churn_probability > 0.5"},
            {"id": "b", "propensity": "churn_probability"},
            {"id": "c", "value_cents": "spend_28 / visits_28"},
            {"id": "d", "eligible": "visits_28 > 5"},
            {"id": "e", "propensity": "spend_28"},
            {"id": "f", "value_cents": "spend_28 * 1e300"},
            {"id": "g", "eligible": "churn_probability > 0.5 OR visits_28 = 0"},
        ),
        "till",
        columns(spend_28=[50.0], visits_28=[0.0], churn_probability=[np.nan]),
    )
    assert [choice.action.id for choice in found.ranked(0)] == ["g"]
    assert {d.action_id: d.reason for d in considered.dropped(found, 0)} == {
        "a": "not eligible (unknown: churn_probability)",
        "b": "propensity cannot be computed (unknown: churn_probability)",
        "c": "value_cents is not a finite amount",
        "d": "not eligible (condition not met)",
        "e": "propensity is not a probability",
        "f": "value_cents is not a finite amount",
    }


def test_every_sentence_is_in_both_languages(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path,
            {"id": "apple", "channels": ["cashier", "receipt"]},
            {"id": "mango", "value_cents": "102"},
            {"id": "worse", "value_cents": "10"},
            {"id": "unmet", "eligible": "visits_28 > 5"},
            {"id": "unseen", "eligible": "churn_probability > 0.5"},
            {"id": "unsure", "propensity": "churn_probability"},
            {"id": "unlikely", "propensity": "spend_28"},
            {"id": "unpaid", "value_cents": "spend_28 * 1e300"},
        ),
        "till",
        columns(spend_28=[50.0], visits_28=[0.0], churn_probability=[np.nan]),
    )
    english, chinese = (considered.dropped(found, 0, 1, language) for language in ("en", "zh"))
    assert [(d.action_id, d.channel, d.rule) for d in english] == [
        (d.action_id, d.channel, d.rule) for d in chinese
    ]
    assert {d.action_id + (d.channel or ""): d.reason for d in chinese} == {
        "applecashier": "通过 cashier 价值 45 分; 超出所要的 1 条",
        "applereceipt": "价值 24 分; 渠道 cashier 价值更高",
        "worsecashier": "预期价值不大于零 (0 分)",
        "unmet": "不符合条件 (条件未满足)",
        "unseen": "不符合条件 (未知: churn_probability)",
        "unsure": "propensity 无法计算 (未知: churn_probability)",
        "unlikely": "propensity 不是概率",
        "unpaid": "value_cents 不是有限金额",
    }


def test_the_record_lists_every_pair_with_its_numbers(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path, {"id": "a", "channels": ["cashier", "receipt"]}, {"id": "b", "eligible": "spend_28 > 5"}
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    same = {
        "value_cents": 100.0,
        "spread_cents": 0.0,
        "weight": 1.0,
        "value_basis": "assumed",
        "multiplier": 1.0,
    }
    assert considered.pairs(found, 0) == [
        {
            "action_id": "a",
            "channel": "cashier",
            "propensity": 0.5,
            "expected_value_cents": 45,
            "score": 45,
            **same,
        },
        {
            "action_id": "a",
            "channel": "receipt",
            "propensity": 0.25,
            "expected_value_cents": 24,
            "score": 24,
            **same,
        },
        {"action_id": "b", "channel": "cashier", "dropped": "not_eligible"},
    ]
    assert [(d.action_id, d.channel, d.reason) for d in considered.dropped(found, 0)] == [
        ("a", "receipt", "worth 24 cents; channel cashier is worth more"),
        ("b", None, "not eligible (condition not met)"),
    ]


def test_what_a_control_group_goes_without_keeps_its_numbers(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {"id": "a", "control_share": 0.4},
        {"id": "b", "propensity": "churn_probability"},
        control={"share": 0.5},
    )
    found = decide(given, "till", columns(spend_28=[1.0] * 40, churn_probability=[np.nan] * 40))
    rules = {"holdout": 0, "control": 0, "": 0}
    for row in range(40):
        pair, unknown = considered.pairs(found, row)
        rules[pair.get("dropped", "")] += 1
        assert (pair["expected_value_cents"], pair["score"]) == (45, 45)
        # Nothing is known of the other one's worth, so that nothing is said.
        assert set(unknown) == {"action_id", "channel", "dropped"}
    assert min(rules.values()) > 0


def test_every_rule_is_said_in_words(tmp_path: Path) -> None:
    belief = {"value": 0.5, "spread": 1.0, "unit": "share", "meaning": "works", "source": "test"}
    given = catalogue(
        tmp_path,
        {"id": "a", "propensity": "works", "effect": "works"},
        {"id": "b", "ends": date(2018, 1, 1)},
        assumptions={"works": belief},
        credibility=0.9,
    )
    found = decide(given, "till", columns(spend_28=[1.0]))
    assert [(d.action_id, d.rule, d.reason) for d in considered.dropped(found, 0)] == [
        ("a", "not_credible", "its expected value is not credibly above zero (45 cents, give or take 100)"),
        ("b", "ended", "it has ended"),
    ]
    chinese = [(d.action_id, d.rule, d.reason) for d in considered.dropped(found, 0, language="zh")]
    assert chinese == [
        ("a", "not_credible", "预期价值大于零的把握不足 (45 分, 上下 100)"),
        ("b", "ended", "已经结束"),
    ]
