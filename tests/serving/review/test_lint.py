import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.clock import parse_date, to_day
from serving.catalogue.actions import Catalogue
from serving.decisions.rules import Rule
from serving.review import lint
from serving.review.outlook import NOTHING, AtPlace, Outlook
from tests.serving.catalogues import SMALL, load

DAY = to_day(parse_date("2018-01-01"))
SIZE = 100
ENTRY = SMALL[SMALL.index("  - id") :]
TWO = SMALL + ENTRY.replace("one_more", "other")


def outlook(catalogue: Catalogue, **rules: dict[Rule, int]) -> Outlook:
    """An outlook in which rules drop each action for so many customers; the others are offered it.

    The action of the most offered stands first for all who are offered it, the next for what is left.
    """
    seen = AtPlace.empty(catalogue, "till", SIZE)
    for index, action in enumerate(seen.actions):
        for rule, number in rules.get(action, {}).items():
            seen.rules[index, rule] = number
        seen.rules[index, Rule.OFFERED] = SIZE - seen.rules[index].sum()
    for index in np.argsort(-seen.rules[:, Rule.OFFERED], kind="stable"):
        rows = np.arange(seen.rules[index, Rule.OFFERED])
        free = rows[seen.first[rows] == NOTHING]
        seen.first[free] = index
        seen.expected[free] = 10
        seen.offered[rows] += 1
    names: Any = np.array([str(number) for number in range(SIZE)], dtype=object)
    return Outlook(catalogue, DAY, names, {"till": seen}, set(), None)


def found(outlook: Outlook) -> dict[tuple[str, str, str], str]:
    report = lint.lint(outlook)
    return {(item.severity, item.rule, item.subject): item.says for item in report.findings}


def test_a_sound_catalogue_has_no_findings(tmp_path: Path) -> None:
    seen = outlook(load(tmp_path, TWO), one_more={Rule.NOT_ELIGIBLE: 40}, other={Rule.NOT_ELIGIBLE: 20})
    seen.places["till"].first[:50] = 0
    report = lint.lint(seen)
    assert report.findings == ()
    assert [(count.action, count.eligible, count.offered, count.first) for count in report.counts] == [
        ("one_more", 60, 60, 50),
        ("other", 80, 80, 30),
    ]
    assert report.counts[0].dropped == {"not_eligible": 40}


def test_a_condition_that_nobody_meets_is_told(tmp_path: Path) -> None:
    catalogue = load(tmp_path, TWO.replace("visits_28 >= 1", "visits_28 >= 1000", 1))
    says = found(outlook(catalogue, one_more={Rule.NOT_ELIGIBLE: SIZE}))[
        "warning", "nobody", "action one_more"
    ]
    assert "none of 100 customers" in says
    assert "visits_28 >= 1000" in says


def test_a_condition_over_what_is_unknown_waits_for_a_source(tmp_path: Path) -> None:
    seen = outlook(load(tmp_path, TWO), one_more={Rule.NOT_ELIGIBLE: SIZE})
    seen.never_known.add("visits_28")
    assert "visits_28 is unknown for all" in found(seen)["warning", "nobody", "action one_more"]


def test_a_condition_over_today_is_only_noted(tmp_path: Path) -> None:
    catalogue = load(tmp_path, TWO.replace("visits_28 >= 1", "open_complaint = 1", 1))
    seen = outlook(catalogue, one_more={Rule.NOT_ELIGIBLE: SIZE})
    assert "open_complaint" in found(seen)["note", "nobody", "action one_more"]
    report = lint.lint(seen)
    assert report.errors == 0


def test_what_is_never_offered_says_what_holds_it_back(tmp_path: Path) -> None:
    rules = {Rule.NOT_ELIGIBLE: 30, Rule.NO_CONSENT: 60, Rule.NOT_ABOVE_ZERO: 10}
    says = found(outlook(load(tmp_path, TWO), one_more=rules))["warning", "never_offered", "action one_more"]
    assert "70 of 100 customers meet its condition" in says
    assert "till: no_consent 60, not_above_zero 10" in says


def test_a_value_that_can_be_computed_for_nobody_is_an_error(tmp_path: Path) -> None:
    rules = {Rule.NOT_ELIGIBLE: 30, Rule.NO_VALUE: 70}
    assert ("error", "never_offered", "action one_more") in found(
        outlook(load(tmp_path, TWO), one_more=rules)
    )


def test_an_action_that_never_wins_names_the_one_that_does(tmp_path: Path) -> None:
    says = found(outlook(load(tmp_path, TWO), other={Rule.NOT_ELIGIBLE: 1}))[
        "warning", "never_wins", "action other"
    ]
    assert "offered to 99 of 100 customers" in says
    assert "there one_more does" in says


