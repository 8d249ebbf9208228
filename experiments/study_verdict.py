"""What a study's runs say: every variant against the reference, and whether it may be chance.

On one task and metric, a variant's value m is the mean over the seeds of the metric on all rows (cutoffs
pooled), and its difference d = m(variant) - m(reference) is taken on the same rows. Three things make d
uncertain, and all are in its standard error:

    customers and cutoffs   Both are drawn with replacement, a row counts (draws of its customer) x (draws of
                            its cutoff) times, and every model sees the same draws: the pigeonhole bootstrap,
                            somewhat too wide rather than too narrow (Owen 2007, "The pigeonhole bootstrap").
    seeds                   s^2, the variance between seeds of a variant, pooled over the variants: 2 s^2 / S
                            is added for S seeds. With one seed it is unknown and left out, and that is said.

p = 2 (1 - Phi(|d| / se)). All comparisons of the study are one family: p is corrected by Holm ("A simple
sequentially rejective multiple test procedure", 1979), the wide interval d -+ z(1 - .025 / m) se covers all m
comparisons at once (Bonferroni). Verdicts go by Holm's p below 0.05.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev

import numpy as np
import pandas as pd

from experiments.study_statistics import (
    LEVEL,
    Frames,
    holm,
    p_value,
    pairs_drawn,
    quantile,
    seed_noise,
    side_by_side,
)
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from training.measuring import bootstrap
from training.measuring.evaluation import FEWEST, Word, counted, cutoff_name, listed
from training.measuring.metrics import Measure, Metric

NAMED = 3
"""So many undecided variants are named in a sentence."""


@dataclass(frozen=True)
class Outcome:
    """One variant on one metric.

    Attributes:
        variant: its name.
        value: mean over the seeds, all cutoffs pooled; NaN when undefined.
        by_seed: the value of each seed.
        difference: value minus the reference's, in the metric's own unit; 0 for the reference.
        error: standard error of the difference.
        low, high: ends of its 95 % interval.
        low_all, high_all: ends of the interval that covers all comparisons of the study at once.
        p: chance of a difference as large when there is none; 1 for fewer than `FEWEST` customers.
        p_holm: the same, corrected for the number of comparisons.
        verdict: better or worse than the reference by the metric's direction; None for the reference.
        at: the difference at each cutoff alone, by ISO date.
    """

    variant: str
    value: float
    by_seed: tuple[float, ...]
    difference: float = 0.0
    error: float = 0.0
    low: float = 0.0
    high: float = 0.0
    low_all: float = 0.0
    high_all: float = 0.0
    p: float = 1.0
    p_holm: float = 1.0
    verdict: Word | None = None
    at: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def spread(self) -> float:
        """Standard deviation between seeds; NaN with one seed."""
        return stdev(self.by_seed) if len(self.by_seed) > 1 else math.nan


@dataclass(frozen=True)
class Verdict:
    """All variants on one metric of one task.

    Attributes:
        task: name of the task.
        title: what it predicts, in words.
        metric: what was measured.
        reference: the variant that the others are compared with.
        outcomes: the reference first, then the others as they stand in the study.
        rows: rows that all runs reported on and the metric reads, in all.
        customers: distinct customers among them.
        cutoffs: ISO dates.
        seeds: how many.
        comparisons: of the whole study: what p and the wide intervals are corrected for.
        sentence: which is better, by how much.
    """

    task: str
    title: str
    metric: Measure
    reference: str
    outcomes: tuple[Outcome, ...]
    rows: int
    customers: int
    cutoffs: tuple[str, ...]
    seeds: int
    comparisons: int
    sentence: str

    @property
    def others(self) -> tuple[Outcome, ...]:
        """The variants that are compared."""
        return self.outcomes[1:]

    @property
    def best(self) -> Outcome:
        """The variant of the best value, decided or not; the reference when values are equal."""
        sign = 1 if self.metric.higher_is_better else -1
        known = [outcome for outcome in self.outcomes if not math.isnan(outcome.value)]
        return max(known or self.outcomes, key=lambda outcome: sign * outcome.value)

    def outcome(self, variant: str) -> Outcome:
        """The outcome of that variant. Raises KeyError."""
        return {outcome.variant: outcome for outcome in self.outcomes}[variant]


def judge(
    task: str,
    title: str,
    metrics: Sequence[Metric],
    frames: Frames,
    reference: str,
    *,
    keys: Sequence[str],
    replicates: int,
    seed: int = 0,
) -> list[Verdict]:
    """One verdict per metric, not yet corrected for the number of comparisons: see `corrected`.

    Args:
        task: name of the task.
        title: what it predicts, in words.
        metrics: what to compare.
        frames: report frames of every variant.
        reference: the variant that the others are compared with.
        keys: columns that tell rows apart.
        replicates: of the bootstrap.
        seed: of its draws.

    Raises:
        UserError: the variants share no row, or one of them has no such metric.
    """
    wide, columns = side_by_side(frames, keys)
    codes, draws = pairs_drawn(wide, replicates, seed)
    names = [reference, *(name for name in frames if name != reference)]
    verdicts = []
    for metric in metrics:
        if not metric.reads(wide, columns[reference][0]):
            raise UserError(
                f"task {task} has no {metric.title} of its own model to compare. Name another metric."
            )
        points, drawn, at = {}, {}, {}
        for name in names:
            statistics = [metric.statistic(wide, each) for each in columns[name]]
            points[name] = np.array(
                [float(statistic(np.ones((1, len(wide))))[0]) for statistic in statistics]
            )
            drawn[name] = bootstrap.replicate(statistics, draws, codes).mean(axis=0)
            at[name] = _by_cutoff(metric, wide, columns[name])
        noise = seed_noise([*points.values()])
        read = metric.counts(wide, columns[reference][0])
        outcomes = [Outcome(reference, float(points[reference].mean()), tuple(points[reference].tolist()))]
        for name in names[1:]:
            own = float(np.nanvar(drawn[name] - drawn[reference], ddof=1))
            outcomes.append(
                Outcome(
                    name,
                    float(points[name].mean()),
                    tuple(points[name].tolist()),
                    float(points[name].mean() - points[reference].mean()),
                    math.sqrt(own + noise),
                    at={day: at[name][day] - at[reference][day] for day in at[name]},
                )
            )
        verdicts.append(
            Verdict(
                task=task,
                title=title,
                metric=metric.measure,
                reference=reference,
                outcomes=tuple(outcomes),
                rows=int(read.sum()),
                customers=wide.loc[read, CUSTOMER_ID].nunique(),
                cutoffs=tuple(cutoff_name(day) for day in np.unique(wide[AS_OF])),
                seeds=len(columns[reference]),
                comparisons=len(outcomes) - 1,
                sentence="",
            )
        )
    return verdicts


def corrected(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Intervals, p-values, verdicts and sentences; all comparisons of these verdicts are one family."""
    every = [(verdict, outcome) for verdict in verdicts for outcome in verdict.others]
    p = [
        p_value(outcome.difference, outcome.error) if verdict.customers >= FEWEST else 1.0
        for verdict, outcome in every
    ]
    by_place = iter(zip(p, holm(p), strict=True))
    final = []
    for verdict in verdicts:
        outcomes = [verdict.outcomes[0]]
        for outcome in verdict.others:
            alone, together = next(by_place)
            near, far = (quantile(LEVEL / k) * outcome.error for k in (1, len(every)))
            d = outcome.difference
            outcomes.append(
                dataclasses.replace(
                    outcome,
                    low=d - near,
                    high=d + near,
                    low_all=d - far,
                    high_all=d + far,
                    p=alone,
                    p_holm=together,
                    verdict=_word(d, together, higher_is_better=verdict.metric.higher_is_better),
                )
            )
        whole = dataclasses.replace(verdict, outcomes=tuple(outcomes), comparisons=len(every))
        final.append(dataclasses.replace(whole, sentence=sentence(whole)))
    return tuple(final)


