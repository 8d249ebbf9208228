"""What a training report and a model card say, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.measuring.evaluation import Evaluation
from training.reporting.drift import Drift
from training.reporting.explained import Explained
from training.reporting.profit import Curve
from training.reporting.slices import Slice
from training.task import Target

if TYPE_CHECKING:
    from training.fits import Contrast

HORIZON = "horizon in days"
"""Name of the fact in `ReportContent.data` that the title states."""


@dataclass(frozen=True)
class LeftOut:
    """Why a part of the page is not there, a sentence each; empty where it is there, or needs no word."""

    contrast: str = ""
    drift: str = ""


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page.

    Attributes:
        task: name of the task.
        title: what is predicted, in words.
        run_id: MLflow run.
        primary: name of the metric that decides.
        bars: metric name -> baseline that the model has to reach.
        evaluation: values and differences.
        frame: the report frame behind them, for the pictures.
        data: facts about the data in the order shown: as-of, choices until, cutoffs, fingerprint, rows, ...
        settings: the setting that was chosen, seed, what was spent.
        features: inputs of the model with their meaning; empty meaning where there is none.
        importance: gain by feature; empty when the model has none.
        trials: tuning trials, one mapping per trial with the same keys; empty when not tuned.
        warnings: sentences.
        musts, aims: what is asked over baselines.
        choice: the primary metric at the validation cutoffs; None when nothing was chosen.
        curve: positives by depth of targeting; None when no probability of one thing is predicted.
        currency: of the source's amounts.
        explained: contributions of the inputs on sampled rows; None when there are none.
        slices: the main metrics by stage, tier and store group.
        drift: of the most important inputs, in that order; empty without rows.
        contrast: what random folds would have said.
        left_out: why `contrast` or `drift` has nothing, as a sentence.
        seconds: wall clock by phase.
        purpose: what the predictions are for.
        limits: what a reader has to know before using them.
        section: of the label definitions; empty: it is named like the task.
        gate, gate_bound: label column of the model's probability, and the error let be, see `Task`.
    """

    task: str
    title: str
    run_id: str
    primary: str
    bars: Mapping[str, str]
    evaluation: Evaluation
    frame: pd.DataFrame
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    features: Mapping[str, str]
    importance: Mapping[str, float] = field(default_factory=dict)
    trials: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()
    musts: Sequence[Target] = ()
    aims: Sequence[Target] = ()
    choice: Evaluation | None = None
    curve: Curve | None = None
    currency: str = ""
    explained: Explained | None = None
    slices: Sequence[Slice] = ()
    drift: Sequence[Drift] = ()
    contrast: Contrast | None = None
    left_out: LeftOut = LeftOut()
    seconds: Mapping[str, float] = field(default_factory=dict)
    purpose: str = ""
    limits: Sequence[str] = ()
    section: str = ""
    gate: str | None = None
    gate_bound: float = 0.0
