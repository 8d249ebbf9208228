from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import UserError
from features.expressions.expression import MAX_LENGTH, Expression, parse

NUMBERS = ("a", "b", "c")
VALUES = (None, 0.0, 1.0, -1.0, 2.0, 0.1, 28.0, 1e6, -3.5)
TEXTS = (None, "forecourt", "shop", "it's")


def numbers(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from([*NUMBERS, "0", "1", "2.5", "0.1", "28", "1e3"])
    if depth == 0:
        return leaf
    below, condition = numbers(depth - 1), booleans(depth - 1)
    return st.one_of(
        leaf,
        st.builds("({} {} {})".format, below, st.sampled_from("+-*/"), below),
        st.builds("-({})".format, below),
        st.builds("sqrt({})".format, below),
        st.builds("abs({})".format, below),
        st.builds("{}({}, {})".format, st.sampled_from(["least", "greatest", "coalesce"]), below, below),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, condition, below, below),
        st.builds("CASE WHEN {} THEN {} WHEN {} THEN {} END".format, condition, below, condition, below),
    )


def booleans(depth: int) -> st.SearchStrategy[str]:
    compared = st.builds(
        "({} {} {})".format,
        numbers(max(depth - 1, 0)),
        st.sampled_from(["<", "<=", ">", ">=", "=", "<>", "!="]),
        numbers(max(depth - 1, 0)),
    )
    if depth == 0:
        return st.one_of(compared, st.sampled_from(["TRUE", "FALSE", "p = 'shop'", "p IS NULL"]))
    below, number = booleans(depth - 1), numbers(depth - 1)
    return st.one_of(
        compared,
        st.builds("({} {} {})".format, below, st.sampled_from(["AND", "OR"]), below),
        st.builds("NOT ({})".format, below),
        st.builds("({}) IS {}NULL".format, number, st.sampled_from(["", "NOT "])),
        st.builds("({}) {}BETWEEN {} AND {}".format, number, st.sampled_from(["", "NOT "]), number, number),
        st.builds("({}) {}IN ({}, {})".format, number, st.sampled_from(["", "NOT "]), number, number),
        st.sampled_from(["p IN ('shop', 'it''s')", "p NOT IN ('shop')", "p <> 'forecourt'", "p IS NOT NULL"]),
    )


