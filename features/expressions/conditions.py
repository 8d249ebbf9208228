"""Conditions on the rows of one customer, all of them in a few numpy calls.

A request spends its time in the number of calls, not in the rows. So the comparisons that conditions are made
of are gathered into groups of one kind, each evaluated in one call over a matrix of whole-number columns, and
AND, OR and NOT join their rows. What is not made of such comparisons goes through the expression itself.

An unknown number stands in the matrix as 0 and is above 0 where known (gaps, ages). A comparison with an
unknown number is not true, so it counts only together with "the number is above 0", unless that follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.expressions.expression import Expression
from features.expressions.nodes import Node

Column = tuple[str, int]  # a column, and a number added to it
_LARGEST: Final = 2**30  # larger constants are left to the expression: they might leave an int32
_NOT_NEGATIVE: Final = frozenset({"age", "first_age", "recency", "rank", "weekday"})


class _UncommonError(Exception):
    """The condition is not made of comparisons of whole numbers."""


@dataclass(frozen=True)
class Comparison:
    """`left` is above (`greater`) or equal to (`equal`) a column or a number."""

    test: str
    left: Column
    right: Column | int


@dataclass(frozen=True)
class Joined:
    """AND, OR or NOT of other conditions; `operation` is numpy's name."""

    operation: str
    parts: tuple[Tree, ...]


Tree = Comparison | Joined
_JOINS: Final = {"both": "logical_and", "either": "logical_or"}


def tree(condition: Expression, unknown: frozenset[str]) -> Tree | None:
    """The comparisons of a condition, or None if it is made of anything else.

    Args:
        condition: a checked boolean expression over columns of whole numbers.
        unknown: the columns that may be unknown.
    """
    try:
        return _Reader(unknown).read(condition.root)[0]
    except _UncommonError:
        return None


def columns(found: Tree) -> set[Column]:
    """The columns that a tree reads."""
    if isinstance(found, Joined):
        return set().union(*(columns(part) for part in found.parts))
    return {found.left} if isinstance(found.right, int) else {found.left, found.right}


@dataclass(frozen=True)
class _Reader:
    unknown: frozenset[str]

    def read(self, node: Node) -> tuple[Tree, bool]:
        """The tree, true where the condition is; and whether it is false wherever the condition is not true.

        With unknown numbers a condition may be neither, and then its opposite is not true either.
        """
        parts = node.parts
        if node.operation in _JOINS:
            trees, certain = zip(*map(self.read, parts), strict=True)
            return Joined(_JOINS[node.operation], trees), all(certain)
        if node.operation == "opposite":
            if parts[0].operation == "missing":
                return self._known(parts[0].parts[0]), True
            inner, exact = self.read(parts[0])
            if not exact:
                raise _UncommonError
            return Joined("logical_not", (inner,)), True
        if node.operation == "between":
            low, high = (Node("boolean", "less_equal", pair) for pair in (parts[1::-1], parts[::2]))
            return self.read(Node("boolean", "both", (low, high)))
        if node.operation not in {"less", "less_equal", "equal"}:
            raise _UncommonError
        found = _compared(node.operation, _operand(parts[0]), _operand(parts[1]))
        doubtful = sorted(node.names() & self.unknown)
        for name in doubtful:
            known = Comparison("greater", (name, 0), 0)
            if not (isinstance(found, Comparison) and found.left == (name, 0) and _above_0(found)):
                found = Joined("logical_and", (found, known))
        return found, not doubtful

    def _known(self, node: Node) -> Tree:
        if node.operation != "column" or node.value not in self.unknown:
            raise _UncommonError
        return Comparison("greater", (node.value, 0), 0)


def _above_0(found: Comparison) -> bool:
    """Whether what a comparison is true of is above 0: above something that is not negative."""
    if found.test != "greater":
        return False
    if isinstance(found.right, int):
        return found.right >= 0
    name, shift = found.right
    return name in _NOT_NEGATIVE and shift >= 0


def _operand(node: Node) -> Column | float:
    """A column, a column with a whole number added, or a constant."""
    if node.operation == "column":
        return node.value, 0
    if node.operation == "constant" and abs(node.value) < _LARGEST:
        return float(node.value)
    if node.operation in {"add", "subtract"}:
        left, right = map(_operand, node.parts)
        if isinstance(left, tuple) and isinstance(right, float) and right.is_integer():
            shift = left[1] + int(right if node.operation == "add" else -right)
            if abs(shift) < _LARGEST:
                return left[0], shift
    raise _UncommonError


def _compared(test: str, left: Column | float, right: Column | float) -> Tree:
    if isinstance(left, float) and isinstance(right, tuple):
        if test == "equal":
            return _compared(test, right, left)
        return Comparison("greater", right, floor(left) if test == "less" else ceil(left) - 1)
    if not isinstance(left, tuple):
        raise _UncommonError
    if isinstance(right, tuple):
        if test == "equal":
            return Comparison(test, left, right)
        # Of whole numbers, at least as large is above one less.
        return Comparison("greater", right, left if test == "less" else (left[0], left[1] - 1))
    if test == "equal":
        if not right.is_integer():
            raise _UncommonError
        return Comparison(test, left, int(right))
    return Joined(
        "logical_not", (Comparison("greater", left, ceil(right) - 1 if test == "less" else floor(right)),)
    )


