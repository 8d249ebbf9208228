"""The tasks there are. Adding one: a file with a `Task`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.errors import unknown
from training.category_purchase import CategoryPurchase
from training.churn import Churn
from training.decline import Decline
from training.next_purchase import NextPurchaseTask
from training.recommendation.task import Recommendation
from training.response import Response
from training.rhythm import Rhythm
from training.task import Params, Task
from training.value.task import ValueTask

TASKS: dict[str, Task[Any]] = {
    task.name: task
    for task in (
        Churn(),
        Decline(),
        NextPurchaseTask(),
        CategoryPurchase(),
        Rhythm(),
        ValueTask(),
        Response(),
        Recommendation(),
    )
}


def named(name: str, options: Params | None = None) -> Task[Any]:
    """The task of that name, made with these options; without any, the registered one.

    Raises:
        UserError: there is none; the nearest is suggested.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return type(TASKS[name])(**options) if options else TASKS[name]


def declared(name: str) -> Mapping[str, str]:
    """What the inputs mean that are a task's own; none for a task that is not there."""
    return TASKS[name].declared if name in TASKS else {}
