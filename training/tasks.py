"""The tasks there are. Adding one: a file with a `Task`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pkgutil import resolve_name
from typing import Any, Final

from features.errors import unknown
from training.task import Params, Task

CLASSES: Final = (
    "training.churn:Churn",
    "training.decline:Decline",
    "training.next_purchase:NextPurchaseTask",
    "training.category_purchase:CategoryPurchase",
    "training.rhythm:Rhythm",
    "training.value.task:ValueTask",
    "training.response:Response",
    "training.recommendation.task:Recommendation",
)
TASKS: Final[dict[str, Task[Any]]] = {task.name: task for task in (resolve_name(each)() for each in CLASSES)}


def named(name: str, options: Params | None = None) -> Task[Any]:
    """The task of that name, made with these options; without any, the registered one.

    Raises:
        UserError: there is none, or it has no such option; the nearest is suggested.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    for option in options or ():
        if option not in (known := signature(type(TASKS[name])).parameters):
            raise unknown(f"option of task {name}", option, known)
    return type(TASKS[name])(**options) if options else TASKS[name]


def declared(name: str) -> Mapping[str, str]:
    """What the inputs mean that are a task's own; none for a task that is not there."""
    return TASKS[name].declared if name in TASKS else {}
