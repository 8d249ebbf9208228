"""Formulas of one customer as one Python function, written from their checked steps.

A tree of small functions costs a call for every step; written out, a formula costs its arithmetic. Only
operations of `expression_nodes.py` are written, with names of our own for every value: no text of a formula
or name of a feature becomes code. The meaning is that of `three_valued.ONE`, step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from features.expressions.nodes import Node

_NUMBERS: Final = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1} if {1} else nan",
    "negative": "-{0}",
    "sqrt": "sqrt({0}) if {0} >= 0.0 else nan",
    "absolute": "abs({0})",
    "least": "{1} if {1} < {0} or {0} != {0} else {0}",
    "greatest": "{1} if {1} > {0} or {0} != {0} else {0}",
    "coalesce": "{1} if {0} != {0} else {0}",
}
# When a condition is true, and when it is false; neither where it is unknown.
_TRUTHS: Final = {
    "less": ("{0} < {1}", "{0} >= {1}"),
    "less_equal": ("{0} <= {1}", "{0} > {1}"),
    "equal": ("{0} == {1}", "{0} < {1} or {0} > {1}"),
    "between": ("{1} <= {0} <= {2}", "{0} < {1} or {0} > {2}"),
    "missing": ("{0} != {0}", "{0} == {0}"),
    "same_text": (
        "{0} is not None and {1} is not None and {0} == {1}",
        "{0} is not None and {1} is not None and {0} != {1}",
    ),
    "missing_text": ("{0} is None", "{0} is not None"),
}


def together(
    formulas: Mapping[str, Node], given: Sequence[Sequence[str]], wanted: Sequence[str]
) -> Callable[..., list[Any]]:
    """One function for many formulas and conditions.

    Args:
        formulas: steps by the name of their value; they may read what is given and what stands before.
        given: the names of each list of values that the function is called with.
        wanted: the names of the values that it returns; unknown if neither given nor a formula.

    Returns:
        A function of as many lists as `given` has, each of floats and texts, that returns a list: a float
        for a formula, and for a condition True where SQL says TRUE, else False.
    """
    writer = _Writer()
    for position, names in enumerate(given):
        variables = [writer.variable(name) for name in names]
        if variables:
            writer.lines.append(f"[{', '.join(variables)}] = given_{position}")
    for name, node in formulas.items():
        writer.write(node, writer.variable(name))
    returned = ", ".join(writer.names.get(name, "nan") for name in wanted)
    arguments = ", ".join(f"given_{i}" for i in range(len(given)))
    body = "\n    ".join([*writer.lines, f"return [{returned}]"])
    scope: dict[str, Any] = {"nan": math.nan, "sqrt": math.sqrt, "abs": abs, **writer.texts}
    code = compile(f"def formulas({arguments}):\n    {body}\n", "<formulas>", "exec")
    exec(code, scope)  # noqa: S102 (written above, from checked steps only)
    function: Callable[..., list[Any]] = scope["formulas"]
    return function


class _Writer:
    """Statements so far, the variable of each name, and texts by the variable that holds each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self._count = 0

    def variable(self, name: str | None = None) -> str:
        """A new variable; by `name` if it will be read again."""
        variable = f"v{self._count}"
        self._count += 1
        if name is not None:
            self.names[name] = variable
        return variable

    def write(self, node: Node, variable: str) -> None:
        """Assign a number's value, or whether a condition is true, to a variable."""
        written = self._truth(node)[0] if node.kind == "boolean" else self._number(node)
        self.lines.append(f"{variable} = {written}")

    def _operand(self, node: Node) -> str:
        """A variable or a constant: what may be written twice."""
        if node.operation in {"column", "constant"}:
            return self._number(node)
        variable = self.variable()
        self.write(node, variable)
        return variable

    def _number(self, node: Node) -> str:
        if node.operation == "column":
            return self.names[node.value]
        if node.operation == "constant" and node.kind == "text":
            self.texts[variable := self.variable()] = node.value
            return variable
        if node.operation == "constant":
            return repr(float(node.value))
        if node.operation == "choose":
            condition, then, otherwise = node.parts
            true, _ = self._truth(condition)
            return f"{self._operand(then)} if {true} else {self._operand(otherwise)}"
        return _NUMBERS[node.operation].format(*map(self._operand, node.parts))

    def _truth(self, node: Node) -> tuple[str, str]:
        """When a condition is true and when it is false, each an expression in brackets."""
        if node.operation == "constant":
            return str(node.value), str(not node.value)
        if node.operation == "opposite":
            true, false = self._truth(node.parts[0])
            return false, true
        if node.operation in {"both", "either"}:
            parts = [self._truth(part) for part in _chain(node)]
            joins = (" and ", " or ") if node.operation == "both" else (" or ", " and ")
            return f"({joins[0].join(t for t, _ in parts)})", f"({joins[1].join(f for _, f in parts)})"
        operands = list(map(self._operand, node.parts))
        true, false = (form.format(*operands) for form in _TRUTHS[node.operation])
        return f"({true})", f"({false})"


def _chain(node: Node) -> list[Node]:
    """The parts of a AND b AND c, or of a OR b OR c, which Python takes without nesting."""
    nested = [_chain(part) if part.operation == node.operation else [part] for part in node.parts]
    return [part for parts in nested for part in parts]
