"""The shape of a catalogue file: its fields and their kinds, and what is said about a file with others."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from features.errors import UserError, unknown


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Text(_Strict):
    """A text in the two languages of the platform."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """The text in "en" or "zh"."""
        return self.zh if language == "zh" else self.en


class Channel(_Strict):
    """A way to reach the customer: what one contact costs, and the share of contacts that are noticed."""

    cost_cents: int = Field(ge=0)
    reach: float = Field(gt=0, le=1)


class Place(_Strict):
    """Where a decision is asked for, and the channels open there."""

    name: Text
    channels: list[str] = Field(min_length=1)


class Assumption(_Strict):
    """A named number that the data cannot tell yet: its value, unit, meaning and where it comes from."""

    value: float
    unit: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    source: str = Field(min_length=1)


def _as_text(value: Any) -> Any:
    """YAML reads `propensity: 0.05` as a number and `eligible: true` as a boolean; both are expressions."""
    return str(value) if isinstance(value, (bool, int, float)) else value


ExpressionText = Annotated[str, BeforeValidator(_as_text)]


class Entry(_Strict):
    """One action, its expressions still as text; see `serving.actions.Action`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    kind: str
    name: Text
    text: Text
    eligible: ExpressionText
    propensity: ExpressionText
    value_cents: ExpressionText
    horizon_days: int = Field(gt=0, le=3660)
    places: list[str] = Field(min_length=1)
    channels: list[str] = Field(min_length=1)
    cross_sell: bool = False


class CatalogueFile(_Strict):
    """A whole file."""

    default_place: str
    channels: dict[str, Channel]
    places: dict[str, Place]
    assumptions: dict[str, Assumption] = Field(default_factory=dict)
    actions: list[Entry]


def read(file: Path) -> CatalogueFile:
    """Read a file and check its shape.

    Raises:
        UserError: it cannot be read, is not YAML, or has other fields; the sentence names file and action.
    """
    content = _content(file)
    try:
        return CatalogueFile.model_validate(content)
    except ValidationError as error:
        raise UserError(_sentence(file, content, error)) from None


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


def _content(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file. Give the catalogue with --actions FILE.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as UTF-8 text ({error}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise UserError(f"{file}: {where}not valid YAML: {getattr(error, 'problem', error)}.") from None


def _sentence(file: Path, content: Any, error: ValidationError) -> str:
    """The first complaint in words: file, action, field, what is wrong."""
    if content is None:
        return f"{file}: the file is empty. Start from a copy of the packaged actions.yaml."
    first, *others = error.errors(include_url=False, include_context=False)
    if first["type"] == "missing":
        # A misspelt key is both a missing one and one that is not known; only the second says what to do.
        beside = (e for e in others if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1])
        first = next(beside, first)
    path = list(first["loc"])
    subject = ""
    match path:
        case ["actions", int(index), *rest]:
            entry = content["actions"][index]
            name = (
                entry.get("id", f"number {index + 1}") if isinstance(entry, dict) else f"number {index + 1}"
            )
            subject, path = f"action {name!r}: ", rest
        case _:
            pass
    if first["type"] == "extra_forbidden":
        owner = "".join(f"{part}: " for part in path[:-1])
        return f"{file}: {subject}{owner}{unknown('field', str(path[-1]), _fields(first['loc'][:-1]))}"
    field = ".".join(str(part) for part in path)
    what = {
        "missing": "is missing",
        "model_type": f"has to be a mapping (name: value), got {first['input']!r}",
    }.get(first["type"], f"{first['msg'][:1].lower()}{first['msg'][1:]}, got {first['input']!r}")
    return f"{file}: {subject}{field or 'the file'}: {what}."


def _fields(owner: tuple[int | str, ...]) -> Collection[str]:
    """The fields of the part of a file that stands at `owner`."""
    match owner:
        case ():
            return CatalogueFile.model_fields
        case (group, _):
            parts: dict[str, type[_Strict]] = {
                "channels": Channel,
                "places": Place,
                "assumptions": Assumption,
                "actions": Entry,
            }
            return parts[str(group)].model_fields
    return Text.model_fields
