from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.expressions.expression import parse
from features.expressions.formulas import together
from tests.features.expressions.test_expression import NUMBERS, VALUES, booleans, numbers

chosen = st.builds("CASE WHEN {} THEN {} ELSE {} END".format, booleans(2), numbers(2), numbers(1))


def bits(value: float) -> int:
    return int(np.float64(math.nan if math.isnan(value) else value).view(np.int64))


@settings(max_examples=400, deadline=None)
@given(st.one_of(numbers(3), chosen), st.tuples(*[st.sampled_from(VALUES)] * 3))
def test_a_formula_is_what_the_expression_says(text, values):
    text = text.replace("p = 'shop'", "a = 1").replace("p IS NULL", "b IS NULL")
    expression = parse(
        text.replace("p IN ('shop', 'it''s')", "a IN (1, 2)")
        .replace("p NOT IN ('shop')", "a NOT IN (1)")
        .replace("p <> 'forecourt'", "c <> 28")
        .replace("p IS NOT NULL", "b IS NOT NULL"),
        NUMBERS,
        kind="number",
    )
    plain = [math.nan if value is None else value for value in values]
    function = together({"x": expression.root}, [NUMBERS], ["x"])
    assert bits(function(plain)[0]) == bits(expression.one(dict(zip(NUMBERS, plain, strict=True))))


@settings(max_examples=400, deadline=None)
@given(
    booleans(4),
    st.tuples(*[st.sampled_from(VALUES)] * 3),
    st.sampled_from([None, "shop", "forecourt", "it's", ""]),
)
def test_a_condition_is_what_the_expression_says(text, values, place):
    expression = parse(text, NUMBERS, kind="boolean", texts=["p"])
    plain = [math.nan if value is None else value for value in values]
    function = together({"x": expression.root}, [NUMBERS, ["p"]], ["x"])
    assert function(plain, [place])[0] is expression.one(
        dict(zip((*NUMBERS, "p"), (*plain, place), strict=True))
    )


def test_a_long_chain_is_no_deep_nest():
    text = " OR ".join(f"a = {number}" for number in range(300))
    function = together({"x": parse(text, NUMBERS, kind="boolean").root}, [NUMBERS], ["x"])
    assert function([299.0, 0.0, 0.0]) == [True]
    assert function([300.0, 0.0, 0.0]) == [False]


def test_no_text_becomes_code():
    root = parse("p = '\") or exit() or (\"'", NUMBERS, kind="boolean", texts=["p"]).root
    assert together({"x": root}, [["p"]], ["x"])(['") or exit() or ("']) == [True]


def test_formulas_read_what_stands_before_them():
    half = parse("a / 2", NUMBERS, kind="number").root
    sums = parse("half + c", (*NUMBERS, "half"), kind="number").root
    function = together({"half": half, "sum": sums}, [("a",), (), ("c", "unused")], ["sum", "c", "half"])
    assert function([6.0], [], [1.0, 9.0]) == [4.0, 1.0, 3.0]


def test_what_is_nowhere_is_unknown():
    function = together({}, [("a",)], ["a", "nowhere"])
    assert function([1.0])[0] == 1.0
    assert math.isnan(function([1.0])[1])


def test_no_name_becomes_code():
    name = '__import__("os")'
    root = parse(f'"{name.replace(chr(34), chr(34) * 2)}" + 1', [name], kind="number").root
    assert together({"x": root}, [(name,)], ["x"])([1.0]) == [2.0]
