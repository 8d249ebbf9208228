"""Conditions that nobody can ever meet, found in the condition itself.

Of the parts that a condition joins by AND, those that compare one name with a constant leave an interval for
it; when none is left, or a text would have to be two, the condition contradicts itself. Parts of any other
form restrict nothing, so that what is called impossible is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from features.expressions.expression import Expression
from features.expressions.nodes import Node
from features.expressions.three_valued import ONE
from serving.scoring.meanings import Meaning

# What a name of this unit can be at all.
_RANGES: Final = {"probability": (0.0, 1.0), "flag": (0.0, 1.0)}


@dataclass
class _Left:
    """What is left for one name: from `low` to `high`, each with whether that value itself is out."""

    low: tuple[float, bool] = (-math.inf, False)
    high: tuple[float, bool] = (math.inf, False)
    texts: set[str] = field(default_factory=set)

    def above(self, value: float, *, out: bool) -> None:
        self.low = max(self.low, (value, out))

    def below(self, value: float, *, out: bool) -> None:
        self.high = min(self.high, (value, out), key=lambda bound: (bound[0], not bound[1]))

    @property
    def nothing(self) -> bool:
        low, high = self.low[0], self.high[0]
        return low > high or (low == high and (self.low[1] or self.high[1])) or len(self.texts) > 1


def impossible(
    condition: Expression, constants: Mapping[str, float], meanings: Mapping[str, Meaning]
) -> str | None:
    """The name for which a condition leaves no value; None when it may be met.

    Args:
        condition: a boolean expression.
        constants: names with one value for everybody.
        meanings: units of the other names.
    """
    left: dict[str, _Left] = {}
    for part in _parts(condition.root):
        for name, operation, value in _comparisons(part, constants):
            unit = meanings[name].unit if name in meanings else ""
            low, high = _RANGES.get(unit, (-math.inf, math.inf))
            _narrow(left.setdefault(name, _Left((low, False), (high, False))), operation, value)
    return next((name for name, found in left.items() if found.nothing), None)


def _parts(node: Node) -> Iterator[Node]:
    if node.operation == "both":
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


def _comparisons(node: Node, constants: Mapping[str, float]) -> Iterator[tuple[str, str, Any]]:
    """Name, operation and constant of a part, as often as it says something of a name."""
    if node.operation == "between":
        value, low, high = node.parts
        yield from _comparisons(Node("boolean", "less_equal", (low, value)), constants)
        yield from _comparisons(Node("boolean", "less_equal", (value, high)), constants)
    elif node.operation in {"less", "less_equal", "equal", "same_text"}:
        left, right = node.parts
        for one, other, swapped in ((left, right, False), (right, left, True)):
            if one.operation == "column" and one.value not in constants and other.names() <= constants.keys():
                yield (
                    one.value,
                    f"{node.operation}{' from' if swapped else ''}",
                    other.compiled(ONE)(constants),
                )


def _narrow(left: _Left, operation: str, value: Any) -> None:
    match operation:
        case "less":
            left.below(value, out=True)
        case "less_equal":
            left.below(value, out=False)
        case "less from":
            left.above(value, out=True)
        case "less_equal from":
            left.above(value, out=False)
        case "equal" | "equal from":
            left.above(value, out=False)
            left.below(value, out=False)
        case _:
            left.texts.add(value)
