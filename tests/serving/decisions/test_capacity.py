from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from features import clock
from features.json_file import write_json
from serving.catalogue.actions import Catalogue
from serving.contacts.standing import Standing
from serving.decisions import capacity
from serving.decisions.capacity import Bar, Bars
from serving.decisions.considered import dropped, pairs
from serving.decisions.rules import Rule
from tests.serving.decision_catalogue import AS_OF, catalogue, columns, decide

CALL = {"id": "call", "value_cents": "spend_28", "capacity": {"contacts": 2, "days": 7}}
LETTER = {"id": "letter", "value_cents": "40"}


def given(tmp_path: Path, **more: object) -> tuple[Catalogue, Bars]:
    known = catalogue(tmp_path, {**CALL, **more}, LETTER)
    return known, Bars(known.version, AS_OF, ("till",), {"call": Bar(45.0, 0.0)})


def test_below_the_bar_the_next_best_stands_and_the_record_says_why(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    # Scores of the call are 50 % x spend - 5: 70, 45 (on the bar), 20; of the letter 15.
    found = decide(known, "till", columns(spend_28=[150.0, 100.0, 50.0]), bars=bars)
    assert [[one.action.id for one in found.ranked(row)] for row in range(3)] == [
        ["call", "letter"],
        ["letter"],
        ["letter"],
    ]
    assert found.rule[:, 0].tolist() == [Rule.OFFERED, Rule.CAPACITY, Rule.CAPACITY]
    (call, letter) = pairs(found, 2)
    assert (call["dropped"], call["score"]) == ("capacity", 20.0)
    assert "dropped" not in letter
    (told,) = dropped(found, 2)
    assert (told.action_id, told.channel, told.rule) == ("call", None, "capacity")
    assert told.reason == (
        "its capacity goes to customers for whom it scores higher (here 20, the bar 45; equals by lot)"
    )
    (told,) = dropped(found, 2, language="zh")
    assert told.reason == "名额优先给得分更高的客户 (此客户 20, 门槛 45; 同分抽签)"


def test_a_scarce_action_behind_another_is_not_listed_and_no_rule_has_dropped_it(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    bars = replace(bars, actions={"call": Bar(0.0, 0.0)})
    found = decide(known, "till", columns(spend_28=[30.0, 150.0]), bars=bars)
    assert [[one.action.id for one in found.ranked(row)] for row in range(2)] == [
        ["letter"],
        ["call", "letter"],
    ]
    assert found.rule[0, 0] == Rule.OFFERED
    (told,) = dropped(found, 0)
    assert (told.action_id, told.rule) == ("call", "")
    assert told.reason == "worth 10 cents; its capacity goes to customers for whom it stands first"
    assert dropped(found, 0, language="zh")[0].reason == "价值 10 分; 名额只给以它为首选的客户"


def test_equals_are_told_apart_by_a_hash_that_is_the_same_alone_and_together(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    names = np.array([str(row) for row in range(400)], dtype=object)
    draw = capacity.draws("call", names, known)
    bars = replace(bars, actions={"call": Bar(70.0, 0.25)})
    found = decide(known, "till", columns(spend_28=[150.0] * 400), bars=bars)
    assert ((found.rule[:, 0] == Rule.OFFERED) == (draw < 0.25)).all()
    assert 60 < (draw < 0.25).sum() < 140


def test_who_goes_without_it_anyway_is_compared_with_those_above_the_bar_alone(tmp_path: Path) -> None:
    known, bars = given(tmp_path, control_share=0.5)
    found = decide(known, "till", columns(spend_28=[150.0] * 50 + [50.0] * 50), bars=bars)
    assert {*found.rule[:50, 0].tolist()} == {Rule.OFFERED, Rule.CONTROL}
    assert {*found.rule[50:, 0].tolist()} == {Rule.CAPACITY}
    assert found.controls["call"][50:].any()


def test_below_the_bar_nothing_is_left_to_chance(tmp_path: Path) -> None:
    known = catalogue(tmp_path, CALL, LETTER, exploration={"share": 0.5})
    bars = Bars(known.version, AS_OF, ("till",), {"call": Bar(45.0, 0.0)})
    found = decide(known, "till", columns(spend_28=[150.0] * 200 + [50.0] * 200), bars=bars)
    assert (found.probability[200:] == 1).all()
    assert {round(p, 2) for p in found.probability[:200]} == {0.75, 0.25}
    for row in range(400):
        listed = [one.action.id for one in found.ranked(row)]
        assert "call" not in listed[1:]
        assert row < 200 or listed == ["letter"]


def test_bars_made_by_something_else_do_not_hold_and_the_answer_says_so(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    read = columns(spend_28=[50.0])
    others = {
        "day": replace(bars, as_of=AS_OF - 1),
        "catalogue": replace(bars, catalogue="another"),
        "version of the effects": replace(bars, effects="0123456789ab"),
        "model": replace(bars, models={"churn": "1"}),
        "day and another model": replace(bars, as_of=AS_OF + 1, models={"churn": "1"}),
    }
    for what, other in others.items():
        found = decide(known, "till", read, bars=other)
        assert found.rule[0, 0] == Rule.OFFERED
        (sentence,) = found.missing
        assert sentence.startswith(
            f"capacity: the last batch shared out call, but by another {what}: here it"
        )
        assert sentence.endswith("once as many contacts are known. Run `nextbest score`.")
    same = decide(known, "till", read, bars=others["model"], models={"churn": "1"})
    assert (same.rule[0, 0], same.missing) == (Rule.CAPACITY, ())
    elsewhere = decide(known, "till", read, bars=replace(bars, places=("phone",)))
    assert (elsewhere.rule[0, 0], elsewhere.missing) == (Rule.OFFERED, ())
    none = decide(known, "till", read, bars=Bars())
    assert (none.rule[0, 0], none.missing) == (Rule.OFFERED, ())


def test_who_was_not_in_the_batch_gets_nothing_of_what_it_shared_out(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    found = decide(known, "till", columns(spend_28=[1e6]), bars=bars.closed)
    assert [one.action.id for one in found.ranked(0)] == ["letter"]
    (told,) = dropped(found, 0)
    assert (told.rule, told.reason) == ("capacity", "its capacity is used up")


def test_contacts_that_used_it_up_close_it_above_the_bar_too(tmp_path: Path) -> None:
    known, bars = given(tmp_path)
    standing = replace(Standing.empty(1), contacted=lambda *_: 2)
    found = decide(known, "till", columns(spend_28=[150.0]), bars=bars, standing=standing)
    (told,) = dropped(found, 0)
    assert (told.rule, told.reason) == ("capacity", "its capacity is used up")


def test_bars_are_read_from_a_manifest(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    assert Bars.read(file) == Bars()
    content = {"as_of": "2018-01-02", "action_catalogue": "c", "places": ["till"], "effects": "e"}
    content |= {"models": {"churn": {"version": "3", "run_id": "r"}}}
    write_json(file, content)
    assert Bars.read(file) == Bars()
    write_json(file, {**content, "capacity": {"call": {"score": 0.1 + 0.2, "draw": 1 / 3}}})
    day = clock.to_day(clock.parse_date("2018-01-02", name="as_of"))
    actions = {"call": Bar(0.1 + 0.2, 1 / 3)}
    assert Bars.read(file) == Bars("c", day, ("till",), actions, "e", {"churn": "3"})
