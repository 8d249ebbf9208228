"""What the report says about a model: every metric with its interval, beside the baselines on the same rows.

Values are given per cutoff and for all cutoffs pooled (`ALL`). Differences are model minus baseline with a
paired household-bootstrap interval; "better" and "worse" follow the metric's direction and need an interval
that leaves out zero, of at least `FEWEST` households: those of one or two leave out zero whatever is true.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from features.clock import to_date
from features.columns import AS_OF, CUSTOMER_ID
from training.measuring import bootstrap
from training.measuring.metrics import Measure, Metric, models_in, spoken
from training.measuring.weighted import Floats

ALL = "all"
FEWEST: Final = 6
"""Households behind a verdict: even if all of fewer said the same, that is chance in over one case of 20."""
Word = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Value:
    """One metric of one model.

    Attributes:
        cutoff: ISO date, or "all" for the pooled rows.
        model: "model" or the name of a baseline.
        metric: name of the metric.
        value: NaN when undefined (one class only, no rows).
        low, high: ends of the 95 % interval, NaN when most replicates are undefined.
        rows: how many it is computed from; a metric of lists leaves out who bought nothing.
    """

    cutoff: str
    model: str
    metric: str
    value: float
    low: float
    high: float
    rows: int = 0


@dataclass(frozen=True)
class Difference:
    """One metric of the model minus that of a baseline, on the same rows and the same draws.

    Attributes:
        cutoff: ISO date, or "all".
        baseline: the model that is subtracted.
        metric: name of the metric.
        value: difference in the metric's own unit, not turned by direction.
        low, high: ends of the paired 95 % interval.
        verdict: whether the model is better, by the metric's direction; undecided when the interval has 0, or
            there are fewer households than `FEWEST`.
    """

    cutoff: str
    baseline: str
    metric: str
    value: float
    low: float
    high: float
    verdict: Word


@dataclass(frozen=True)
class Bar:
    """Whether the model reached a baseline that it has to reach.

    Attributes:
        metric: the metric that decides.
        reached: the model's value is at or above the baseline's, by direction; False when undefined.
        model, baseline: their values.
        difference: model minus baseline.
    """

    metric: Measure
    reached: bool
    model: Value
    baseline: Value
    difference: Difference


@dataclass(frozen=True)
class Evaluation:
    """All values and differences of one report frame.

    Attributes:
        metrics: the metrics, in the order of the report.
        models: the models, "ours" first.
        rows: rows per cutoff, "all" first; of those that a metric reads see `Value.rows`.
        households: distinct customers.
        replicates, seed: of the household bootstrap.
        values: one per cutoff, model and metric that applies to the model.
        differences: one per cutoff, baseline and metric that applies to both.
    """

    metrics: tuple[Measure, ...]
    models: tuple[str, ...]
    rows: dict[str, int]
    households: int
    replicates: int
    seed: int
    values: tuple[Value, ...]
    differences: tuple[Difference, ...]

    @property
    def cutoffs(self) -> tuple[str, ...]:
        """The cutoffs as ISO dates, without "all"."""
        return tuple(name for name in self.rows if name != ALL)

    @property
    def baselines(self) -> tuple[str, ...]:
        """The models that ours is compared with."""
        return self.models[1:]

    def metric(self, name: str) -> Measure:
        """The metric of that name. Raises KeyError."""
        return {metric.name: metric for metric in self.metrics}[name]

    def value(self, metric: str, model: str | None = None, cutoff: str = ALL) -> Value:
        """One value; NaN when the metric does not apply to the model. Default: our model, all cutoffs."""
        model = model or self.models[0]
        for each in self.values:
            if (each.cutoff, each.model, each.metric) == (cutoff, model, metric):
                return each
        return Value(cutoff, model, metric, math.nan, math.nan, math.nan)

    def difference(self, metric: str, baseline: str, cutoff: str = ALL) -> Difference:
        """One difference; NaN and undecided when the metric does not apply to both."""
        for each in self.differences:
            if (each.cutoff, each.baseline, each.metric) == (cutoff, baseline, metric):
                return each
        return Difference(cutoff, baseline, metric, math.nan, math.nan, math.nan, "undecided")

    def bars(self, bars: Mapping[str, str]) -> tuple[Bar, ...]:
        """How the model stands at each bar (metric name -> baseline), all cutoffs pooled."""
        return tuple(self._bar(self.metric(metric), baseline) for metric, baseline in bars.items())

    def scope(self, metric: str) -> str:
        """On which rows our model's value of a metric is, in words."""
        return f"{counted(self.value(metric).rows, 'row')} as of {listed(self.cutoffs)}"

    def sentence(self, bar: Bar) -> str:
        """A bar in words: values, difference with its interval, and on which rows."""
        title, d, other = bar.metric.title, bar.difference, spoken(bar.difference.baseline)
        scope = self.scope(bar.metric.name)
        if math.isnan(d.value):
            return f"{title} cannot be compared with {other}: it is undefined on {scope}."
        word, near = ("above", "higher than") if bar.metric.higher_is_better else ("below", "lower than")
        near = near if bar.reached else "worse than"
        chance = f"{near} {other}'s, but the difference may be chance" if d.value else f"equal to {other}'s"
        clear = {"better": f"{word} {other} beyond chance", "worse": f"worse than {other} beyond chance"}
        stand = clear.get(d.verdict, chance)
        return (
            f"{title} is {bar.model.value:.4f} against {bar.baseline.value:.4f}: {stand} (difference "
            f"{d.value:+.4f}, 95 % interval {d.low:+.4f} to {d.high:+.4f}, on {scope})."
        )

    def _bar(self, metric: Measure, baseline: str) -> Bar:
        ours, theirs = self.value(metric.name), self.value(metric.name, baseline)
        difference = self.difference(metric.name, baseline)
        sign = 1 if metric.higher_is_better else -1
        return Bar(metric, sign * (ours.value - theirs.value) >= 0, ours, theirs, difference)

    def beaten_by(self) -> tuple[Difference, ...]:
        """Differences over all cutoffs in which the baseline has the better value, decided or not."""
        return tuple(
            each
            for each in self.differences
            if each.cutoff == ALL
            and (each.value < 0) == self.metric(each.metric).higher_is_better
            and each.value != 0
            and not math.isnan(each.value)
        )

    def to_pandas(self) -> pd.DataFrame:
        """Values as a frame: cutoff, model, metric, value, low, high."""
        return _frame(Value, self.values)

    def differences_to_pandas(self) -> pd.DataFrame:
        """Differences as a frame: cutoff, baseline, metric, value, low, high, verdict."""
        return _frame(Difference, self.differences)

    def flat(self) -> dict[str, float]:
        """Finite numbers under MLflow names.

        The model over all cutoffs is `roc_auc` (and `roc_auc.low`, `.high`), at one cutoff
        `cutoff/2017-11-01/roc_auc`; a baseline is `baseline/<name>/roc_auc`, a difference
        `minus/<name>/roc_auc` with `.low` and `.high`.
        """
        flat: dict[str, float] = {}
        for v in self.values:
            where = "" if v.cutoff == ALL else f"cutoff/{v.cutoff}/"
            who = "" if v.model == self.models[0] else f"baseline/{v.model}/"
            _put(flat, f"{where}{who}{v.metric}", v, interval=v.cutoff == ALL)
        for d in self.differences:
            if d.cutoff == ALL:
                _put(flat, f"minus/{d.baseline}/{d.metric}", d, interval=True)
        return flat


