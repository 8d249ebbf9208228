"""How far a model stands from what is asked of it: "must" and "aim" over the best of the baselines.

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
        required: model minus baseline that is asked for, in the metric's unit; NaN without a baseline.
        model: the model's value.
        best: the best value of the baselines that the target names, all when it names none; None when none
            of them has the metric.
        difference: model minus that baseline, with its paired interval.
        reached: the difference is at least the required one, by direction.
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
        if self.best is None or math.isnan(self.short):
            return f"{title} cannot be compared with a baseline."
        return (
            f"{title} {self.model.value:.4f}, {self.difference.value:+.4f} to {spoken(self.best.model)} "
            f"({self.best.value:.4f}); asked: {self.required:+.4f}: {self.distance}."
        )


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
    best = best_baseline(evaluation, target.metric, target.against)
    sign = 1 if measure.higher_is_better else -1
    if best is None:
        nobody = Difference("all", "", target.metric, math.nan, math.nan, math.nan, "undecided")
        return Standing(measure, math.nan, ours, None, nobody, reached=False, short=math.nan)
    required = target.difference * (best.value if target.relative else 1.0)
    difference = evaluation.difference(target.metric, best.model)
    short = sign * (required - difference.value)
    reached = short <= HAIR
    return Standing(measure, required, ours, best, difference, reached, 0.0 if reached else short)
