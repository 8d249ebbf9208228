"""The tasks there are. Adding one: a file with a `Task`, and a line here."""

from __future__ import annotations

from typing import Any

from features.errors import unknown
from training.churn import Churn
from training.next_purchase import NextPurchaseTask
from training.recommendation.task import Recommendation
from training.task import Task

TASKS: dict[str, Task[Any]] = {task.name: task for task in (Churn(), NextPurchaseTask(), Recommendation())}


def named(name: str) -> Task[Any]:
    """The task of that name.

    Raises:
        UserError: there is none; the nearest is suggested.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]
