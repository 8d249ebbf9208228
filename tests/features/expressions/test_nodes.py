from __future__ import annotations

import pytest

from features.expressions.nodes import Node
from features.expressions.three_valued import ONE
from features.session import identifier

A = Node("number", "column", value="a")


@pytest.mark.parametrize(
    ("kind", "value", "sql"),
    [
        ("number", 0.1, "0.1e0"),
        ("number", 1e-7, "1e-07"),
        ("number", 1e300, "1e+300"),
        ("number", float("nan"), "CAST(NULL AS DOUBLE)"),
        ("boolean", True, "TRUE"),
        ("text", "it's", "'it''s'"),
    ],
)
def test_constants_are_written_so_that_duckdb_reads_the_same(kind, value, sql):
    assert Node(kind, "constant", value=value).sql(identifier) == sql


def test_a_column_is_quoted():
    assert Node("number", "column", value='a"b').sql(identifier) == '"a""b"'


def test_size_counts_what_the_sql_repeats():
    root = Node("number", "sqrt", (A,))
    assert root.sql(identifier).count('"a"') == 2
    assert root.size == 3
    assert Node("number", "sqrt", (root,)).size == 7


def test_a_node_is_run_on_plain_values():
    node = Node("number", "choose", (Node("boolean", "less", (A, A)), A, Node("number", "negative", (A,))))
    assert node.compiled(ONE)({"a": 2.0}) == -2.0
    assert node.names() == {"a"}
