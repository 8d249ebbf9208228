"""The catalogue of features, read from `catalogue.yaml` and checked.

To add a feature, add a declaration there. The engines, the documentation page, the models' feature lists and
the names that action conditions may read all follow from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from features.declarations import COLUMNS, FAMILIES, OPERATIONS, Declaration, Derived, Feature
from features.errors import UserError, unknown

_COMMON: Final = {"unit", "en", "zh"}
_AGGREGATE: Final = _COMMON | {"op", "column", "where", "days", "windows", "needs", "part"}
_FORMULA: Final = _COMMON | {"formula", "part"}


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not silently the later one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"catalogue: {twice[0]!r} is declared twice. Remove or rename one.")
        return super().construct_mapping(node, deep)


def read(text: str) -> tuple[Declaration, ...]:
    """The declarations in a catalogue's text.

    Raises:
        UserError: a declaration is not valid; the sentence names it and what is expected.
    """
    content: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    declarations: dict[str, Declaration] = {}
    for family, entries in content.items():
        if family not in FAMILIES:
            raise unknown("family of features", family, FAMILIES)
        for name, form in entries.items():
            for declaration in _declared(name, family, form):
                if declaration.name in declarations:
                    raise UserError(
                        f"catalogue: {declaration.name!r} is declared twice. Remove or rename one."
                    )
                declarations[declaration.name] = declaration
    return tuple(declarations.values())


def _declared(name: str, family: str, form: Mapping[str, Any]) -> Iterator[Declaration]:
    keys = _FORMULA if "formula" in form else _AGGREGATE
    for key in form:
        if key not in keys:
            raise unknown(f"key of feature {name!r}", key, keys)
    if missing := sorted((_COMMON | ({"formula"} if keys is _FORMULA else {"op"})) - form.keys()):
        raise UserError(f"feature {name!r} has no {missing[0]!r}. Add it to its declaration.")
    part = bool(form.get("part", False))
    if "formula" in form:
        yield Derived(name, family, form["unit"], form["en"], form["zh"], str(form["formula"]), part)
        return
    _check_operation(name, form)
    rest = {
        "op": form["op"],
        "column": form.get("column", ""),
        "where": form.get("where", ""),
        "needs": tuple(form.get("needs", ())),
        "part": part,
    }
    if "windows" not in form:
        yield Feature(name, family, form["unit"], form["en"], form["zh"], days=form.get("days"), **rest)
        return
    for window in form["windows"]:
        days = None if window == "all" else int(window)
        english = f"{form['en']} {'before T' if days is None else f'in the last {days} days'}"
        chinese = f"{'全部历史' if days is None else f'近{days}天'}{form['zh']}"
        yield Feature(f"{name}_{window}", family, form["unit"], english, chinese, days=days, **rest)


def _check_operation(name: str, form: Mapping[str, Any]) -> None:
    operation, column = form["op"], form.get("column", "")
    if operation not in OPERATIONS:
        raise unknown(f"operation of feature {name!r}", operation, OPERATIONS)
    if operation == "count" and column:
        raise UserError(f"feature {name!r}: count has no column, it counts rows; {column!r} was given.")
    if operation != "count" and column not in COLUMNS:
        raise unknown(f"column of feature {name!r}", column, COLUMNS)


DECLARATIONS: Final = read(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FEATURES: Final = tuple(d for d in DECLARATIONS if not d.part)
NAMES: Final = tuple(d.name for d in FEATURES)


def catalogue_hash() -> str:
    """SHA-256 of the declarations: equal hashes mean equal features."""
    return hashlib.sha256(repr(DECLARATIONS).encode()).hexdigest()
