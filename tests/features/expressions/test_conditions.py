from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.expressions import conditions
from features.expressions.conditions import Conditions
from features.expressions.expression import parse

# `gap` may be unknown, which the matrix says by 0; `recency` is never negative.
COLUMNS = ("a", "b", "gap", "recency")
UNKNOWN = frozenset({"gap"})

operands = st.one_of(
    st.sampled_from(COLUMNS),
    st.builds("({} {} {})".format, st.sampled_from(COLUMNS), st.sampled_from("+-"), st.integers(-3, 3)),
    st.sampled_from(["0", "1", "2.5", "-1", "3", "1e12"]),
    st.just("a * 2"),
    st.just("a / b"),
)
compared = st.builds(
    "{} {} {}".format, operands, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), operands
)
leaves = st.one_of(
    compared,
    st.builds("{} BETWEEN {} AND {}".format, operands, operands, operands),
    st.sampled_from(["gap IS NOT NULL", "gap IS NULL", "a IS NULL", "b IN (1, 2)", "gap NOT IN (3)", "TRUE"]),
)
texts = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.builds("({} {} {})".format, below, st.sampled_from(["AND", "OR"]), below),
        st.builds("NOT ({})".format, below),
    ),
    max_leaves=4,
)
rows = st.tuples(st.integers(-3, 4), st.integers(-3, 4), st.integers(0, 4), st.integers(0, 4))


def positions(parsed) -> dict[conditions.Column, int]:
    read = {(name, 0) for name in COLUMNS}
    for expression in parsed:
        found = conditions.tree(expression, UNKNOWN)
        read |= set() if found is None else conditions.columns(found)
    return {column: row for row, column in enumerate(sorted(read))}


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4, unique=True), st.lists(rows, min_size=1, max_size=6))
def test_conditions_together_are_what_each_expression_says(written, table):
    parsed = [parse(text, COLUMNS, kind="boolean") for text in written]
    position = positions(parsed)
    plain = dict(zip(COLUMNS, np.array(table).T, strict=True))
    matrix = np.array([plain[name] + shift for name, shift in position], dtype=np.int32)
    found = Conditions.of(parsed, position, UNKNOWN)
    answer = np.empty((found.size, len(table)), dtype=bool)
    found.evaluate(matrix, found.onto(answer))
    numbers = {name: column.astype(float) for name, column in plain.items()}
    numbers["gap"][numbers["gap"] == 0] = np.nan
    for expression in parsed:
        expected = expression.evaluate(numbers).tolist()
        assert answer[found.place[expression.text]].tolist() == expected, expression.text


@pytest.mark.parametrize(
    "text",
    [
        "a > 0",
        "a = 0",
        "a <= 2.5",
        "a > 0 AND a = b",
        "NOT (a BETWEEN 1 AND 3)",
        "gap >= recency + 28",
        "gap IS NOT NULL",
        "gap < 3",
    ],
)
def test_usual_conditions_are_comparisons(text):
    assert conditions.tree(parse(text, COLUMNS, kind="boolean"), UNKNOWN) is not None


@pytest.mark.parametrize("text", ["a / b > 1", "NOT (gap > 3)", "a > 1e12", "a = 2.5", "gap IS NULL", "TRUE"])
def test_other_conditions_are_left_to_the_expression(text):
    assert conditions.tree(parse(text, COLUMNS, kind="boolean"), UNKNOWN) is None


def test_comparisons_of_one_kind_are_made_in_one_call():
    parsed = [
        parse(text, COLUMNS, kind="boolean") for text in ("a > 0", "b > 3", "a >= 1 AND b > 3", "a < b")
    ]
    found = Conditions.of(parsed, positions(parsed), UNKNOWN)
    # `a > 0` and `a >= 1` are the same of whole numbers; AND is one more row.
    assert (len(found._groups), len(found._steps), found.size) == (2, 1, 4)
