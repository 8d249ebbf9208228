from __future__ import annotations

import re
from dataclasses import replace

import pytest

from features import catalogue
from features.catalogue import (
    DECLARATIONS,
    FEATURES,
    NAMES,
    catalogue_hash,
    closure,
    declarations_hash,
    formula,
    read,
)
from features.declarations import FAMILIES, Derived, Feature
from features.errors import UserError
from features.evaluators.sql import condition, needs

ENTRY = "unit: days, en: A meaning, zh: 含义"


def test_the_catalogue_is_whole():
    assert len(NAMES) == len(set(NAMES)) > 50
    assert {feature.family for feature in FEATURES} == set(FAMILIES)
    for declaration in DECLARATIONS:
        assert declaration.unit
        assert re.search(r"[A-Za-z]", declaration.meaning)
        assert re.search(r"[\u4e00-\u9fff]", declaration.meaning_zh), declaration.name


def test_every_condition_and_formula_is_in_the_language():
    for declaration in DECLARATIONS:
        if isinstance(declaration, Derived):
            assert formula(declaration).names
        elif declaration.where:
            where = condition(declaration)
            assert where is not None
            assert where.names


def test_parts_serve_a_formula():
    used = {name for d in DECLARATIONS if isinstance(d, Derived) for name in formula(d).names}
    assert {d.name for d in DECLARATIONS if d.part} <= used


def test_a_window_is_a_feature_each():
    text = f"frequency: {{visits: {{op: count, windows: [7, all], {ENTRY}}}}}"
    assert read(text) == (
        Feature(
            "visits_7", "frequency", "days", "A meaning in the last 7 days", "近7天含义", "count", days=7
        ),
        Feature("visits_all", "frequency", "days", "A meaning before T", "全部历史含义", "count"),
    )


def test_a_formula_needs_what_its_parts_need():
    assert needs("fuel_share_91") == {"products"}
    assert needs("visits_28") == frozenset()
    assert {d.name for d in closure(["sd_gap_all"])} == {
        "days_since_visit",
        "tenure_days",
        "visits_all",
        "gap_squares_all",
        "gaps_all",
        "mean_gap_all",
        "sd_gap_all",
    }


def test_the_hash_is_of_the_content():
    assert re.fullmatch(r"[0-9a-f]{64}", catalogue_hash())
    assert catalogue_hash() == catalogue_hash()


def test_the_hash_of_some_features_follows_what_they_are_made_of_and_nothing_else(monkeypatch):
    read_by_a_model = ["sd_gap_all", "visits_28"]
    before = declarations_hash(read_by_a_model)
    assert declarations_hash(read_by_a_model[::-1]) == before
    assert declarations_hash(["sd_gap_all"]) != before

    def changed(name: str, **words: str) -> str:
        given = words or {"unit": "moons"}
        now = tuple(replace(d, **given) if d.name == name else d for d in DECLARATIONS)
        with monkeypatch.context() as patched:
            patched.setattr(catalogue, "DECLARATIONS", now)
            patched.setattr(catalogue, "BY_NAME", {d.name: d for d in now})
            formula.cache_clear()
            return declarations_hash(read_by_a_model)

    assert changed("spend_91") == before
    assert changed("visits_28") != before
    assert changed("visits_28", meaning="Better said") == before
    assert changed("gap_squares_all") != before
    formula.cache_clear()
    with pytest.raises(UserError, match="feature not found: 'gone'"):
        declarations_hash(["gone"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"recensy: {{x: {{op: count, {ENTRY}}}}}", "did you mean 'recency'"),
        (f"recency: {{x: {{op: cuont, {ENTRY}}}}}", "did you mean 'count'"),
        (f"recency: {{x: {{op: sum, column: line, {ENTRY}}}}}", "did you mean 'lines'"),
        (f"recency: {{x: {{op: sum, {ENTRY}}}}}", "column of feature 'x' not found"),
        (f"recency: {{x: {{op: count, column: lines, {ENTRY}}}}}", "count has no column"),
        (f"recency: {{x: {{op: count, window: 7, {ENTRY}}}}}", "did you mean 'windows'"),
        (f"recency: {{x: {{formula: a, days: 7, {ENTRY}}}}}", "key of feature 'x' not found: 'days'"),
        ("recency: {x: {op: count, unit: days, en: A meaning}}", "has no 'zh'"),
        (f"recency: {{x: {{{ENTRY}}}}}", "has no 'op'"),
        (f"recency: {{x: {{op: count, {ENTRY}}}, x: {{op: count, {ENTRY}}}}}", "'x' is declared twice"),
        (
            f"recency: {{x: {{op: count, {ENTRY}}}}}\nmoney: {{x: {{op: count, {ENTRY}}}}}",
            "'x' is declared twice",
        ),
        # A filter on a column that its rows do not have, and a formula over what is not above it.
        (
            f"recency: {{x: {{op: count, where: discounted_line > 0, {ENTRY}}}}}",
            "'x': name in expression 'discounted_line > 0' not found: 'discounted_line'. Hint: did you mean",
        ),
        (
            f"recency: {{x: {{op: count, where: lines, {ENTRY}}}}}",
            "feature 'x': expression 'lines' is a number",
        ),
        (
            f"recency: {{visits: {{op: count, days: 7, {ENTRY}}}, x: {{formula: 2 * visit, {ENTRY}}}}}",
            "feature 'x': name in expression '2 * visit' not found: 'visit'. Hint: did you mean 'visits'?",
        ),
        (f"recency: {{x: {{op: count, where: 3, {ENTRY}}}}}", "feature 'x': where is 3: it has to be a text"),
        (
            f"recency: {{x: {{op: count, days: -7, {ENTRY}}}}}",
            "days is -7: it has to be a whole number above 0",
        ),
        (f"recency: {{x: {{op: count, windows: [7d], {ENTRY}}}}}", "windows is ['7d']: it has to be a list"),
        (f"recency: {{x: {{op: count, windows: [], {ENTRY}}}}}", "windows is []: it has to be a list"),
        (
            f"recency: {{x: {{op: count, needs: products, {ENTRY}}}}}",
            "needs is 'products': it has to be a list",
        ),
        (f"recency: {{x: {{op: count, part: 1, {ENTRY}}}}}", "part is 1: it has to be true or false"),
        (f"recency: {{x: {{op: count, days: 7, windows: [7], {ENTRY}}}}}", "has both days and windows"),
        (f"recency: {{3: {{op: count, {ENTRY}}}}}", "3 is no name of a feature"),
        (f"recency: {{x: {{3: 4, {ENTRY}}}}}", "key of feature 'x' not found: '3'"),
        ("recency: {x: 4}", "feature 'x' is 4: it has to be a mapping"),
        ("recency: [", "catalogue is not valid YAML: while parsing"),
        ("", "catalogue is None"),
    ],
)
def test_a_wrong_declaration_is_named(text, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        read(text)
