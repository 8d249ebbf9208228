from __future__ import annotations

from serving.decisions.rules import IDS, SENTENCES, Rule


def test_ids_are_in_the_order_of_the_rules() -> None:
    assert [rule.id for rule in Rule] == list(IDS)
    assert (Rule.OFFERED.id, Rule.NOT_STARTED.id, Rule.NOT_CREDIBLE.id) == ("", "not_started", "not_credible")
    # Below the number that stands for "open" while a decision is made.
    assert max(Rule) < 127


def test_a_rule_has_a_sentence_unless_the_numbers_make_it() -> None:
    by_numbers = {
        Rule.OFFERED,
        Rule.NOT_ELIGIBLE,
        Rule.NO_PROPENSITY,
        Rule.NO_VALUE,
        Rule.NOT_ABOVE_ZERO,
        Rule.NOT_CREDIBLE,
    }
    assert set(SENTENCES) == set(Rule) - by_numbers
