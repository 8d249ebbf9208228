from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from features.catalogue import NAMES
from features.errors import UserError
from features.life_cycle import rules as lifecycle

GIVEN = Path(lifecycle.__file__).with_suffix(".yaml").read_text(encoding="utf-8")


def changed(*path, to):
    content = yaml.safe_load(GIVEN)
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return yaml.safe_dump(content, sort_keys=False)


def test_the_platforms_rules():
    rules = lifecycle.RULES
    assert {stage.id: stage.name_zh for stage in rules.stages} == {
        "exploring": "徘徊期",
        "forming": "形成期",
        "stable": "稳定期",
        "lapsing": "流失期",
    }
    assert rules.journey == ("exploring", "forming", "stable", "lapsing")
    assert {"spend_182", "visits_91", "overdue_ratio"} <= set(rules.names) <= set(NAMES)
    assert set(rules.stage_names) <= set(rules.names)
    assert rules.peers.groups[0] == ("segment", "area")


def test_money_is_read_as_cents_and_shares_as_they_are():
    money = {"by": "money", "VIP": 1000, "A": 99.99, "B": 0.5}
    tiers = lifecycle.read(changed("tiers", "kinds", "organisation", to=money)).tiers
    assert tiers.by == {"person": "share", "organisation": "money"}
    assert tiers.bounds == {"person": (0.05, 0.20, 0.50), "organisation": (100_000.0, 9_999.0, 50.0)}


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("stages", "stable", "rule"), "visit_91 > 3", "visits_91"),
        (("stages", "stable", "rule"), "visits_91", "a boolean is needed"),
        (
            ("stages", "stable"),
            {"name_zh": "稳定期", "en": "stable", "zh": "稳"},
            "stage 'stable' has no 'rule'",
        ),
        (("stages", "stable"), "stable", "it has to have the keys name_zh, en, zh, rule"),
        (("stage",), {}, "key of lifecycle not found: 'stage'"),
        (("journey",), ["exploring", "forming"], "every stage once"),
        (("tiers", "value"), "visits_91", "it has to be a feature in cents"),
        (("tiers", "value"), "spent", "feature of tiers not found"),
        (("potential", "figure"), "visits_91", "a figure of the peers in cents"),
        (("potential", "figure"), "spend_28", "a figure of the peers in cents"),
        (("potential", "reach"), 1.5, "a share between 0 and 1"),
        (("potential", "groups"), [["stage"]], "potential: the last group has to be"),
        (("potential", "minimum"), 0, "potential: minimum is 0"),
        (("tiers", "levels"), ["A"], "two or more different names"),
        (("tiers", "kinds"), {}, "no kind of customer"),
        (("tiers", "kinds", "person"), {"by": "rank", "VIP": 1, "A": 2, "B": 3}, "known are: money, share"),
        (("tiers", "kinds", "person"), {"by": "share", "VIP": 0.1, "A": 0.2}, "has no 'B'"),
        (("tiers", "kinds", "person"), {"by": "share", "VIP": 0.5, "A": 0.2, "B": 0.7}, "have to rise"),
        (("tiers", "kinds", "person"), {"by": "share", "VIP": 0.1, "A": 0.2, "B": 1.7}, "up to 1"),
        (("tiers", "kinds", "person"), {"by": "money", "VIP": 10, "A": 20, "B": 5}, "has to fall"),
        (("tiers", "kinds", "person"), {"by": "money", "VIP": 10, "A": 5, "B": "5"}, "numbers above 0"),
        (("peers", "minimum"), 0, "1 or more"),
        (("peers", "groups"), [["segment"]], r"has to be \[\], everybody"),
        (("peers", "groups"), [["region"], []], "column of a peer group not found: 'region'"),
        (("peers", "figures"), ["visits_92"], "did you mean 'visits_91'"),
    ],
)
def test_a_wrong_rule_gets_one_sentence(path, value, sentence):
    with pytest.raises(UserError, match=sentence):
        lifecycle.read(changed(*path, to=value))
