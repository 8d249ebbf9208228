"""What a study is: a hypothesis, variants of tasks, and the days, seeds and budget it tries them on.

The same object whether it was written as a file (`study_file`) or in Python (`study.Study`): every value is
checked here, so both are refused with the same sentence.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from features.catalogue import FEATURES, NAMES
from features.clock import parse_date
from features.declarations import FAMILIES
from features.errors import UserError, unknown
from training import tasks
from training.task import Budget, Params, Task

BUDGET: Final = Budget(trials=4, step_days=14, cutoffs=12, folds=2, reports=2, replicates=20)
"""What each run of a study may spend unless told; `replicates` only words the run's own warnings."""
TOLD: Final = ("trials", "step_days", "cutoffs", "folds")
"""The parts of the budget that a study may set; its `replicates` are those of the verdict."""
REPLICATES: Final = 2000
FEWEST_REPLICATES: Final = 100
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Variant:
    """One way to set up a task.

    Attributes:
        name: what tables and pictures call it.
        families: families of features (`features/catalogue.yaml`) that it has; None: all.
        without_families: families that it leaves out.
        options: options of the task as its constructor takes them: `features`, `sources` and the like.
        setting: values of the search space that are fixed.
        space: ranges that replace those of the search space: (low, high), or the choices.
        trials: settings to try; None: the study's. 0 uses the task's first setting.
    """

    name: str
    families: tuple[str, ...] | None = None
    without_families: tuple[str, ...] = ()
    options: Params = field(default_factory=dict)
    setting: Params = field(default_factory=dict)
    space: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    trials: int | None = None

    def __post_init__(self) -> None:
        """Lists become tuples, and every value is checked.

        Raises:
            UserError: a value is not of its kind, or a family is unknown.
        """
        what = f"variant {self.name!r}"
        if not isinstance(self.name, str) or not self.name.strip():
            raise UserError(f"a variant's name is {self.name!r}: it has to be a text.")
        for part in ("options", "setting", "space"):
            _mapping(f"{part} of {what}", getattr(self, part))
        if self.families is not None:
            object.__setattr__(self, "families", texts(f"families of {what}", self.families))
        without = texts(f"without_families of {what}", self.without_families)
        object.__setattr__(self, "without_families", without)
        for family in (*(self.families or ()), *without):
            if family not in FAMILIES:
                raise unknown("family of features", family, FAMILIES)
        ways = (self.families is not None, bool(without), "features" in self.options)
        if sum(ways) > 1:
            raise UserError(
                f"{what} names features in several ways: keep one of families, without_families, features."
            )
        if self.trials is not None:
            whole(f"trials of {what}", self.trials, least=0)
        ranges = {key: tuple(_list(f"space of {key!r} in {what}", ends)) for key, ends in self.space.items()}
        object.__setattr__(self, "space", ranges)
        if both := sorted(self.setting.keys() & ranges.keys()):
            raise UserError(f"{what} fixes {both[0]!r} and gives it a range. Keep one of them.")

    @property
    def resolved(self) -> Params:
        """The task options, families written out as features."""
        if self.families is None and not self.without_families:
            return dict(self.options)
        kept = [
            feature.name
            for feature in FEATURES
            if (self.families is None or feature.family in self.families)
            and feature.family not in self.without_families
        ]
        if not kept:
            raise UserError(f"variant {self.name!r} has no feature left. Name a family that has some.")
        return {**self.options, "features": kept}

    def task(self, name: str) -> Task[Any]:
        """The task of that name as this variant wants it: an instance of its own.

        Raises:
            UserError: the task has no such option, or a feature is unknown.
        """
        kind, options = type(tasks.named(name)), self.resolved
        known = options_of(name)
        for key in options:
            if key not in known and key == "features":
                raise UserError(
                    f"variant {self.name!r} chooses features, and task {name} has none to choose from."
                )
            if key not in known:
                raise unknown(f"option of task {name}", key, known)
        for feature in options.get("features", ()):
            if feature not in NAMES:
                raise unknown("feature", str(feature), NAMES)
        return kind(**options)