rows = st.lists(st.tuples(*[st.sampled_from(VALUES)] * 3, st.sampled_from(TEXTS)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE t (n INTEGER, a DOUBLE, b DOUBLE, c DOUBLE, p VARCHAR)")
        yield connection


def by_duckdb(duck, expression: Expression, table: list[tuple[Any, ...]]) -> list[Any]:
    duck.execute("DELETE FROM t")
    duck.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [(i, *row) for i, row in enumerate(table)])
    return [row[0] for row in duck.execute(f"SELECT {expression.sql()} FROM t ORDER BY n").fetchall()]


def columns(table: list[tuple[Any, ...]]) -> dict[str, Any]:
    arrays = {
        name: np.array([math.nan if row[i] is None else row[i] for row in table])
        for i, name in enumerate(NUMBERS)
    }
    return {**arrays, "p": np.array([row[3] for row in table], dtype=object)}


def same(duck, expression: Expression, table: list[tuple[Any, ...]]) -> None:
    by_column = columns(table)
    arrays = expression.evaluate(by_column)
    for i, expected in enumerate(by_duckdb(duck, expression, table)):
        one = expression.one(
            {name: values[i].item() if name != "p" else values[i] for name, values in by_column.items()}
        )
        if expression.kind == "boolean":
            assert bool(arrays[i]) is (expected is True)
            assert one is (expected is True)
        elif expected is None:
            assert math.isnan(arrays[i])
            assert math.isnan(one)
        else:
            assert arrays[i] == expected
            assert one == expected


@settings(max_examples=150, deadline=None)
@given(numbers(3), rows)
def test_a_number_is_what_duckdb_says_on_arrays_and_one_by_one(duck, text, table):
    same(duck, parse(text, NUMBERS, kind="number", texts=("p",)), table)


@settings(max_examples=150, deadline=None)
@given(booleans(3), rows)
def test_a_condition_is_what_duckdb_says_on_arrays_and_one_by_one(duck, text, table):
    same(duck, parse(text, NUMBERS, kind="boolean", texts=("p",)), table)


def test_unknown_values_follow_three_valued_logic():
    nan, one = np.array([math.nan]), np.array([1.0])
    for text, expected in [
        ("a > 0 OR b > 0", True),
        ("NOT (a > 0)", False),
        ("NOT (a > 0 AND b < 0)", True),
        ("a > 0 AND b > 0", False),
        ("a IN (1, 2) OR a IS NULL", True),
    ]:
        assert parse(text, NUMBERS, kind="boolean").evaluate({"a": nan, "b": one})[0] == expected, text


def test_arrays_of_integers_are_read_too():
    expression = parse("a / b", NUMBERS, kind="number")
    values = expression.evaluate({"a": np.array([1, 2]), "b": np.array([2, 0])})
    assert values[0] == 0.5
    assert math.isnan(values[1])


def test_a_constant_has_a_value_for_each_row():
    assert parse("TRUE", (), kind="boolean").evaluate({"a": np.zeros(3)}).tolist() == [True] * 3
    assert parse("7", (), kind="number").evaluate({}).tolist() == [7.0]


def test_names_are_those_read():
    assert parse("a + least(b, 1)", NUMBERS, kind="number").names == {"a", "b"}


def test_a_column_can_be_written_otherwise():
    assert parse("a > 1", NUMBERS, kind="boolean").sql(lambda name: f"t.{name}") == "(1.0e0 < t.a)"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a LIKE 'x'", "LIKE"),
        ("max(a) > 1", "MAX(a)"),
        ("a > 1; DROP TABLE t", "DROP TABLE"),
        ("DROP TABLE t", "DROP TABLE"),
        ("a IN (SELECT 1)", "SELECT"),
        ("random() > 1", "RANDOM"),
        ("read_text('x') IS NULL", "READ_TEXT"),
        ("t.a > 1", "t.a"),
        ("a % 2 = 1", "a % 2"),
        ("a > ?", "?"),
        ("* > 1", "*"),
        ("(a > 1) IS NULL", "IS NULL"),
        ("a BETWEEN SYMMETRIC 1 AND 2", "BETWEEN"),
    ],
)
def test_what_is_not_in_the_language_is_named(text, part):
    with pytest.raises(UserError, match=r"not allowed in expression|not understood") as error:
        parse(text, NUMBERS, kind="boolean")
    assert part in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("visits_9 > 1", "did you mean 'visits_91'"),
        ("a >", "not understood"),
        ("", "not understood"),
        ("a + 1", "is a number; a boolean is needed"),
        ("a = 'x'", "a number is compared with a text"),
        ("a > 1 AND 2", "'2' in expression"),
        ("a > 1e999", "too large"),
        ("a > " + "1" * MAX_LENGTH, "characters long"),
        ("(" * 900 + "a > 1" + ")" * 900, "nested too deeply"),
        ("sqrt(" * 18 + "a" + ")" * 18 + " > 1", "too large when written out"),
    ],
)
def test_a_wrong_expression_gets_one_clear_sentence(text, sentence):
    with pytest.raises(UserError) as error:
        parse(text, (*NUMBERS, "visits_91"), kind="boolean")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_all_unknown_names_are_said_at_once() -> None:
    with pytest.raises(UserError) as caught:
        parse("aa > bx AND q = 'shop'", ["a", "b"], kind="boolean", texts=["p"])
    lines = str(caught.value).splitlines()
    assert [name in line for name, line in zip(("'aa'", "'bx'", "'q'"), lines, strict=True)] == [True] * 3
    assert all("not found" in line and "Hint: " in line for line in lines)
