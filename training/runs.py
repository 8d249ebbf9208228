"""One training run of one task: choose, report, fit, and say what came out.

    choose    trials on validation cutoffs whose windows ended by min(as-of, choices_until)
    fit       with the chosen setting, several at once: at each report cutoff C a refit as of C, on rows no
              choice saw; at each validation cutoff one whose predictions are kept, for promotion is a choice,
              too; and the final model, on all windows that ended by the as-of
    explain   what the final model reads, how its rows differ, what random folds would have said

Every fit as of X, the validation folds' included, reads what was known before X and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.catalogue import catalogue_hash
from features.clock import to_date
from features.errors import ExitCode, UserError
from training import boosting, tuning
from training.datasets import Snapshots
from training.draws import Choice
from training.fits import Contrast, Fits
from training.fitted import Fitted
from training.measuring import gate
from training.measuring.evaluation import Evaluation, evaluate
from training.measuring.metrics import models_in, spoken
from training.phases import Phases
from training.plan import Plan, Rows, lay_out
from training.registry import tracking
from training.reporting import drift, slices
from training.reporting.drift import Drift
from training.reporting.explained import Explained, explain
from training.task import Budget, E, Params, Task
from training.tuning import Fold, TrialRow, Tuned

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunResult:
    """What a training run made.

    Attributes:
        task: name of the task.
        title: what it predicts, in words.
        seed: seed of tuning, fits and intervals.
        budget: what it could spend.
        plan: its cutoffs.
        tuned: the chosen setting and the trials.
        fitted: the final model.
        frame: report rows: keys, labels, predictions of the model and of every baseline.
        choice_frame: the model's rows at the validation cutoffs, which promotion goes by; see `choice_frame`.
        evaluation: metrics of `frame` with intervals.
        importance: (input, share of gain) of the final model's boosters, largest first.
        contrast: what random folds would have said; None where nothing was chosen or rows cannot be mixed.
        explained: what the inputs add to predictions on the latest report rows; None without any.
        slices: stage, tier and store group of each row of `frame`.
        drift: how the inputs of the latest report rows differ from those learned from; empty without rows,
            and for tasks that do not say what their models read.
        base_rates: mean of each label column of `frame`.
        rows: rows of the final fit.
        fingerprint: SHA-256 of the data visible at the as-of.
        catalogue_hash: SHA-256 of the feature declarations.
        calibration: how all probabilities that the model promises stand on `frame`, see `gate.promises`.
        warnings: what a reader must know before trusting the numbers; empty when nothing.
        seconds: wall clock by phase.
        learned_from: which of several sources, as a sentence; empty when there is one only.
        noted: what the task itself has to say in the report, by name.
    """

    task: str
    title: str
    seed: int
    budget: Budget
    plan: Plan
    tuned: Tuned
    fitted: Fitted
    frame: pd.DataFrame
    choice_frame: pd.DataFrame
    evaluation: Evaluation
    importance: list[tuple[str, float]]
    contrast: Contrast | None
    explained: Explained | None
    slices: pd.DataFrame
    drift: tuple[Drift, ...]
    base_rates: dict[str, float]
    rows: int
    fingerprint: str
    catalogue_hash: str
    calibration: dict[str, gate.Gate]
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    learned_from: str = ""
    noted: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def params(self) -> Params:
        """The chosen setting."""
        return self.tuned.params

    @property
    def numbers(self) -> dict[str, float]:
        """The report's numbers, and those of its calibration, under MLflow names."""
        return {**self.evaluation.flat(), **gate.flat(self.calibration)}


