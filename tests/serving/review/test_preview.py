from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from features.clock import parse_date, to_day
from serving.catalogue.actions import Catalogue
from serving.review.outlook import NOTHING, AtPlace, Outlook
from serving.review.preview import Change, Reworded, compare
from tests.serving.catalogues import SMALL, load

DAY = to_day(parse_date("2018-01-01"))
NAMES: Any = np.array(["ann", "bob", "cyd", "dan"], dtype=object)
ENTRY = SMALL[SMALL.index("  - id") :]
TWO = SMALL + ENTRY.replace("one_more", "other")


def outlook(catalogue: Catalogue, first: list[int], expected: list[int]) -> Outlook:
    seen = AtPlace.empty(catalogue, "till", len(NAMES))
    seen.first[:], seen.expected[:] = first, expected
    return Outlook(catalogue, DAY, NAMES, {"till": seen}, set(), None)


def test_who_gains_and_loses_what(tmp_path: Path) -> None:
    two = load(tmp_path, TWO)
    before = outlook(two, [0, 0, 0, NOTHING], [10, 20, 30, 0])
    after = outlook(replace(two, version="new"), [0, 1, 1, 1], [10, 50, 31, 5])
    report = compare(before, after)
    assert (report.before, report.after, report.customers, report.as_of) == (
        two.version,
        "new",
        4,
        "2018-01-01",
    )
    (total,) = report.totals
    assert (total.changed, total.before_cents, total.after_cents) == (3, 60, 96)
    other, one_more, nothing = report.changes
    assert other == Change("till", "other", 0, 3, 3, 0, "", 0, 86, ("bob", "dan", "cyd"), ())
    assert one_more == Change("till", "one_more", 3, 1, 0, 2, "other", 60, 10, (), ("cyd", "bob"))
    assert nothing == Change("till", "none", 1, 0, 0, 1, "other", 0, 0, (), ("dan",))


def test_a_value_that_changes_for_the_same_customers_is_told(tmp_path: Path) -> None:
    two = load(tmp_path, TWO)
    first = [0, 0, 1, NOTHING]
    report = compare(outlook(two, first, [10, 20, 30, 0]), outlook(two, first, [10, 25, 30, 0]))
    (change,) = report.changes
    assert (change.action, change.gained, change.lost) == ("one_more", 0, 0)
    assert (change.before_cents, change.after_cents) == (30, 35)


def test_the_same_catalogue_changes_nothing(tmp_path: Path) -> None:
    seen = outlook(load(tmp_path, TWO), [0, 1, 1, NOTHING], [1, 2, 3, 0])
    report = compare(seen, seen)
    assert report.changes == ()
    assert report.lines()[-1] == "nothing changes for anybody."


def test_an_action_or_a_place_that_is_gone_is_lost_by_all(tmp_path: Path) -> None:
    before = outlook(load(tmp_path, TWO), [0, 1, 1, NOTHING], [1, 2, 3, 0])
    after = outlook(load(tmp_path, SMALL), [0, NOTHING, NOTHING, NOTHING], [1, 0, 0, 0])
    gone = {change.action: change for change in compare(before, after).changes}
    assert (gone["other"].lost, gone["other"].instead, gone["none"].gained) == (2, "none", 2)
    moved = Outlook(after.catalogue, DAY, NAMES, {"kiosk": after.places["till"]}, set(), None)
    report = compare(before, moved)
    assert [(total.place, total.before_cents, total.after_cents) for total in report.totals] == [
        ("till", 6, 0),
        ("kiosk", 0, 1),
    ]
    assert len(report.lines()) == 3


def test_other_words_are_told_with_who_would_read_them(tmp_path: Path) -> None:
    first = [0, 0, 1, NOTHING]
    before = outlook(load(tmp_path, TWO), first, [10, 20, 30, 0])
    text = TWO.replace("en: Come again.", "en: Come soon.", 1).replace("zh: 再来}", "zh: 再来一次}", 1)
    report = compare(before, outlook(load(tmp_path, text), first, [10, 20, 30, 0]))
    assert report.changes == ()
    assert report.reworded == (Reworded("one_more", ("name", "text"), ("en", "zh"), 2),)
    assert report.lines()[-1] == "nobody is offered anything else."
    other = compare(before, outlook(load(tmp_path, TWO.replace("en: One more", "en: Two")), first, [9] * 4))
    assert [(one.action, one.fields, one.languages, one.customers) for one in other.reworded] == [
        ("one_more", ("name",), ("en",), 2),
        ("other", ("name",), ("en",), 1),
    ]
    assert len(other.lines()) == 4