@dataclass(frozen=True)
class Design:
    """A study as it was asked for.

    Attributes:
        name: small letters, digits and hyphens: files and pages are called by it.
        hypothesis: what is to be found out, in a sentence or two.
        tasks: names of the tasks that every variant is tried on.
        variants: two or more.
        reference: the variant that the others are compared with; default: the first.
        cutoffs: days as of which models are judged; empty: the latest that the choice period has.
        seeds: of tuning and fits; every variant runs once with each.
        metrics: names of metrics; empty: each task's primary one.
        budget: what each run may spend.
        replicates: of the bootstrap behind the intervals.
    """

    name: str
    hypothesis: str
    tasks: tuple[str, ...]
    variants: tuple[Variant, ...]
    reference: str = ""
    cutoffs: tuple[date, ...] = ()
    seeds: tuple[int, ...] = (0, 1)
    metrics: tuple[str, ...] = ()
    budget: Budget = BUDGET
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        """Single names become tuples, texts dates, and every value is checked.

        Raises:
            UserError: a value is not of its kind or does not fit the others.
        """
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UserError(
                f"the study's name is {self.name!r}: it has to be of small letters, digits and hyphens."
            )
        if not isinstance(self.hypothesis, str) or not self.hypothesis.strip():
            raise UserError(f"study {self.name} has no hypothesis. Say in a sentence what it is to find out.")
        self._set(hypothesis=" ".join(self.hypothesis.split()))
        self._set(tasks=texts("tasks", self.tasks), metrics=texts("metrics", self.metrics))
        self._set(variants=tuple(self.variants), cutoffs=_dates(self.cutoffs), seeds=_seeds(self.seeds))
        for name in self.tasks:
            tasks.named(name)
        if not self.tasks:
            raise UserError(f"study {self.name} names no task. Known are: {', '.join(tasks.TASKS)}.")
        whole("replicates", self.replicates, least=FEWEST_REPLICATES)
        for part in TOLD:
            whole(f"{part} of the budget", getattr(self.budget, part), least=0 if part == "trials" else 1)
        self._check_variants()

    def _check_variants(self) -> None:
        names = [variant.name for variant in self.variants]
        if len(names) < len("ab"):
            raise UserError(f"study {self.name} has {len(names)} variants: a comparison needs two or more.")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"study {self.name} has two variants called {twice[0]!r}. Rename one.")
        self._set(reference=self.reference or names[0])
        if self.reference not in names:
            raise unknown("reference variant", self.reference, names)
        for variant in self.variants:
            if variant.space and not self.trials(variant):
                raise UserError(
                    f"variant {variant.name!r} has a space and no trials to search it. Give it 1 or more."
                )
            for task in self.tasks:
                variant.task(task)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def others(self) -> tuple[Variant, ...]:
        """The variants that are compared with the reference."""
        return tuple(variant for variant in self.variants if variant.name != self.reference)

    def trials(self, variant: Variant) -> int:
        """How many settings a run of that variant tries."""
        return self.budget.trials if variant.trials is None else variant.trials


def options_of(task: str) -> tuple[str, ...]:
    """Names of the options that a task's constructor takes."""
    return tuple(inspect.signature(type(tasks.named(task))).parameters)


def budget(given: Mapping[str, Any]) -> Budget:
    """The default budget with the given parts replaced.

    Raises:
        UserError: a name is not a part of it.
    """
    for name in given:
        if name not in TOLD:
            raise unknown("part of the budget", str(name), TOLD)
    return dataclasses.replace(BUDGET, **given)


def texts(what: str, value: Any) -> tuple[str, ...]:
    """A text or several as a tuple.

    Raises:
        UserError: something else was given.
    """
    items = (value,) if isinstance(value, str) else tuple(_list(what, value))
    if not all(isinstance(item, str) for item in items):
        raise UserError(f"{what}: {value!r} was given, and it has to be a list of texts.")
    return items


def whole(what: str, value: Any, *, least: int) -> int:
    """A whole number of at least `least`.

    Raises:
        UserError: something else was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"{what}: {value!r} was given, and it has to be a whole number of {least} or more.")
    return value


def _list(what: str, value: Any) -> Iterable[Any]:
    if not isinstance(value, (list, tuple)):
        raise UserError(f"{what}: {value!r} was given, and it has to be a list.")
    return value


def _mapping(what: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UserError(f"{what}: {value!r} was given, and it has to be a mapping of names.")


def _dates(given: Any) -> tuple[date, ...]:
    """Dates from dates or texts, ascending."""
    items = (given,) if isinstance(given, (str, date)) else _list("cutoffs", given)
    return tuple(sorted({item if isinstance(item, date) else parse_date(str(item)) for item in items}))


def _seeds(given: Any) -> tuple[int, ...]:
    items = (given,) if isinstance(given, int) else _list("seeds", given)
    found = tuple(dict.fromkeys(whole("seeds", item, least=0) for item in items))
    if not found:
        raise UserError("seeds: none was given, and a study needs one or more.")
    return found