def sentence(verdict: Verdict) -> str:
    """Which variants are better or worse than the reference, by how much, and what cannot be told."""
    parts = []
    for word in ("better", "worse"):
        found = [outcome for outcome in verdict.others if outcome.verdict == word]
        if len(found) == 1:
            parts.append(f"{found[0].variant!r} is {word} by {_amount(found[0])}")
        elif found:
            parts.append(f"{word} are {listed([f'{each.variant!r} by {_amount(each)}' for each in found])}")
    left = [outcome for outcome in verdict.others if outcome.verdict == "undecided"]
    if left:
        reach = max(outcome.high_all - outcome.difference for outcome in left)
        named = listed([repr(outcome.variant) for outcome in left])
        who = f"the {'other ' if parts else ''}{len(left)} variants" if len(left) > NAMED else named
        parts.append(f"{who} cannot be told apart from it: these rows show only what is beyond {reach:.4f}")
    return (
        f"{verdict.metric.title} on {counted(verdict.rows, 'row')} as of {listed(verdict.cutoffs)}, against "
        f"{verdict.reference!r} ({verdict.outcomes[0].value:.4f}): {'; '.join(parts)}."
    )


def _amount(outcome: Outcome) -> str:
    low, high = sorted((abs(outcome.low_all), abs(outcome.high_all)))
    if outcome.low_all <= 0 <= outcome.high_all:
        low = 0.0
    return f"{abs(outcome.difference):.4f} ({low:.4f} to {high:.4f})"


def _word(difference: float, p: float, *, higher_is_better: bool) -> Word:
    if math.isnan(p) or p >= LEVEL:
        return "undecided"
    return "better" if (difference > 0) == higher_is_better else "worse"


def _by_cutoff(metric: Metric, wide: pd.DataFrame, runs: Sequence[str]) -> dict[str, float]:
    """Mean over the seeds at each cutoff alone."""
    parts = {cutoff_name(day): rows for day, rows in wide.groupby(AS_OF)}
    return {day: float(np.mean([metric.compute(rows, run) for run in runs])) for day, rows in parts.items()}
