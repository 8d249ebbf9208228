"""The catalogue of features, read from `catalogue.yaml` and checked.

To add a feature, add a declaration there. The engines, the documentation page, the models' feature lists and
the names that action conditions may read all follow from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from features.declarations import (
    COLUMNS_OF,
    DATED,
    FAMILIES,
    OPERATIONS,
    RELATIONS,
    Declaration,
    Derived,
    Feature,
)
from features.errors import UserError, unknown
from features.expressions.expression import Expression, parse
from features.facts import FACTS

_COMMON: Final = {"unit", "en", "zh"}
_AGGREGATE: Final = _COMMON | {"of", "op", "column", "where", "days", "windows", "needs", "part"}
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
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        raise UserError(f"catalogue is not valid YAML: {' '.join(str(error).split())}.") from None
    declarations: dict[str, Declaration] = {}
    for family, entries in _mapping("catalogue", content).items():
        if family not in FAMILIES:
            raise unknown("family of features", str(family), FAMILIES)
        for name, form in _mapping(f"family {family!r}", entries).items():
            for declaration in _declared(name, family, _mapping(f"feature {name!r}", form)):
                _check_expression(declaration, declarations)
                if declaration.name in declarations:
                    raise UserError(
                        f"catalogue: {declaration.name!r} is declared twice. Remove or rename one."
                    )
                declarations[declaration.name] = declaration
    return tuple(declarations.values())


def _check_values(name: object, form: Mapping[str, Any]) -> None:
    """Every value of a declaration is of its kind: a text, a number of days, windows, a list of facts."""
    if not isinstance(name, str):
        raise UserError(f"catalogue: {name!r} is no name of a feature. Write it as a text.")
    if {"days", "windows"} <= form.keys():
        raise UserError(f"feature {name!r} has both days and windows. Keep one of them.")
    for key, value in form.items():
        if key == "days":
            fits, kind = _is_window(value), "a whole number above 0"
        elif key == "windows":
            windows = value if isinstance(value, list) else []
            fits = bool(windows) and all(one == "all" or _is_window(one) for one in windows)
            kind = "a list of whole numbers above 0 and `all`"
        elif key == "needs":
            fits, kind = isinstance(value, list), "a list"
        elif key == "part":
            fits, kind = isinstance(value, bool), "true or false"
        else:
            fits, kind = isinstance(value, str), "a text"
        if not fits:
            raise UserError(f"feature {name!r}: {key} is {value!r}: it has to be {kind}.")


def _is_window(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _mapping(what: str, content: Any) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise UserError(f"{what} is {content!r}: it has to be a mapping of names.")
    return content


def _check_expression(declaration: Declaration, earlier: Collection[str]) -> None:
    """Refuse a condition on columns that its rows do not have, and a formula over what is not above it."""
    try:
        if isinstance(declaration, Derived):
            parse(declaration.formula, earlier, kind="number")
        elif declaration.where:
            parse(declaration.where, COLUMNS_OF[declaration.of], kind="boolean")
    except UserError as error:
        raise UserError(f"feature {declaration.name!r}: {error}") from None


def _declared(name: str, family: str, form: Mapping[str, Any]) -> Iterator[Declaration]:
    keys = _FORMULA if "formula" in form else _AGGREGATE
    for key in form:
        if key not in keys:
            raise unknown(f"key of feature {name!r}", str(key), keys)
    _check_values(name, form)
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
        "of": form.get("of", "visits"),
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
    operation, column, relation = form["op"], form.get("column", ""), form.get("of", "visits")
    if relation not in RELATIONS:
        raise unknown(f"relation of feature {name!r}", relation, RELATIONS)
    if operation not in OPERATIONS:
        raise unknown(f"operation of feature {name!r}", operation, OPERATIONS)
    if operation == "count" and column:
        raise UserError(f"feature {name!r}: count has no column, it counts rows; {column!r} was given.")
    if operation != "count" and column not in COLUMNS_OF[relation]:
        raise unknown(f"column of feature {name!r}", column, COLUMNS_OF[relation])
    if relation not in DATED and (operation == "last" or form.keys() & {"days", "windows"}):
        raise UserError(
            f"feature {name!r}: rows of {relation} have no day, so neither windows nor `last` apply. "
            'Choose rows with `where`, such as "age <= 91".'
        )
    for fact in form.get("needs", ()):
        if fact not in FACTS:
            raise unknown(f"need of feature {name!r}", fact, FACTS)


DECLARATIONS: Final = read(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FEATURES: Final = tuple(d for d in DECLARATIONS if not d.part)
NAMES: Final = tuple(d.name for d in FEATURES)
BY_NAME: Final = {declaration.name: declaration for declaration in DECLARATIONS}


@cache
def formula(derived: Derived) -> Expression:
    """A derived feature's expression; it may read what is declared before it."""
    earlier = DECLARATIONS[: DECLARATIONS.index(derived)]
    return parse(derived.formula, [d.name for d in earlier], kind="number")


def closure(names: Sequence[str]) -> tuple[Declaration, ...]:
    """The declarations needed for `names`, in the order of the catalogue.

    Raises:
        UserError: a name is not in the catalogue.
    """
    wanted: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in BY_NAME:
            raise unknown("feature", name, NAMES)
        declaration = BY_NAME[name]
        if name not in wanted and isinstance(declaration, Derived):
            stack.extend(formula(declaration).names)
        wanted.add(name)
    return tuple(d for d in DECLARATIONS if d.name in wanted)


@cache
def catalogue_hash() -> str:
    """SHA-256 of the declarations: equal hashes mean equal features."""
    return hashlib.sha256(repr(DECLARATIONS).encode()).hexdigest()


def declarations_hash(names: Sequence[str]) -> str:
    """SHA-256 of the declarations of some features and of all that they are made of.

    A model keeps the hash of the features it reads: neither what is declared beside them nor a better wording
    of what they mean concerns it.

    Raises:
        UserError: a name is not in the catalogue.
    """
    silent = tuple(replace(declaration, meaning="", meaning_zh="") for declaration in closure(names))
    return hashlib.sha256(repr(silent).encode()).hexdigest()