def run(
    task: Task[E],
    snapshots: Snapshots,
    budget: Budget,
    seed: int,
    storage: str,
    *,
    setting: Params | None = None,
    choices_until: int | None = None,
    reports: Sequence[int] | None = None,
    workers: int | None = None,
    say: Say = lambda _: None,
    trial_done: Callable[[TrialRow], None] = lambda _: None,
) -> RunResult:
    """Train a task as of `snapshots.until`.

    Args:
        task: what to train.
        snapshots: the tables as of the run.
        budget: what it may spend.
        seed: of sampler, fits and bootstrap.
        storage: URL of the Optuna storage.
        setting: use this setting instead of choosing one (to reproduce a run).
        choices_until: a day before which choices end, earlier than the source's.
        reports: report cutoffs; None: the task's own.
        workers: fits at once; None: one per core, at most four.
        say: told what the run is doing.
        trial_done: told of each finished trial.

    Raises:
        UserError: the data cannot support the task as of this day.
    """
    refusal = task.missing(snapshots.canonical)
    if refusal is not None:
        raise UserError(f"{task.name} cannot be trained: {refusal}", ExitCode.BAD_DATA)
    learned = task.learned_from(snapshots)
    phases = Phases(say)
    layout = lay_out(task, snapshots, budget, choices_until=choices_until, reports=reports)
    rows = Rows(task, snapshots, layout, budget)
    phases.start("fingerprint", f"{task.name}: fingerprint of the data")
    fingerprint = snapshots.fingerprint
    choices = setting is None
    phases.start("examples", f"{task.name}: data sets of {len(rows.cutoffs(choices=choices))} cutoffs")
    rows.prepare(choices=choices)
    workers = workers or min(4, os.cpu_count() or 1)
    trials = min(budget.trials, task.trials or budget.trials)
    phases.start("tuning", f"{task.name}: {trials} trials on {len(layout.folds)} validation cutoffs")
    if setting is not None:
        tuned = Tuned(setting, float("nan"), (), 0, "")
    elif not layout.folds:
        tuned = tuning.untuned(task, seed)
    else:
        tuned = tuning.tune(
            task,
            [Fold(day, rows.train(day), rows.at(day, layout.choices_until)) for day in layout.folds],
            _choice(snapshots, task, layout, budget, seed),
            trials=trials,
            seed=seed,
            storage=storage,
            workers=workers,
            minutes=budget.minutes,
            done=trial_done,
        )
    phases.start(
        "fit", f"{task.name}: fits for the report on {', '.join(_dates(layout.reports))}, and the last"
    )
    fits = Fits(task, rows, layout, tuned.params, seed, workers)
    frame, chosen, fitted = fits.run(choices=choices)
    fitted = fitted.with_meta(
        as_of=layout.as_of,
        catalogue_hash=catalogue_hash(),
        data_fingerprint=fingerprint,
        labels=snapshots.labels.plain(),
        params=tuned.params,
        options=task.options(),
        seed=seed,
    )
    phases.start("report", f"{task.name}: intervals")
    metrics = task.metrics(snapshots.labels)
    evaluation = evaluate(frame, models_in(frame), metrics, budget.replicates, seed)
    phases.start("explain", f"{task.name}: what the model reads, and on whom")
    train, latest = rows.train(layout.as_of), rows.at(layout.reports[-1], layout.as_of)
    explained = explain(task, fitted, latest, seed=seed)
    then, now = (task.inputs(part, seed) if explained else None for part in (train, latest))
    differs = drift.between(then, now) if then and now else []
    contrast = fits.contrast(chosen, snapshots.labels) if choices else None
    sliced = slices.of(snapshots, frame[["customer_id", "as_of"]])
    phases.stop()
    warnings = _warnings(task, layout, tuned, evaluation)
    if tuned.trials and len(tuned.trials) < trials:
        warnings.append(f"the limit by the clock ended tuning after {len(tuned.trials)} of {trials} trials.")
    labels = [name for name in frame.columns if "." not in name and name not in task.keys]
    calibration = gate.promises(task.gate, frame, longest=layout.horizon_days, let_be=task.gate_bound)
    return RunResult(
        task=task.name,
        title=task.title,
        seed=seed,
        budget=budget,
        plan=layout,
        tuned=tuned,
        fitted=fitted,
        frame=frame,
        choice_frame=chosen,
        evaluation=evaluation,
        importance=[item for booster in fitted.boosters.values() for item in boosting.importance(booster)],
        contrast=contrast,
        explained=explained,
        slices=sliced,
        drift=tuple(differs),
        base_rates={name: float(frame[name].mean()) for name in labels},
        rows=len(train),
        fingerprint=fingerprint,
        catalogue_hash=catalogue_hash(),
        calibration=calibration,
        warnings=(*_uncalibrated(calibration), *warnings),
        seconds=phases.seconds,
        learned_from=learned,
        noted=task.noted(snapshots, explained.contributions, explained.values) if explained else {},
    )


