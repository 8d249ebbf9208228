"""How far a model stands from what is asked of it: "must" and "aim" over the best of the baselines, or alone.

The best baseline is the one with the best value on the same rows, so a target gets harder when a baseline
gets better; being above a weak one says little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.measuring.evaluation import Difference, Evaluation, Value
from training.measuring.metrics import Measure, spoken
from training.task import Target

# 0.82 - 0.81 is not 0.01 to the last bit.
HAIR = 1e-12
DIGITS = 4


@dataclass(frozen=True)
class Standing:
    """A target and how the model stands to it.

    Attributes:
        metric: what is measured.
        required: model minus baseline that is asked for, in the metric's unit; where no baseline is asked,
            the value itself; NaN without the baseline.
        model: the model's value.
        best: the best value of the baselines that the target names, all when it names none; None when none
            of them has the metric, or none is asked.
        difference: model minus that baseline, with its paired interval; NaN without one.
        reached: the difference, or the value, is at least the required one, by direction.
        short: what is missing to it, in the metric's unit, 0 when reached; NaN when it cannot be said.
    """

    metric: Measure
    required: float
    model: Value
    best: Value | None
    difference: Difference
    reached: bool
    short: float

    @property
    def distance(self) -> str:
        """`reached`, or what is missing, with as many digits as it takes to be more than zeros."""
        if self.reached:
            return "reached"
        return f"{self.short:.{max(DIGITS, math.ceil(-math.log10(self.short)))}f} short"

    @property
    def sentence(self) -> str:
        """The standing in words."""
        title = self.metric.title
        if math.isnan(self.short):
            return f"{title} cannot be {'told' if self.alone else 'compared with a baseline'}."
        over = ""
        if self.best is not None:
            over = f", {self.difference.value:+.4f} to {spoken(self.best.model)} ({self.best.value:.4f})"
        return f"{title} {self.model.value:.4f}{over}; asked: {self.asked}: {self.distance}."

    @property
    def alone(self) -> bool:
        """Whether no baseline is asked."""
        return self.best is None and not math.isnan(self.required)

    @property
    def asked(self) -> str:
        """What is asked, as a number with its sign, or as a bound."""
        if not self.alone:
            return f"{self.required:+.{DIGITS}f}"
        return f"at {'least' if self.metric.higher_is_better else 'most'} {self.required:.{DIGITS}f}"


def standings(evaluation: Evaluation, targets: Sequence[Target]) -> tuple[Standing, ...]:
    """Every target whose metric the report has, all cutoffs pooled."""
    known = {measure.name for measure in evaluation.metrics}
    return tuple(_standing(evaluation, target) for target in targets if target.metric in known)


def best_baseline(evaluation: Evaluation, metric: str, among: Sequence[str] = ()) -> Value | None:
    """The best value of the baselines, or of some of them; None when none of them has the metric."""
    rivals = [name for name in among or evaluation.baselines if name in evaluation.baselines]
    found = [value for name in rivals if not math.isnan((value := evaluation.value(metric, name)).value)]
    sign = 1 if evaluation.metric(metric).higher_is_better else -1
    return max(found, key=lambda value: sign * value.value, default=None)


def _standing(evaluation: Evaluation, target: Target) -> Standing:
    measure, ours = evaluation.metric(target.metric), evaluation.value(target.metric)
    best = None if target.alone else best_baseline(evaluation, target.metric, target.against)
    sign = 1 if measure.higher_is_better else -1
    difference = Difference("all", "", target.metric, math.nan, math.nan, math.nan, "undecided")
    required = target.difference if target.alone else math.nan
    if best is not None:
        required = target.difference * (best.value if target.relative else 1.0)
        difference = evaluation.difference(target.metric, best.model)
    short = sign * (required - (ours.value if target.alone else difference.value))
    reached = short <= HAIR
    return Standing(measure, required, ours, best, difference, reached, 0.0 if reached else short)
