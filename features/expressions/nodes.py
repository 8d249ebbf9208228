"""The checked steps of an expression, and how each is written in SQL and run.

`expressions.py` makes them from text; they know nothing of parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from features.expressions.three_valued import Operations
from features.session import literal

Kind = Literal["number", "boolean", "text"]
Column = Callable[[str], str]

# Name of the operation -> SQL; {0}, {1}, {2} are the operands. Division and sqrt are unknown, never infinite.
_SQL: Final[dict[str, str]] = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / NULLIF({1}, 0e0))",
    "negative": "(- {0})",
    "sqrt": "(CASE WHEN {0} >= 0e0 THEN sqrt({0}) END)",
    "absolute": "abs({0})",
    "least": "least({0}, {1})",
    "greatest": "greatest({0}, {1})",
    "coalesce": "coalesce({0}, {1})",
    "choose": "(CASE WHEN {0} THEN {1} ELSE {2} END)",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "equal": "({0} = {1})",
    "same_text": "({0} = {1})",
    "between": "({0} BETWEEN {1} AND {2})",
    "both": "({0} AND {1})",
    "either": "({0} OR {1})",
    "opposite": "(NOT {0})",
    "missing": "({0} IS NULL)",
    "missing_text": "({0} IS NULL)",
}


@dataclass(frozen=True)
class Node:
    """One checked step: an operation on parts, or a leaf (`column`, `constant`)."""

    kind: Kind
    operation: str
    parts: tuple[Node, ...] = ()
    value: Any = None

    @cached_property
    def size(self) -> int:
        """Number of steps when written out as SQL, where some templates repeat an operand."""
        template = _SQL.get(self.operation, "")
        return 1 + sum(part.size * template.count(f"{{{i}}}") for i, part in enumerate(self.parts))

    def sql(self, column: Column) -> str:
        """The step in SQL; `column` writes a name."""
        if self.operation == "column":
            return column(self.value)
        if self.operation == "constant":
            if self.kind == "text":
                return literal(self.value)
            if self.kind == "boolean":
                return str(self.value).upper()
            # An exponent makes DuckDB read a DOUBLE: "0.1" would be a DECIMAL.
            text = repr(self.value)
            return "CAST(NULL AS DOUBLE)" if text == "nan" else text if "e" in text else f"{text}e0"
        return _SQL[self.operation].format(*(part.sql(column) for part in self.parts))

    def names(self) -> frozenset[str]:
        """The columns read."""
        if self.operation == "column":
            return frozenset({self.value})
        return frozenset().union(*(part.names() for part in self.parts))

    def compiled(self, operations: Operations) -> Callable[[Mapping[str, Any]], Any]:
        """The step as a function of a row or of columns."""
        if self.operation == "column":
            name = self.value
            return lambda row: row[name]
        if self.operation == "constant":
            constant = operations.constant(self.value)
            return lambda _row: constant
        function: Any = getattr(operations, self.operation)
        parts = [part.compiled(operations) for part in self.parts]
        if len(parts) == 1:
            (only,) = parts
            return lambda row: function(only(row))
        if len(parts) == 2:  # noqa: PLR2004
            left, right = parts
            return lambda row: function(left(row), right(row))
        condition, then, otherwise = parts
        return lambda row: function(condition(row), then(row), otherwise(row))