@pytest.mark.parametrize(("first", "told"), [(90, True), (89, False)])
def test_from_nine_tenths_on_an_action_wins_for_nearly_all(tmp_path: Path, first: int, told: bool) -> None:
    seen = outlook(load(tmp_path, TWO))
    seen.places["till"].first[:first] = 0
    seen.places["till"].first[first:] = 1
    key = ("warning", "wins_for_nearly_all", "action one_more at till")
    assert (key in found(seen)) == told


def test_customers_without_anything_are_counted(tmp_path: Path) -> None:
    seen = outlook(load(tmp_path, TWO), one_more={Rule.NOT_ELIGIBLE: 26}, other={Rule.NOT_ELIGIBLE: 26})
    assert "26 of 100 customers (26%)" in found(seen)["warning", "without_action", "catalogue"]
    assert lint.lint(seen).without == {"": 26, "till": 26}
    fewer = outlook(load(tmp_path, TWO), other={Rule.NOT_ELIGIBLE: 26}, one_more={Rule.NOT_ELIGIBLE: 25})
    assert ("warning", "without_action", "catalogue") not in found(fewer)


def test_a_place_where_nobody_gets_anything_is_an_error(tmp_path: Path) -> None:
    all_of_them = {Rule.NOT_ABOVE_ZERO: SIZE}
    seen = outlook(load(tmp_path, TWO), one_more=all_of_them, other=all_of_them)
    assert ("error", "empty_place", "place till") in found(seen)
    seen.places["attic"] = AtPlace.empty(seen.catalogue, "attic", SIZE)
    assert "it has no action" in found(seen)["error", "empty_place", "place attic"]


@pytest.mark.parametrize(
    ("days", "told"),
    [("ends: 2017-12-31", True), ("ends: 2018-01-01", False), ("starts: 2018-01-02", False)],
)
def test_what_has_ended_is_told_once_and_what_comes_is_not(tmp_path: Path, days: str, told: bool) -> None:
    catalogue = load(tmp_path, TWO.replace("    places: [till]", f"    {days}\n    places: [till]", 1))
    dropped = {Rule.ENDED: SIZE} if told else {Rule.NOT_STARTED: SIZE}
    rules = {} if days == "ends: 2018-01-01" else {"one_more": dropped}
    mine = {key: says for key, says in found(outlook(catalogue, **rules)).items() if "one_more" in key[2]}
    assert (("warning", "expired", "action one_more") in mine) == told
    assert len(mine) == told or days == "ends: 2018-01-01"


def test_a_trigger_whose_days_are_over_has_expired(tmp_path: Path) -> None:
    text = TWO.replace(
        "assumptions:",
        "triggers:\n  festival: {days: [2017-02-16, 2017-12-31], meaning: {en: a, zh: b}}\nassumptions:",
    )
    assert "2017-12-31" in found(outlook(load(tmp_path, text)))["warning", "expired", "trigger festival"]
    assert ("warning", "expired", "trigger festival") not in found(
        outlook(load(tmp_path, text.replace("2017-12-31", "2018-01-01")))
    )


def test_a_refused_channel_that_the_catalogue_does_not_know_is_told(tmp_path: Path) -> None:
    seen = dataclasses.replace(outlook(load(tmp_path, SMALL)), strange={"wechat": 7, "pigeon": 0})
    told = found(seen)
    (key,) = (key for key in told if key[1] == "unknown_channel")
    assert key == ("warning", "unknown_channel", "channel wechat")
    assert "7 of 100 customers have refused it" in told[key]


def test_the_report_is_readable_and_puts_errors_first(tmp_path: Path) -> None:
    catalogue = load(tmp_path, TWO.replace("visits_28 >= 1", "churn_probability >= 25", 1))
    report = lint.lint(outlook(catalogue, one_more={Rule.NOT_ELIGIBLE: SIZE}))
    assert [item.rule for item in report.findings] == ["impossible", "nobody", "wins_for_nearly_all"]
    first, _, without, _, judged = report.lines()
    assert "on 100 customers as of 2018-01-01" in str(first)
    assert without == "offered nothing: anywhere 0; till 0"
    assert judged == "1 errors, 2 warnings"


def test_a_file_alone_is_judged_without_customers(tmp_path: Path) -> None:
    report = lint.static(load(tmp_path, SMALL))
    assert (report.as_of, report.customers, report.findings, report.counts) == (None, 0, (), ())
    assert report.lines()[-1] == "0 errors, 0 warnings"
