"""From a training result to what its report and model card say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from features.catalogue import FEATURES
from features.clock import to_date
from features.labels import LabelDefinitions
from training import tasks
from training.campaigns import inputs
from training.measuring.evaluation import counted, evaluate
from training.measuring.metrics import MODEL
from training.reporting import curves, profit, slices
from training.reporting.report_content import HORIZON, LeftOut, ReportContent
from training.reporting.report_tables import moved

if TYPE_CHECKING:
    from training.measuring.evaluation import Evaluation
    from training.measuring.metrics import Metric
    from training.runs import RunResult

CENTS: Final = "_cents"
MAIN: Final = 5
"""Metrics by group at most, one less beside promised and observed rates: more are wider than a page."""


def of(result: RunResult, run_id: str, currency: str) -> ReportContent:
    """Everything that is said about a result.

    Args:
        result: what was trained.
        run_id: MLflow run.
        currency: of the source's amounts.
    """
    task, plan = tasks.named(result.task), result.plan
    metrics, promise = main_metrics(result), curves.promise_in(result.frame, task.gate)
    pair = curves.pair_in(result.frame)
    learned = result.learned_from.removeprefix("learned from ")
    importance = result.explained.importance if result.explained else dict(result.importance)
    return ReportContent(
        task=result.task,
        title=result.title,
        run_id=run_id,
        primary=task.primary,
        bars=task.bars,
        evaluation=result.evaluation,
        frame=result.frame,
        data={
            "as-of": str(to_date(plan.as_of)),
            "choices on windows ended by": str(to_date(plan.choices_until)),
            "validation cutoffs": [str(to_date(day)) for day in plan.folds],
            "report cutoffs": [str(to_date(day)) for day in plan.reports],
            "training cutoffs of the final model": [str(to_date(day)) for day in learned_as_of(result)],
            **horizon(result),
            "rows of the final fit": result.rows,
            **result.noted,
            **({"learned from": learned} if learned else {}),
            **dict(mean(name, rate, currency) for name, rate in result.base_rates.items()),
            "data fingerprint": result.fingerprint,
            "feature declarations": result.fitted.bound().meta["declarations_hash"],
        },
        settings=settings(result),
        features=features(result),
        importance=dict(result.importance),
        trials=[
            {
                "trial": row.number,
                "state": row.state.lower(),
                "loss": row.loss,
                "seconds": row.seconds,
                **row.settings,
            }
            for row in result.tuned.trials
        ],
        warnings=result.warnings,
        musts=task.musts,
        aims=task.aims,
        choice=_choice(result, metrics[0]),
        curve=profit.curve(result.frame, *pair, seed=result.seed) if pair else None,
        currency=currency,
        explained=result.explained,
        slices=slices.measured(
            result.frame,
            result.slices,
            metrics[:-1] if promise and len(metrics) == MAIN else metrics,
            promise=promise,
            replicates=result.budget.replicates,
            seed=result.seed,
        ),
        drift=moved(result.drift, importance),
        contrast=result.contrast,
        left_out=left_out(result),
        seconds=result.seconds,
        purpose=task.purpose,
        limits=task.limits,
        section=task.section,
        gate=task.gate,
        gate_bound=task.gate_bound,
    )


def horizon(result: RunResult) -> dict[str, int | str]:
    """The horizon of the label as a fact about the data, as the task declares it."""
    meta = result.fitted.meta
    days = tasks.named(result.task).stated_days(LabelDefinitions.read(meta["labels"]))
    if days is None:
        own = counted(int(meta["horizon_days"]), "day")
        return {"horizon": f"the length of each campaign; {own} where none is named"}
    return {HORIZON: days}


def mean(name: str, value: float, currency: str) -> tuple[str, float | str]:
    """The mean of a label as a fact about the data; cents as an amount of the currency."""
    if not name.endswith(CENTS) or math.isnan(value):
        return f"mean of {name} in the report", value
    return f"mean of {name.removesuffix(CENTS)} in the report", f"{profit.money(round(value))} {currency}"


def learned_as_of(result: RunResult) -> Sequence[int]:
    """Days as of which the final fit's rows are: its cutoffs, unless the model names others."""
    days: Sequence[int] = result.fitted.meta.get("rows_as_of", result.plan.final)
    return days


def settings(result: RunResult) -> dict[str, Any]:
    """The setting that was chosen, and what was spent on choosing and judging it, whatever was allowed.

    Cutoffs stand among the facts about the data, each with its date.
    """
    minutes = result.budget.minutes
    return {
        **result.params,
        "seed": result.seed,
        "trials": len(result.tuned.trials),
        **({} if minutes is None else {"minutes of tuning at most": minutes}),
        "bootstrap replicates": result.budget.replicates,
    }


def features(result: RunResult) -> dict[str, str]:
    """Inputs of the model, those that no tree uses included, with their meaning."""
    known = {feature.name: feature.meaning for feature in FEATURES}
    known |= inputs.meanings(result.fitted.meta.get("kinds", ())) | dict(tasks.declared(result.task))
    boosters = result.fitted.boosters.values()
    read = [name for booster in boosters for name in booster.feature_names or ()]
    # A model that is all line and no tree says itself what it reads.
    return {name: known.get(name, "") for name in (*read, *result.fitted.meta.get("inputs", ()))}


def left_out(result: RunResult) -> LeftOut:
    """Why the report has no contrast with random folds, and no drift."""
    task, contrast, drift = tasks.named(result.task), "", ""
    if result.contrast is None:
        chosen = result.plan.folds and not result.choice_frame.empty
        nothing = "Random folds are not contrasted with time: this run chose nothing on validation dates."
        contrast = task.unmixed if chosen else nothing
    if not result.drift:
        drift = "Drift is not measured: the latest report date has no rows."
    return LeftOut(contrast, drift)


def main_metrics(result: RunResult) -> tuple[Metric, ...]:
    """The metrics shown by group: the primary one, those of bars and targets, calibration, then others."""
    task = tasks.named(result.task)
    known = {each.name: each for each in task.metrics(LabelDefinitions.read(result.fitted.meta["labels"]))}
    asked = (*task.bars, *(target.metric for target in (*task.musts, *task.aims)))
    names = dict.fromkeys((task.primary, *asked, "calibration_error", *known))
    return tuple(known[name] for name in names if name in known)[:MAIN]


def _choice(result: RunResult, metric: Metric) -> Evaluation | None:
    """The primary metric at the validation cutoffs; None when nothing was chosen there."""
    if result.choice_frame.empty:
        return None
    return evaluate(result.choice_frame, [MODEL], [metric], result.budget.replicates, result.seed)
