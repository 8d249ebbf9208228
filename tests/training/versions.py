"""Versions made by hand, whose validation rows are chosen so that every verdict is known.

Of 400 customers every second one churns with a chance of one in two, the others one in ten.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.clock import to_date
from features.workspace import Workspace
from training.fitted import Fitted
from training.registry import flavor, tracking
from training.tasks import declared

from .conftest import AS_OF

CUTOFFS = (AS_OF - 84, AS_OF - 56, AS_OF - 28)
LABELS = np.array([number % 4 == 0 if number % 2 == 0 else number % 20 == 1 for number in range(400)])
_OFTEN = np.arange(400) % 2 == 0
_NOISE = np.random.default_rng(0).normal(size=400)

# Calibrated and as good as can be; calibrated and blind; as good, but for squared probabilities; upside down.
GOOD = np.where(_OFTEN, 0.5, 0.1)
BLIND = np.full(400, 0.3)
SQUARED = GOOD**2
WRONG = 1.0 - GOOD
# Good, but for an order within the two groups that is chance: one a little better for it, one a little worse.
LUCKY = GOOD + 1e-4 * _NOISE
UNLUCKY = GOOD - 1e-4 * _NOISE


def rows(probability: np.ndarray, *cutoffs: int) -> pd.DataFrame:
    """Validation rows of a model with these probabilities."""
    parts = [
        pd.DataFrame(
            {
                "customer_id": [f"c{number:04d}" for number in range(400)],
                "as_of": np.full(400, cutoff, dtype=np.int32),
                "churned": LABELS.astype(np.int8),
                "model.probability": probability,
            }
        )
        for cutoff in cutoffs
    ]
    return pd.concat(parts, ignore_index=True)


def register(  # noqa: PLR0917 - facts of one version
    workspace: Workspace,
    frame: pd.DataFrame | np.ndarray,
    as_of: int = AS_OF,
    fitted: Fitted | None = None,
    warnings: str = "none",
    task: str = "churn",
    labels: Mapping[str, Any] | None = None,
) -> str:
    """A registered version with these validation rows (or probabilities at one cutoff); its run."""
    frame = frame if isinstance(frame, pd.DataFrame) else rows(frame, CUTOFFS[1])
    folder = workspace.root / "made"
    (folder / "choice").mkdir(parents=True)
    frame.to_parquet(folder / tracking.CHOICE)
    made = (fitted or Fitted(task, {})).with_meta(as_of=as_of, declared=dict(declared(task)))
    flavor.save_model(made, folder / tracking.MODEL)
    tags = {
        "task": task,
        "as_of": to_date(as_of),
        "seed": 0,
        "setting": "{}",
        "budget": json.dumps({}),
        "warnings": warnings,
        "labels": json.dumps(labels or {}),
        tracking.DIGEST: made.digest(),
    }
    with tracking.new_run(workspace, task) as run_id:
        metrics = {"roc_auc": 0.7, "roc_auc.low": 0.65, "roc_auc.high": 0.75}
        tracking.log(workspace, run_id, metrics=metrics, params={}, tags=tags)
        tracking.log_folder(workspace, run_id, folder)
    shutil.rmtree(folder)
    flavor.register(workspace, run_id, task)
    return run_id
