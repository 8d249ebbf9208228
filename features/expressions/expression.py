"""Conditions and formulas over named values, in a checked subset of SQL.

Derived features, filters of features, eligibility and value of actions are all texts of this one small
language, so that a reader learns it once and every engine gives the same answer: an expression runs as
DuckDB SQL (`sql`), on numpy arrays (`evaluate`) or on one customer's plain values (`one`). The text is
checked and compiled once; no text is ever executed as Python, and none reaches SQL unchecked.

Meaning: numbers are DOUBLE, computed in the written order; NULL (NaN in numpy) is "unknown". `x / 0` and
`sqrt` of a negative number are unknown; `AND`, `OR`, `NOT` and comparisons are three-valued as in SQL;
`least`, `greatest` and `coalesce` pass over unknown values. Results beyond the range of DOUBLE are outside
the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, Literal

import numpy as np
import sqlglot
from numpy.typing import NDArray
from sqlglot import exp
from sqlglot.errors import SqlglotError

from features.errors import UserError, together, unknown
from features.expressions.nodes import Column, Kind, Node
from features.expressions.three_valued import ARRAY, ONE
from features.session import identifier

MAX_LENGTH: Final = 4000
MAX_SIZE: Final = 20_000

_NUMERIC: Final[dict[type[exp.Expr], str]] = {
    exp.Add: "add",
    exp.Sub: "subtract",
    exp.Mul: "multiply",
    exp.Div: "divide",
    exp.Neg: "negative",
    exp.Sqrt: "sqrt",
    exp.Abs: "absolute",
}
_FOLDED: Final[dict[type[exp.Expr], str]] = {
    exp.Least: "least",
    exp.Greatest: "greatest",
    exp.Coalesce: "coalesce",
}
_LOGICAL: Final[dict[type[exp.Expr], str]] = {exp.And: "both", exp.Or: "either"}
_COMPARED: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_ALLOWED: Final = (
    "names, numbers, 'text', + - * /, comparisons, BETWEEN, IN, IS [NOT] NULL, AND, OR, NOT, "
    "least, greatest, sqrt, abs, coalesce, CASE WHEN"
)


@dataclass(frozen=True)
class Expression:
    """A checked expression. `names` are the columns it reads, `root` its last step."""

    text: str
    kind: Kind
    names: frozenset[str]
    root: Node = field(repr=False, compare=False)
    _array: Callable[[Mapping[str, Any]], Any] = field(repr=False, compare=False)
    _one: Callable[[Mapping[str, Any]], Any] = field(repr=False, compare=False)

    def sql(self, column: Column = identifier) -> str:
        """DuckDB SQL of the same meaning; `column` writes a name (default: a quoted identifier).

        Number columns are expected as DOUBLE with NULL for unknown, text columns as VARCHAR.
        """
        return self.root.sql(column)

    def evaluate(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """The value for each of n rows.

        Args:
            columns: arrays of length n by name: numbers with NaN for unknown, texts as objects with None.

        Returns:
            float64[n] with NaN for unknown, or for a boolean bool[n], true only where SQL says TRUE.
        """
        size = len(next(iter(columns.values()))) if columns else 1
        with np.errstate(all="ignore"):
            value = self._array(columns)
        answer = value[0] if self.kind == "boolean" else value
        whole = np.empty(size, dtype=bool if self.kind == "boolean" else np.float64)
        whole[:] = answer
        return whole

    def one(self, values: Mapping[str, Any]) -> Any:
        """The value for one customer's plain values (floats with NaN, texts with None).

        Returns:
            A float (NaN for unknown), or for a boolean True only where SQL says TRUE.
        """
        value = self._one(values)
        return value is True if self.kind == "boolean" else value


def parse(
    text: str, known: Collection[str], *, kind: Literal["boolean", "number"], texts: Collection[str] = ()
) -> Expression:
    """Check and compile an expression.

    Args:
        text: the expression.
        known: the number columns it may read.
        kind: what its value has to be.
        texts: the text columns it may read (compared with text by =, <>, IN and IS NULL only).

    Raises:
        UserError: it is not in the language, or reads unknown names.
    """
    if len(text) > MAX_LENGTH:
        raise UserError(f"expression is {len(text)} characters long; at most {MAX_LENGTH} are read.")
    try:
        root = _Reader(text, known, texts).root(sqlglot.parse_one(text, dialect="duckdb"))
        if root.size > MAX_SIZE:
            raise UserError(f"expression is too large when written out: {text[:60]!r}... Split it.")
        array, one = root.compiled(ARRAY), root.compiled(ONE)
    except SqlglotError as error:
        problems = getattr(error, "errors", None)
        detail = problems[0]["description"] if problems else "it is not complete"
        raise UserError(f"expression not understood: {text!r} ({detail}). Allowed are: {_ALLOWED}.") from None
    except RecursionError:
        raise UserError(f"expression is nested too deeply: {text[:60]!r}... Write it flatter.") from None
    if root.kind != kind:
        raise UserError(f"expression {text!r} is a {root.kind}; a {kind} is needed here.")
    return Expression(text, kind, root.names(), root, array, one)


@dataclass(frozen=True)
class _Reader:
    """Turns sqlglot's tree into checked nodes; `wrong` gathers the names that nobody knows."""

    text: str
    known: Collection[str]
    texts: Collection[str]
    wrong: list[UserError] = field(default_factory=list)

    def root(self, tree: exp.Expr) -> Node:
        """The last step of a whole expression; whoever writes it hears of all unknown names at once."""
        try:
            found = self.node(tree)
        except UserError:
            # What does not fit together may do so only because a name is misspelt.
            if not self.wrong:
                raise
        if self.wrong:
            raise together(self.wrong)
        return found

    def node(self, tree: exp.Expr) -> Node:
        if isinstance(tree, exp.Paren):
            return self.node(tree.this)
        if isinstance(tree, (exp.Column, exp.Literal, exp.Boolean)):
            return self._leaf(tree)
        if isinstance(tree, (exp.Case, exp.In, exp.Is, exp.Between)):
            return self._special(tree)
        cls = type(tree)
        if cls in _NUMERIC:
            parts = [self._number(tree.this)]
            if isinstance(tree, exp.Binary):
                parts.append(self._number(tree.expression))
            return Node("number", _NUMERIC[cls], tuple(parts))
        if cls in _FOLDED:
            numbers = [self._number(part) for part in (tree.this, *tree.expressions)]
            return reduce(lambda left, right: Node("number", _FOLDED[cls], (left, right)), numbers)
        if cls in _LOGICAL:
            return Node(
                "boolean", _LOGICAL[cls], (self._boolean(tree.this), self._boolean(tree.args["expression"]))
            )
        if isinstance(tree, exp.Not):
            return _opposite(self._boolean(tree.this))
        if isinstance(tree, _COMPARED):
            return self._comparison(tree)
        raise self._refused(tree)

    def _comparison(self, tree: exp.Binary) -> Node:
        if isinstance(tree, (exp.EQ, exp.NEQ)):
            same = self._same(self.node(tree.this), self.node(tree.expression))
            return same if isinstance(tree, exp.EQ) else _opposite(same)
        left, right = self._number(tree.this), self._number(tree.expression)
        pair = (right, left) if isinstance(tree, (exp.GT, exp.GTE)) else (left, right)
        return Node("boolean", "less" if isinstance(tree, (exp.LT, exp.GT)) else "less_equal", pair)

    def _leaf(self, tree: exp.Expr) -> Node:
        if isinstance(tree, exp.Boolean):
            return Node("boolean", "constant", value=bool(tree.this))
        if isinstance(tree, exp.Literal):
            if tree.is_string:
                return Node("text", "constant", value=str(tree.this))
            number = float(tree.this)
            if not np.isfinite(number):
                raise UserError(f"number {tree.this} in expression {self.text!r} is too large.")
            return Node("number", "constant", value=number)
        if tree.args.get("table") is not None or not isinstance(tree.this, exp.Identifier):
            raise self._refused(tree)
        name = tree.name
        if name in self.texts:
            return Node("text", "column", value=name)
        if name not in self.known:
            self.wrong.append(unknown(f"name in expression {self.text!r}", name, {*self.known, *self.texts}))
        return Node("number", "column", value=name)

    def _special(self, tree: exp.Expr) -> Node:
        if isinstance(tree, exp.Is):
            if not isinstance(tree.expression, exp.Null):
                raise self._refused(tree)
            value = self.node(tree.this)
            if value.kind == "boolean":
                raise self._refused(tree)
            return Node("boolean", "missing" if value.kind == "number" else "missing_text", (value,))
        if isinstance(tree, exp.Between):
            if tree.args.get("symmetric"):
                raise self._refused(tree)
            parts = tuple(self._number(tree.args[part]) for part in ("this", "low", "high"))
            return Node("boolean", "between", parts)
        if isinstance(tree, exp.In):
            if not tree.expressions or any(tree.args.get(part) for part in ("query", "unnest", "field")):
                raise self._refused(tree)
            value = self.node(tree.this)
            tests = [self._same(value, self.node(item)) for item in tree.expressions]
            return reduce(lambda left, right: Node("boolean", "either", (left, right)), tests)
        if tree.this is not None:
            raise self._refused(tree)
        default = tree.args.get("default")
        answer = Node("number", "constant", value=float("nan")) if default is None else self._number(default)
        for branch in reversed(tree.args["ifs"]):
            parts = (self._boolean(branch.this), self._number(branch.args["true"]), answer)
            answer = Node("number", "choose", parts)
        return answer

    def _same(self, left: Node, right: Node) -> Node:
        if left.kind != right.kind or left.kind == "boolean":
            raise UserError(
                f"a {left.kind} is compared with a {right.kind} in expression {self.text!r}. "
                "Compare a number with a number, or a text column with 'text'."
            )
        return Node("boolean", "equal" if left.kind == "number" else "same_text", (left, right))

    def _number(self, tree: exp.Expr) -> Node:
        return self._of_kind(tree, "number")

    def _boolean(self, tree: exp.Expr) -> Node:
        return self._of_kind(tree, "boolean")

    def _of_kind(self, tree: exp.Expr, kind: Kind) -> Node:
        node = self.node(tree)
        if node.kind != kind:
            part = tree.sql(dialect="duckdb")
            raise UserError(f"{part!r} in expression {self.text!r} is a {node.kind}; a {kind} is needed.")
        return node

    def _refused(self, tree: exp.Expr) -> UserError:
        part = tree.sql(dialect="duckdb")[:80]
        return UserError(f"{part!r} is not allowed in expression {self.text!r}. Allowed are: {_ALLOWED}.")


def _opposite(node: Node) -> Node:
    return Node("boolean", "opposite", (node,))