Bound = tuple[NDArray[np.bool_], list[Any], list[Any]]


@dataclass(frozen=True)
class _Group:
    """Comparisons of one kind: rows `start` to `stop` of the answer."""

    test: np.ufunc
    left: NDArray[np.intp]
    right: NDArray[np.intp] | None
    numbers: NDArray[Any] | None
    start: int
    stop: int


@dataclass(frozen=True)
class Conditions:
    """The conditions of a relation's features.

    Attributes:
        size: rows of the answer, some of which only serve others.
        place: row of the answer, by the condition's text.
    """

    size: int
    place: Mapping[str, int]
    _groups: tuple[_Group, ...]
    _steps: tuple[tuple[np.ufunc, int, tuple[int, ...]], ...]
    _others: tuple[tuple[int, Expression, Mapping[str, int]], ...]
    _unknown: frozenset[str]

    @classmethod
    def of(
        cls, conditions: Sequence[Expression], position: Mapping[Column, int], unknown: frozenset[str]
    ) -> Conditions:
        """Arrange conditions for evaluation.

        Args:
            conditions: distinct ones.
            position: row of each column in the matrix they will be evaluated on.
            unknown: the columns that may be unknown.
        """
        trees = {condition: tree(condition, unknown) for condition in conditions}
        places: dict[Tree, int] = {}
        groups = _grouped([found for found in trees.values() if found is not None], position, places)
        steps: list[tuple[np.ufunc, int, tuple[int, ...]]] = []
        place: dict[str, int] = {}
        others = []
        for condition, found in trees.items():
            if found is not None:
                place[condition.text] = _placed(found, places, steps)
        size = len(places)
        for condition in (c for c, found in trees.items() if found is None):
            place[condition.text] = size
            others.append((size, condition, {name: position[name, 0] for name in condition.names}))
            size += 1
        return cls(size, place, groups, tuple(steps), tuple(others), unknown)

    def onto(self, answer: NDArray[np.bool_]) -> Bound:
        """The parts of an answer, bool[size, n], that is written again and again."""
        groups = [(g.test, g.left, g.right, g.numbers, answer[g.start : g.stop]) for g in self._groups]
        steps = [(join, [answer[part] for part in parts], answer[row]) for join, row, parts in self._steps]
        return answer, groups, steps

    def evaluate(self, matrix: NDArray[Any], bound: Bound) -> None:
        """Write where each condition is true.

        Args:
            matrix: [c, n], the columns, whole numbers.
            bound: the answer, made by `onto`.
        """
        answer, groups, steps = bound
        for test, left, right, numbers, out in groups:
            test(matrix.take(left, 0), numbers if right is None else matrix.take(right, 0), out)
        for join, parts, out in steps:
            join(*parts, out)
        for target, condition, rows in self._others:
            numbers = {name: matrix[row].astype(np.float64) for name, row in rows.items()}
            for name in self._unknown & numbers.keys():
                numbers[name][numbers[name] == 0] = np.nan
            answer[target] = condition.evaluate(numbers)


def _grouped(
    trees: Sequence[Tree], position: Mapping[Column, int], places: dict[Tree, int]
) -> tuple[_Group, ...]:
    """The comparisons in the trees by kind; gives each its row in `places`."""
    kinds: dict[tuple[str, bool], list[Comparison]] = {}
    for found in dict.fromkeys(leaf for whole in trees for leaf in _leaves(whole)):
        kinds.setdefault((found.test, isinstance(found.right, int)), []).append(found)
    groups = []
    for (test, with_numbers), members in kinds.items():
        start = len(places)
        places.update({found: start + i for i, found in enumerate(members)})
        left = np.array([position[found.left] for found in members], dtype=np.intp)
        rights = [found.right for found in members]
        numbers = np.array(rights, dtype=np.int32)[:, None] if with_numbers else None
        right = None if with_numbers else np.array([position[r] for r in rights], dtype=np.intp)  # type: ignore[index]
        groups.append(_Group(getattr(np, test), left, right, numbers, start, len(places)))
    return tuple(groups)


def _leaves(found: Tree) -> list[Comparison]:
    if isinstance(found, Joined):
        return [leaf for part in found.parts for leaf in _leaves(part)]
    return [found]


def _placed(found: Tree, places: dict[Tree, int], steps: list[Any]) -> int:
    """The row of a tree; joins get theirs after what they join."""
    if found not in places:
        assert isinstance(found, Joined)
        parts = tuple(_placed(part, places, steps) for part in found.parts)
        places[found] = len(places)
        steps.append((getattr(np, found.operation), places[found], parts))
    return places[found]
