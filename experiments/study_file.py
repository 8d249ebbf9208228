"""A study as a YAML file: its keys are the fields of `Design` and `Variant`.

    name: lean-churn
    hypothesis: Money and rhythm alone predict churn as well as all features.
    tasks: [churn]
    cutoffs: [2017-08-01, 2017-09-01]
    variants:
      all features: {}
      money and rhythm: {families: [money, rhythm]}

Whatever a variant says that is not a field of its own (`features`, `sources`) is an option of the task.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from experiments.study_design import Design, Variant, budget, options_of, texts
from features.errors import UserError, unknown

KEYS = tuple(field.name for field in dataclasses.fields(Design))
OWN = tuple(field.name for field in dataclasses.fields(Variant) if field.name not in ("name", "options"))


class _Loader(yaml.SafeLoader):
    """A name that stands twice is an error, not silently the later one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"the study names {twice[0]!r} twice. Remove or rename one.")
        return super().construct_mapping(node, deep)


def read(path: Path) -> dict[str, Any]:
    """What `Design` is made from.

    Raises:
        UserError: there is no such file, it is not YAML, or a key or a value is not one of a study.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError(
            f"study not found: {str(path)!r} is no file that can be read. Name a YAML file."
        ) from None
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    return _checked(_mapping(f"study {path}", content))


def _checked(content: Mapping[str, Any]) -> dict[str, Any]:
    for key in content:
        if key not in KEYS:
            raise unknown("key of a study", str(key), KEYS)
    for key in ("name", "hypothesis", "tasks", "variants"):
        if key not in content:
            raise UserError(f"the study has no {key!r}. Add it.")
    given = dict(content)
    names = texts("tasks", given["tasks"])
    entries = _mapping("variants", given.pop("variants"))
    given["variants"] = tuple(_variant(str(name), form, names) for name, form in entries.items())
    if "budget" in given:
        given["budget"] = budget(_mapping("budget", given["budget"]))
    return given


def _variant(name: str, form: Any, tasks: tuple[str, ...]) -> Variant:
    content = _mapping(f"variant {name!r}", {} if form is None else form)
    known = {*OWN, *(option for task in tasks for option in options_of(task))}
    for key in content:
        if key not in known:
            raise unknown(f"key of variant {name!r}", str(key), known)
    own = {key: value for key, value in content.items() if key in OWN}
    return Variant(name, options={key: value for key, value in content.items() if key not in OWN}, **own)


def _mapping(what: str, content: Any) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise UserError(f"{what} is {content!r}: it has to be a mapping of names.")
    return content
