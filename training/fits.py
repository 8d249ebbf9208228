"""The fits of a run with the chosen setting, several at once: they do not depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from training.fitted import Fitted
from training.measuring.metrics import MODEL
from training.plan import Plan, Rows
from training.task import E, Params, Task

if TYPE_CHECKING:
    import pandas as pd

    from features.labels import LabelDefinitions

T = TypeVar("T")
RANDOM_FOLDS = 3


@dataclass(frozen=True)
class Contrast:
    """What random folds would have said of the same rows.

    Attributes:
        metric: title of the task's primary metric.
        rows: rows at the validation cutoffs that the metric reads.
        ordered: the metric there, of fits that read only windows which ended by each cutoff.
        random: of fits on random two thirds of all rows of choice, the same and later cutoffs included.
        sentence: both in words.
    """

    metric: str
    rows: int
    ordered: float
    random: float
    sentence: str


@dataclass(frozen=True)
class Fits(Generic[E]):
    """What is fitted: a task on the rows of a plan, with one setting and seed, so many fits at once."""

    task: Task[E]
    rows: Rows[E]
    plan: Plan
    params: Params
    seed: int
    workers: int

    def run(self, *, choices: bool) -> tuple[pd.DataFrame, pd.DataFrame, Fitted]:
        """The report frame, the frame of validation rows, the final model.

        Args:
            choices: whether validation rows are wanted; without, their frame is empty.
        """
        import pandas as pd

        checked = self._checked() if choices else ()
        found = self._all(
            [
                lambda: self._fit(self.rows.train(self.plan.as_of)),
                *(partial(self._report, day) for day in self.plan.reports),
                *(partial(self._choice, day) for day in checked),
            ]
        )
        split = 1 + len(self.plan.reports)
        report = pd.concat(found[1:split], ignore_index=True)
        chosen = pd.concat(found[split:], ignore_index=True) if checked else report.iloc[:0]
        return report, chosen, found[0]

    def contrast(self, chosen: pd.DataFrame, labels: LabelDefinitions) -> Contrast | None:
        """Random folds against time; None without validation rows or where rows cannot be mixed."""
        import pandas as pd

        if not self.plan.folds or chosen.empty:
            return None
        pool = self.rows.pool(self.plan.folds, self.plan.choices_until)
        folds = self.task.shuffled(pool, RANDOM_FOLDS, self.seed)
        if not folds:
            return None

        def held_out(train: E, validation: E) -> pd.DataFrame:
            rows = validation.at(self.plan.folds)
            return self.task.rows(self._fit(train), rows)

        frame = pd.concat(self._all([partial(held_out, *pair) for pair in folds]), ignore_index=True)
        metric = next(each for each in self.task.metrics(labels) if each.name == self.task.primary)
        ordered, random = metric.compute(chosen, MODEL), metric.compute(frame, MODEL)
        rows = int(metric.counts(chosen, MODEL).sum())
        sentence = (
            f"{metric.title} on the {rows:,} rows of validation is {ordered:.4f} by fits that saw "
            f"nothing later; random folds over the same rows would have said {random:.4f}."
        )
        return Contrast(metric.title, rows, ordered, random, sentence)

    def _fit(self, train: E) -> Fitted:
        """A fit on rows that no other reads: binned rows and lists of everybody together fill the memory."""
        made = self.task.fit(train, self.params, self.seed)
        fitted = self.task.finish(made, train, self.params, self.seed)
        train.forget()
        return fitted

    def _report(self, cutoff: int) -> pd.DataFrame:
        """Predictions at a report cutoff of a refit as of it, and of baselines fitted on the same rows."""
        import pandas as pd

        train, report = self.rows.train(cutoff), self.rows.at(cutoff, self.plan.as_of)
        ours = self.task.rows(self._fit(train), report)
        theirs = self.task.baselines(self.rows.before(cutoff), train, report)
        extra = [name for name in theirs.columns if name not in ours.columns]
        return pd.concat([ours, theirs[extra]], axis=1)

    def _choice(self, cutoff: int) -> pd.DataFrame:
        """Predictions at a validation cutoff of a refit as of it, on windows that choices may read."""
        fitted = self._fit(self.rows.train(cutoff))
        return self.task.rows(fitted, self.rows.at(cutoff, self.plan.choices_until))

    def _checked(self) -> tuple[int, ...]:
        """Validation cutoffs; without any, report cutoffs whose windows choices may read: often none."""
        plan = self.plan
        ended = (day for day in plan.reports if day + plan.horizon_days <= plan.choices_until)
        return plan.folds or tuple(ended)

    def _all(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            return [future.result() for future in [pool.submit(job) for job in jobs]]
