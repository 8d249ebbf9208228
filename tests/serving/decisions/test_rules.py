from __future__ import annotations

from serving.decisions.rules import IDS, SENTENCES, Rule


def test_ids_are_in_the_order_of_the_rules() -> None:
    assert [rule.id for rule in Rule] == list(IDS)
    assert (Rule.OFFERED.id, Rule.NOT_STARTED.id, Rule.NOT_CREDIBLE.id) == ("", "not_started", "not_credible")
    # Below the number that stands for "open" while a decision is made.
    assert max(Rule) < 127


def test_a_rule_has_a_sentence_unless_what_is_unknown_makes_it() -> None:
    worded = {Rule.OFFERED, Rule.NOT_ELIGIBLE, Rule.NO_PROPENSITY, Rule.NO_VALUE}
    assert set(SENTENCES) == set(Rule) - worded
    assert all(said.in_language("en") != said.in_language("zh") for said in SENTENCES.values())