def check_same_inputs(snapshots: Snapshots, info: tracking.RunInfo) -> None:
    """Refuse to reproduce a run on other data, labels or features.

    Raises:
        UserError: what the run learnt from, as of its day, is not what is there now.
    """
    for name, then in (("labels", snapshots.labels.plain()), ("catalogue_hash", catalogue_hash())):
        if info.tags.get(name) != (then if isinstance(then, str) else json.dumps(then, sort_keys=True)):
            what = {"labels": "label definitions", "catalogue_hash": "feature declarations"}[name]
            raise UserError(
                f"run {info.run_id} cannot be reproduced: the {what} are not those it was trained on. "
                "Bring them back, or train again.",
                ExitCode.BAD_DATA,
            )
    now, then = snapshots.fingerprint, info.tags["data_fingerprint"]
    if now != then:
        raise UserError(
            f"run {info.run_id} cannot be reproduced: the data before {to_date(info.as_of)} are not those it "
            f"saw (fingerprint {now[:12]}, then {then[:12]}). Ingest the same tables into this workspace.",
            ExitCode.BAD_DATA,
        )


def _choice(snapshots: Snapshots, task: Task[Any], layout: Plan, budget: Budget, seed: int) -> Choice:
    """What is chosen for; asked for again, it goes on.

    The same choice is one of the same task on the same data, labels, features, cutoffs, code and seed.
    """
    facts = {
        "data": snapshots.fingerprint,
        "labels": snapshots.labels.plain(),
        "features": catalogue_hash(),
        "code": tracking.code_version(),
        "options": task.options(),
        "plan": dataclasses.asdict(layout),
        "cutoffs": [budget.step_days, budget.cutoffs],
        "seed": seed,
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    name = f"{task.name}-{to_date(layout.as_of)}-{key[:16]}"
    return Choice(name, task.name, task.options(), layout.as_of, layout.choices_until)


def _warnings(task: Task[Any], layout: Plan, tuned: Tuned, evaluation: Evaluation) -> list[str]:
    found = []
    if layout.overlaps:
        found.append(
            "settings were chosen on windows that overlap this report, so its numbers are somewhat too kind: "
            f"choices end on {to_date(layout.choices_until)}, report cutoffs from then on are kept apart. "
            "Set `choices_until` in the source, or train as of a later date."
        )
    if not layout.folds and not tuned.study:
        found.append(
            f"no label window fits between the history needed and {to_date(layout.choices_until)}, where "
            "choices end: nothing was tuned and the default setting was used."
        )
    found += [evaluation.sentence(bar) for bar in evaluation.bars(task.bars) if not bar.reached]
    title = evaluation.metric(task.primary).title
    for each in evaluation.beaten_by():
        if each.metric == task.primary and each.baseline != task.bars.get(task.primary):
            theirs = evaluation.value(task.primary, each.baseline).value
            found.append(f"{spoken(each.baseline)} has the better {title}: {theirs:.4f}.")
    return found


def _uncalibrated(calibration: dict[str, gate.Gate]) -> list[str]:
    return [
        f"the probabilities{what} are out of calibration on the report: the error is {each.error:.4f}, above "
        f"the {each.bound:.4f} it may be. Do not multiply them by money as they are."
        for what, each in calibration.items()
        if not each.passed
    ]


def _dates(days: Sequence[int]) -> list[str]:
    return [to_date(day).isoformat() for day in days]
