"""A world's configuration as a YAML file: its keys are the fields of `WorldConfig` and of its parts.

    base: fuel
    name: my chain
    joining: {before: 0.9}
    segments:
      commuters: {share: 0.7}

A list of things that have a name may be written as a mapping of the names. With `base`, the file says only
what differs from a preset that comes with the platform: a mapping is laid on the preset's, null takes one of
its entries away, anything else stands in its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import yaml

from experiments.simulator.config import WorldConfig
from features.clock import parse_date
from features.errors import UserError, unknown

FOLDER: Final = Path(__file__).parent / "presets"
BASE: Final = "base"
_Part = TypeVar("_Part")
_WORDS: Final[Mapping[Any, str]] = {
    float: "a number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
}


class _Loader(yaml.SafeLoader):
    """A name that stands twice is an error, not silently the later one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"the world names {twice[0]!r} twice. Remove or rename one.")
        return super().construct_mapping(node, deep)

    def construct_document(self, node: yaml.Node) -> Any:
        """All at once, so that an alias within what it stands for has nothing to stand for yet."""
        self.deep_construct = True
        return super().construct_document(node)


# A day that cannot be is refused where it is read, by its name.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


def presets() -> tuple[str, ...]:
    """Names of the presets that come with the platform."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def preset(name: str) -> WorldConfig:
    """The preset of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    return build(WorldConfig, _preset(name), f"preset {name}")


def load(path: Path) -> WorldConfig:
    """The configuration in a file.

    Raises:
        UserError: it cannot be read, or the world that it describes cannot be.
    """
    content = _content(path)
    if BASE in content:
        if not isinstance(content[BASE], str):
            raise UserError(
                f"world {path.name}: {BASE} is {content[BASE]!r}; it has to be the name of one preset: "
                f"{' or '.join(presets())}."
            )
        base = _preset(content[BASE])
        over = {key: value for key, value in content.items() if key != BASE}
        content = _merged(base, over, f"world {path.name}")
    return build(WorldConfig, content, f"world {path.name}")


def build(kind: type[_Part], form: Any, where: str) -> _Part:
    """A part of a configuration from what YAML made of it.

    Args:
        kind: a frozen dataclass.
        form: mapping of its fields.
        where: what a sentence calls it.

    Raises:
        UserError: a key is unknown or missing, or a value is not of its type.
    """
    if not isinstance(form, Mapping):
        raise UserError(f"{where} is {form!r}; it has to be a mapping of names.")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in form:
        if key not in fields:
            raise unknown(f"key of {where}", str(key), fields)
    for name, field in fields.items():
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and name not in form:
            raise UserError(f"{where} has no {name!r}. Add it.")
    hints = get_type_hints(kind)
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in form.items()})


def _value(hint: Any, form: Any, where: str) -> Any:
    """A value of the annotated type."""
    kinds = get_args(hint)
    if isinstance(hint, UnionType):
        rest = next(kind for kind in kinds if kind is not NoneType)
        return None if form is None else _value(rest, form, where)
    if get_origin(hint) is tuple:
        return _values(kinds, form, where)
    if get_origin(hint) is not None:
        if not isinstance(form, Mapping):
            raise UserError(f"{where} is {form!r}; it has to be a mapping of names.")
        return {str(key): _value(kinds[1], value, f"{where}: {key}") for key, value in form.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return build(hint, form, where)
    if hint is date:
        return parse_date(str(form), name=where)
    if hint in _WORDS:
        fits = (int, float) if hint is float else hint
        if not isinstance(form, fits) or (isinstance(form, bool) and hint is not bool):
            raise UserError(f"{where} is {form!r}; it has to be {_WORDS[hint]}.")
        return hint(form)
    return form


def _values(kinds: tuple[Any, ...], form: Any, where: str) -> tuple[Any, ...]:
    """Several values: a list, or a mapping of the names of things that have one."""
    kind = kinds[0]
    if isinstance(form, Mapping) and dataclasses.is_dataclass(kind):
        form = [{"name": str(name), **_fields(content, f"{where}: {name}")} for name, content in form.items()]
    if not isinstance(form, list):
        raise UserError(f"{where} is {form!r}; it has to be a list.")
    names = [
        part["name"] if isinstance(part, Mapping) and "name" in part else n for n, part in enumerate(form)
    ]
    return tuple(_value(kind, part, f"{where}: {name}") for name, part in zip(names, form, strict=True))


def _fields(content: Any, where: str) -> Mapping[str, Any]:
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise UserError(f"{where} is {content!r}; it has to be a mapping of names.")
    return content


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """`over` laid on `base`: mappings by key, null takes away, whatever else is replaced.

    Raises:
        UserError: a mapping is empty and would change nothing, or null stands for what is not there.
    """
    merged = dict(base)
    for key, value in over.items():
        before, name = base.get(key), f"{where}: {key}"
        if value is None and key in base:
            del merged[key]
        elif value is None:
            raise unknown(f"entry of {where} that null takes away", str(key), map(str, base))
        elif isinstance(before, Mapping) and before and value == {}:
            raise UserError(
                f"{name} is empty, which changes nothing of {BASE}. Leave it out, or take its entries away "
                f"one by one with null, like {{{next(iter(before))}: null}}."
            )
        elif isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(before, value, name)
        else:
            if key not in base:
                _refuse_empty(value, name)
            merged[key] = value
    return merged


def _refuse_empty(form: Any, where: str) -> None:
    """Refuses an empty mapping in what is added to a preset."""
    if form == {}:
        raise UserError(f"{where} is empty, which adds nothing to {BASE}. Leave it out, or give it entries.")
    for key, part in form.items() if isinstance(form, Mapping) else ():
        _refuse_empty(part, f"{where}: {key}")


def _preset(name: str) -> Mapping[str, Any]:
    if name not in presets():
        raise unknown("preset", name, presets())
    return _content(FOLDER / f"{name}.yaml")


def _content(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError(f"world not found: {str(path)!r} is no file that can be read.") from None
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.constructor.ConstructorError as error:
        if "recursive" not in str(error):
            raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
        raise UserError(f"{path} has an alias (*) within what it stands for. Write that entry out.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, Mapping):
        raise UserError(f"{path} is {content!r}; it has to be a mapping of names.")
    return content
