from pathlib import Path

import pytest

from tests.serving.catalogues import FULL, refusal


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stage = 'stable'", "stage = 'stabel'", ["eligible", "stage not found", "did you mean 'stable'"]),
        ("tier IN ('VIP', 'A')", "tier IN ('VIP', 'D')", ["tier not found: 'D'", "VIP"]),
        ("stage = 'stable'", "place = 'tll'", ["place not found: 'tll'", "did you mean 'till'"]),
        ("stage = 'stable'", "stage > 3", ["eligible", "stage", "number"]),
        ("consent_marketing = 1", "consent_partners = 1", ["consent_partners", "did you mean"]),
        ("festival = 1", "festivol = 1", ["festivol", "did you mean 'festival'"]),
        (
            "  purpose: marketing  #",
            "  purpose: marketting  #",
            ["policy: purpose", "did you mean 'marketing'"],
        ),
        ("exempt_kinds: [service]", "exempt_kinds: [servise]", ["exempt_kinds", "did you mean 'service'"]),
        ("ignored_times: 3", "ignored_times: 0", ["ignored_times is 0", "ignored_days is 56", "both"]),
        (
            "across: [{contacts: 3, days: 7}]",
            "across: [{contacts: 0, days: 7}]",
            ["policy.across.0.contacts"],
        ),
        (
            "across: [{contacts: 3, days: 7}]",
            "across: [{contacts: 3, days: 7}, {contacts: 2, days: 28}]",
            ["policy: across", "3 contacts in 7 days contradict 2 in 28 days", "keep one"],
        ),
        (
            "limits: [{contacts: 1, days: 7}, {contacts: 2, days: 28}]",
            "limits: [{contacts: 1, days: 7}, {contacts: 2, days: 7}]",
            ["'one_more': limits", "contradict"],
        ),
        ("days: 7}", "day: 7}", ["limits", "'day'", "did you mean 'days'"]),
        ("begins: 21:00", "begins: 24:00", ["quiet_hours.begins", "between 00:00 and 23:59", "24:00"]),
        ("begins: 21:00", "begins: 9pm", ["quiet_hours.begins", "9pm"]),
        ("begins: 21:00", 'begins: "09:00"', ["'cashier'", "quiet_hours begin and end at 09:00"]),
        ("share: 0.02", "share: 2", ["control.share", "0.5", "2"]),
        ("credibility: 0.8", "credibility: 1", ["credibility", "less than 1"]),
        ("till: {growth: 1.5}", "tell: {growth: 1.5}", ["context", "did you mean 'till'"]),
        ("till: {growth: 1.5}", "till: {growht: 1.5}", ["context: till", "did you mean 'growth'"]),
        ("till: {growth: 1.5}", "till: {growth: 0}", ["context.till.growth", "greater than 0"]),
        ("long: 0.5", "long: 0.4", ["'wording'", "short 0.5, long 0.4", "add up to 0.9", "Make it 1"]),
        ("{short: 0.5, long: 0.5}", "{short: 0.5}", ["experiments.wording.arms", "2"]),
        (
            "ends: 2018-03-31",
            "ends: 2017-03-31",
            ["'wording'", "ends on 2017-03-31, before it starts on 2018"],
        ),
        ("ends: 2018-01-31", "ends: 2017-12-31", ["'one_more'", "before it starts on 2018-01-01"]),
        ("ends: 2018-01-31", 'ends: "2018-01-31"', ["'one_more'", "ends", "has to be a date"]),
        ("ends: 2018-01-31", "ends: 2018-02-30", ["not valid"]),
        (
            "experiment: {id: wording",
            "experiment: {id: wordings",
            ["experiment not found", "did you mean 'wording'"],
        ),
        ("arms: [long]", "arms: [lang]", ["'wording'", "arm not found: 'lang'", "did you mean 'long'"]),
        ("effect: rate", "effect: raet", ["effect", "assumption not found", "did you mean 'rate'"]),
        ("effect: rate", "effect: margin", ["effect 'margin' has no spread", "standard deviation"]),
        ("propensity: rate", "propensity: 0.1", ["effect 'rate' is not read by its propensity (0.1)"]),
        (
            "    effect: rate\n",
            "    effect: rate\n    sales: {margin: margni}\n",
            ["sales", "assumption not found: 'margni'", "did you mean 'margin'"],
        ),
        ("    effect: rate\n", "    sales: {margin: margin}\n", ["'one_more'", "it names no effect"]),
        ("    lever: 2", "    lever: 0", ["'one_more'", "lever", "greater than 0"]),
        ("    control_share: 0.1", "    control_share: 0.9", ["control_share", "0.5"]),
        (
            "    purpose: marketing\n",
            "    purpose: partners\n",
            ["'one_more'", "purpose not found: 'partners'"],
        ),
        (
            "  marketing: {unless_stated: permitted}",
            "  marketing: {unless_stated: maybe}",
            ["purposes.marketing"],
        ),
        (
            "  marketing: {unless_stated",
            "  Marketing: {unless_stated",
            ["purposes.Marketing", "small letters"],
        ),
        ("  festival: {days", "  visits_28: {days", ["trigger 'visits_28'", "already"]),
        ("  festival: {days", "  open_complaint: {days", ["trigger 'open_complaint'", "already"]),
        ("  margin: {value", "  stage: {value", ["assumption 'stage'", "already"]),
        ("days: [2018-02-16]", "days: []", ["triggers.festival.days"]),
    ],
)
def test_what_is_wrong_with_the_newer_fields_is_said_in_one_sentence(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    assert old in FULL
    sentence = refusal(tmp_path, FULL.replace(old, new, 1))
    for word in words:
        assert word in sentence


def test_a_margin_is_a_share(tmp_path: Path) -> None:
    text = FULL.replace("    effect: rate\n", "    effect: rate\n    sales: {margin: margin}\n")
    sentence = refusal(tmp_path, text.replace("margin: {value: 0.25", "margin: {value: 25"))
    assert "margin 'margin' is 25, not a share of sales" in sentence