def evaluate(
    frame: pd.DataFrame,
    models: Sequence[str] | None = None,
    metrics: Sequence[Metric] = (),
    replicates: int = 500,
    seed: int = 0,
) -> Evaluation:
    """Compute every metric of every model with its interval, and the model's difference to each baseline.

    Args:
        frame: report frame (`training.measuring.metrics`).
        models: ours first, then the baselines; None: all in the frame.
        metrics: the metrics, in the order of the report.
        replicates: household-bootstrap replicates.
        seed: seed of the draws; they do not depend on the order of rows.
    """
    models = tuple(models or models_in(frame))
    codes, households = bootstrap.household_codes(frame[CUSTOMER_ID])
    draws = bootstrap.draw(households, replicates, seed)
    days = np.unique(frame[AS_OF])
    cutoffs = {ALL: np.ones(len(frame), dtype=bool)}
    cutoffs |= {cutoff_name(day): frame[AS_OF].to_numpy() == day for day in days}
    values: list[Value] = []
    differences: list[Difference] = []
    for cutoff, mask in cutoffs.items():
        rows = frame[mask]
        pairs = [(metric, model) for metric in metrics for model in models if metric.reads(rows, model)]
        statistics = [metric.statistic(rows, model) for metric, model in pairs]
        ones = np.ones((1, len(rows)))
        points = [float(statistic(ones)[0]) for statistic in statistics]
        drawn = bootstrap.replicate(statistics, draws, codes[mask])
        known = {
            (metric.name, model): (point, replicate)
            for (metric, model), point, replicate in zip(pairs, points, drawn, strict=True)
        }
        values += [
            Value(
                cutoff,
                model,
                metric.name,
                point,
                *bootstrap.interval(replicate),
                rows=int(metric.counts(rows, model).sum()),
            )
            for (metric, model), point, replicate in zip(pairs, points, drawn, strict=True)
        ]
        differences += [
            _difference(
                cutoff,
                metric,
                baseline,
                known[metric.name, models[0]],
                known[metric.name, baseline],
                households=len(np.unique(codes[mask][metric.counts(rows, models[0])])),
            )
            for metric in metrics
            for baseline in models[1:]
            if (metric.name, models[0]) in known and (metric.name, baseline) in known
        ]
    return Evaluation(
        metrics=tuple(metric.measure for metric in metrics),
        models=models,
        rows={cutoff: int(mask.sum()) for cutoff, mask in cutoffs.items()},
        households=households,
        replicates=replicates,
        seed=seed,
        values=tuple(values),
        differences=tuple(differences),
    )


def counted(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names as a phrase: a, b and c."""
    return f" {word} ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def cutoff_name(as_of: Any) -> str:
    """ISO date of a cutoff given as a day number."""
    return to_date(int(as_of)).isoformat()


def _difference(
    cutoff: str,
    metric: Measure,
    baseline: str,
    ours: tuple[float, Floats],
    theirs: tuple[float, Floats],
    *,
    households: int,
) -> Difference:
    low, high = bootstrap.interval(ours[1] - theirs[1])
    verdict: Word = "undecided"
    if households >= FEWEST and (low > 0 or high < 0):
        verdict = "better" if (low > 0) == metric.higher_is_better else "worse"
    return Difference(cutoff, baseline, metric.name, ours[0] - theirs[0], low, high, verdict)


def _frame(kind: type[Value | Difference], items: Sequence[Value | Difference]) -> pd.DataFrame:
    names = [field.name for field in dataclasses.fields(kind)]
    return pd.DataFrame([dataclasses.asdict(item) for item in items], columns=names)


def _put(flat: dict[str, float], name: str, item: Value | Difference, *, interval: bool) -> None:
    ends = {".low": item.low, ".high": item.high} if interval else {}
    for suffix, number in {"": item.value, **ends}.items():
        if math.isfinite(number):
            flat[name + suffix] = number
