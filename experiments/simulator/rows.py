"""Rows by columns: frozen classes of numpy arrays of one length, joined and chosen from without a loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Rows by columns, all of one length.

    Attributes:
        person: position of the customer in the world, int64[m].
    """

    person: Ints
    _kinds: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        """The numpy type of each column is the one of its annotation."""
        kinds = {name: _kind(hint) for name, hint in get_type_hints(cls).items()}
        cls._kinds = {name: kind for name, kind in kinds.items() if kind is not None}

    def __post_init__(self) -> None:
        """Columns take their types.

        Raises:
            ValueError: columns have different lengths.
        """
        for name, kind in self._kinds.items():
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=kind))
        shapes = {name: getattr(self, name).shape for name in self._kinds}
        if len(set(shapes.values())) > 1 or self.person.ndim != 1:
            raise ValueError(f"columns of {type(self).__name__} differ in length: {shapes}")

    def __len__(self) -> int:
        return len(self.person)

    @classmethod
    def none(cls) -> Self:
        """No rows."""
        return cls(**{name: np.empty(0, dtype=kind) for name, kind in cls._kinds.items()})

    @classmethod
    def concat(cls, parts: Iterable[Self]) -> Self:
        """The rows of all parts, in their order."""
        kept = [part for part in parts if len(part)]
        if len(kept) < len(("one", "other")):
            return kept[0] if kept else cls.none()
        return cls(**{name: np.concatenate([getattr(part, name) for part in kept]) for name in cls._kinds})

    def take(self, which: Ints | Flags) -> Self:
        """The rows at these positions, or those that are flagged."""
        return type(self)(**{name: getattr(self, name)[which] for name in self._kinds})

    def replace(self, **columns: Any) -> Self:
        """The same rows with other values in some columns."""
        return dataclasses.replace(self, **columns)


def _kind(hint: Any) -> Any:
    """The numpy type of an annotated column; None for what is none."""
    if get_origin(hint) is np.ndarray:
        return get_args(get_args(hint)[1])[0]
    # numpy 2.5 keeps the name of its alias.
    return get_args(hint)[0] if get_origin(hint) is NDArray else None
