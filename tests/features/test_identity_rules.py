from __future__ import annotations

import json
from typing import Any

import pytest

from features.errors import UserError
from features.identity_rules import LEVELS, WEIGHTS, IdentityRules


def test_rules_survive_json() -> None:
    for rules in (
        IdentityRules(),
        IdentityRules.read({"threshold": 0.9, "weights": {"sex": [[0.9, 0.5], [0.1, 0.5]]}}),
    ):
        assert IdentityRules.read(json.loads(json.dumps(rules.plain()))) == rules


def test_every_level_has_its_weights() -> None:
    assert {name: len(levels) for name, levels in WEIGHTS.items()} == {n: len(ls) for n, ls in LEVELS.items()}
    assert IdentityRules().bits("sex", 1) < 0 < IdentityRules().bits("name", 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"treshold": 0.9}, "did you mean 'threshold'"),
        ({"threshold": 1}, "identity.threshold is 1: it has to be a probability"),
        ({"person_references": 1}, "whole number of 2 or more"),
        ({"person_references": 20}, "household_references is 12: it has to be at least"),
        ({"different_bits": -1}, "a number above 0"),
        ({"weights": {"shoe": []}}, "comparison of"),
        ({"weights": {"sex": [[1, 0.5]]}}, "a list of 2 pairs"),
        ({"weights": 3}, "has to be a section"),
    ],
)
def test_what_is_not_valid(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        IdentityRules.read(given)
