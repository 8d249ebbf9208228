"""The operations of the expression language, twice: on numpy arrays and on plain values.

Numbers are float64 with NaN for unknown. A truth value on arrays is a pair (is true, is false), neither
where it is unknown; on plain values it is True, False or None. Both follow SQL's three-valued logic.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Truth = tuple[Any, Any]
NAN: Final = float("nan")


@dataclass(frozen=True)
class Operations:
    """One implementation of the language; the attributes are the names of its operations."""

    constant: Callable[[Any], Any]
    add: Callable[[Any, Any], Any]
    subtract: Callable[[Any, Any], Any]
    multiply: Callable[[Any, Any], Any]
    divide: Callable[[Any, Any], Any]
    negative: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    absolute: Callable[[Any], Any]
    least: Callable[[Any, Any], Any]
    greatest: Callable[[Any, Any], Any]
    coalesce: Callable[[Any, Any], Any]
    choose: Callable[[Any, Any, Any], Any]
    less: Callable[[Any, Any], Any]
    less_equal: Callable[[Any, Any], Any]
    equal: Callable[[Any, Any], Any]
    same_text: Callable[[Any, Any], Any]
    between: Callable[[Any, Any, Any], Any]
    both: Callable[[Any, Any], Any]
    either: Callable[[Any, Any], Any]
    opposite: Callable[[Any], Any]
    missing: Callable[[Any], Any]
    missing_text: Callable[[Any], Any]


def _constant_array(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_(value), np.bool_(not value)
    return np.float64(value) if isinstance(value, float) else value


def _is_none(value: Any) -> Any:
    return np.equal(np.asarray(value, dtype=object), np.asarray(None, dtype=object)).astype(bool)


def _same_text_array(left: Any, right: Any) -> Truth:
    known = ~(_is_none(left) | _is_none(right))
    same = np.equal(np.asarray(left, dtype=object), np.asarray(right, dtype=object)).astype(bool)
    return same & known, ~same & known


def _missing_text_array(value: Any) -> Truth:
    missing = _is_none(value)
    return missing, ~missing


ARRAY: Final = Operations(
    constant=_constant_array,
    add=np.add,
    subtract=np.subtract,
    multiply=np.multiply,
    divide=lambda a, b: np.divide(a, np.where(np.equal(b, 0), NAN, b)),
    negative=np.negative,
    sqrt=np.sqrt,
    absolute=np.absolute,
    least=np.fmin,
    greatest=np.fmax,
    coalesce=lambda a, b: np.where(np.isnan(a), b, a),
    choose=lambda condition, a, b: np.where(condition[0], a, b),
    less=lambda a, b: (np.less(a, b), np.greater_equal(a, b)),
    less_equal=lambda a, b: (np.less_equal(a, b), np.greater(a, b)),
    equal=lambda a, b: (np.equal(a, b), np.less(a, b) | np.greater(a, b)),
    same_text=_same_text_array,
    between=lambda a, low, high: ((a >= low) & (a <= high), (a < low) | (a > high)),
    both=lambda a, b: (a[0] & b[0], a[1] | b[1]),
    either=lambda a, b: (a[0] | b[0], a[1] & b[1]),
    opposite=lambda a: (a[1], a[0]),
    missing=lambda a: (np.isnan(a), ~np.isnan(a)),
    missing_text=_missing_text_array,
)


def _compared(test: Callable[[float, float], bool]) -> Callable[[float, float], bool | None]:
    return lambda a, b: None if a != a or b != b else test(a, b)  # noqa: PLR0124 (NaN)


_at_least = _compared(operator.ge)


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _either(a: bool | None, b: bool | None) -> bool | None:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _extreme(choose: Callable[[float, float], float]) -> Callable[[float, float], float]:
    return lambda a, b: b if a != a else a if b != b else choose(a, b)  # noqa: PLR0124 (NaN)


ONE: Final = Operations(
    constant=lambda value: value,
    add=operator.add,
    subtract=operator.sub,
    multiply=operator.mul,
    divide=lambda a, b: a / b if b else NAN,
    negative=operator.neg,
    sqrt=lambda a: math.sqrt(a) if a >= 0 else NAN,
    absolute=abs,
    least=_extreme(min),
    greatest=_extreme(max),
    coalesce=lambda a, b: b if a != a else a,  # noqa: PLR0124 (NaN)
    choose=lambda condition, a, b: a if condition else b,
    less=_compared(operator.lt),
    less_equal=_compared(operator.le),
    equal=_compared(operator.eq),
    same_text=lambda a, b: None if a is None or b is None else a == b,
    between=lambda a, low, high: _both(_at_least(a, low), _at_least(high, a)),
    both=_both,
    either=_either,
    opposite=lambda a: None if a is None else not a,
    missing=lambda a: a != a,  # noqa: PLR0124 (NaN)
    missing_text=lambda a: a is None,
)
