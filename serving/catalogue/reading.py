"""Reading a catalogue file as YAML, and saying in one sentence what is wrong with its shape."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError

from features.errors import UserError, unknown

NAME: Final = r"^[a-z][a-z0-9_]{0,63}$"
TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_FORMS: Final = {
    NAME: "has to begin with a small letter and hold nothing but small letters, digits and _",
    TIME: "has to be a time of day between 00:00 and 23:59",
}
_DATES: Final = "has to be a date like 2018-01-31, not in quotation marks"


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key may stand only once per mapping: a second one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def content(file: Path) -> Any:
    """What a file holds.

    Raises:
        UserError: it is not there, not text, or not YAML.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file. Name the file of an action catalogue.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as UTF-8 text ({error}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise UserError(f"{file}: {where}not valid YAML: {getattr(error, 'problem', error)}.") from None
    except ValueError as error:
        # What looks like a date and is none (2018-02-30) is refused by the calendar, not by YAML.
        raise UserError(f"{file}: a value is not valid: {error}.") from None


def sentence(file: Path, content: Any, error: ValidationError, shape: type[BaseModel]) -> str:
    """The first complaint in words: file, action, field, what is wrong.

    Args:
        file: where the content was read.
        content: what was read.
        error: what the shape says of it.
        shape: the model of a whole file.
    """
    if content is None:
        return f"{file}: the file is empty. Start from a copy of the packaged actions.yaml."
    first, *others = error.errors(include_url=False)
    if first["type"] == "missing":
        # A misspelt key is both a missing one and one that is not known; only the second says what to do.
        beside = (e for e in others if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1])
        first = next(beside, first)
    subject, path = _subject(content, first["loc"])
    if first["type"] == "extra_forbidden":
        owner = "".join(f"{part}: " for part in path[:-1])
        return f"{file}: {subject}{owner}{unknown('field', str(path[-1]), _fields(shape, first['loc'][:-1]))}"
    field = ".".join(str(part) for part in path if part != "[key]")
    return f"{file}: {subject}{field or 'the file'}: {_what(first)}."


def _subject(content: Any, location: tuple[int | str, ...]) -> tuple[str, list[int | str]]:
    """The action that a location lies in, in words, and the way from there."""
    match list(location):
        case ["actions", int(index), *rest]:
            entry = content["actions"][index]
            number = f"number {index + 1}"
            name = entry.get("id", number) if isinstance(entry, dict) else number
            return f"action {name!r}: ", rest
    return "", list(location)


def _what(complaint: Any) -> str:
    got = f", got {complaint['input']!r}"
    match complaint["type"]:
        case "missing":
            return "is missing"
        case "model_type":
            return f"has to be a mapping (name: value){got}"
        case "string_pattern_mismatch":
            return f"{_FORMS[complaint['ctx']['pattern']]}{got}"
        case "date_type":
            return f"{_DATES}{got}"
    message = str(complaint["msg"])
    return f"{message[:1].lower()}{message[1:]}{got}"


def _fields(shape: type[BaseModel], owner: tuple[int | str, ...]) -> Collection[str]:
    """The fields of the part of a file that stands at `owner`."""
    kind: Any = shape
    for part in owner:
        kind = kind.model_fields[part].annotation if hasattr(kind, "model_fields") else get_args(kind)[-1]
        if NoneType in get_args(kind):
            (kind,) = (option for option in get_args(kind) if option is not NoneType)
    fields: Collection[str] = kind.model_fields
    return fields
