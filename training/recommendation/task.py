"""The training task: rank the items of each customer by the probability of a purchase within the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from features.canonical import Canonical
from features.columns import AS_OF
from features.errors import ExitCode, UserError
from features.labels import LabelDefinitions
from training import boosting
from training.baselines import personal_frequency, popularity
from training.fitted import Fitted
from training.metrics import Metric, list_metrics
from training.recommendation import ranker
from training.recommendation.examples import Block, Collector, RankingExamples
from training.recommendation.inputs import INPUTS
from training.recommendation.ledger import Ledger
from training.recommendation.recommender import BOOSTER, NAME
from training.task import Params, Task

if TYPE_CHECKING:
    import optuna

    from training.datasets import Snapshots

HISTORY_DAYS = 91
NEW_WEIGHT = 2.0


class Recommendation(Task[RankingExamples]):
    """Which items a customer buys within the horizon, of all and of those never bought before."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "Items bought within the horizon"
    primary: ClassVar[str] = "ndcg10_b_all"
    bars: ClassVar[dict[str, str]] = {"ndcg10_b_all": "personal_frequency", "ndcg10_b_new": "popularity"}
    first: ClassVar[Params] = {
        "max_depth": 6,
        "rounds": 120,
        "learning_rate": 0.08,
        "min_child_weight": 10.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "reg_lambda": 10.0,
        "sample_rows": 300_000,
    }

    def __init__(self) -> None:
        self._collectors: dict[Path, Collector] = {}

    def missing(self, canonical: Canonical) -> str | None:
        """The source has to say which products were bought."""
        with canonical.connect() as connection:
            row = connection.execute("SELECT count(product_id) FROM transactions").fetchone()
        if row and row[0]:
            return None
        return "recommendation needs product_id in transactions, and this source has none."

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Days after the cutoff in which a purchase counts."""
        return labels.recommendation.horizon_days

    def history_days(self, labels: LabelDefinitions) -> int:
        """Thirteen weeks, so that habits and popularity have something to show."""
        return max(HISTORY_DAYS, labels.recommendation.horizon_days)

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> RankingExamples:
        """Candidates of the customers with enough baskets at each cutoff."""
        return self._collector(snapshots).examples(cutoffs)

    def space(self, trial: optuna.Trial) -> Params:
        """Trees; the number of rows learned from is fixed."""
        return {
            **boosting.space(trial, depth=(4, 8), rounds=(60, 180)),
            "sample_rows": self.first["sample_rows"],
        }

    def fit(self, train: RankingExamples, params: Params, seed: int) -> Fitted:
        """Fit the ranker, and give it the assortment as of the end of the last window.

        Raises:
            UserError: there is nothing to learn from.
        """
        if not train.cutoffs:
            raise UserError(
                "recommendation cannot be learned: no training cutoff has history.", ExitCode.BAD_DATA
            )
        booster = ranker.train(train.training, params, seed)
        horizon = train.collector.ledger.labels.recommendation.horizon_days
        assortment = train.collector.assortment(train.cutoffs[-1] + horizon)
        return Fitted(
            self.name,
            {BOOSTER: booster},
            assortment.arrays(),
            {
                "features": list(INPUTS),
                "horizon_days": horizon,
                "priors": {"probability": float(assortment.items.prior.max(initial=0.0))},
            },
        )

    def loss(self, fitted: Fitted, validation: RankingExamples) -> float:
        """1 - NDCG@10 of all items - 2 x NDCG@10 of new ones, target B: the second is far smaller."""
        frame = self.rows(fitted, validation)
        if frame.empty:
            return float("nan")
        kinds = {kind: float(frame[f"model.ndcg10_b_{kind}"].mean()) for kind in ("all", "new")}
        return 1.0 - float(np.nansum([kinds["all"], NEW_WEIGHT * kinds["new"]]))

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """NDCG, recall, precision and hit rate at 10 of both targets and both kinds of list."""
        del labels
        return list_metrics()

    def rows(self, fitted: Fitted, examples: RankingExamples, model: str = "model") -> pd.DataFrame:
        """Quality of each customer's lists; customers who bought nothing in the window are left out."""
        booster = fitted.boosters[BOOSTER]
        frames = [block.report(boosting.predict(booster, block.inputs), model) for block in examples.complete]
        return pd.concat(frames, ignore_index=True)

    def baselines(
        self, snapshots: Snapshots, train: RankingExamples, report: RankingExamples
    ) -> pd.DataFrame:
        """Personal frequency and popularity, for the same customers."""
        del snapshots, train
        return pd.concat(
            [_baselines(block, report.collector) for block in report.complete], ignore_index=True
        )

    def _collector(self, snapshots: Snapshots) -> Collector:
        """The collector of a run; one that has read more serves an earlier as-of, too."""
        folder = snapshots.canonical.folder
        held = self._collectors.get(folder)
        if held is None or held.until < snapshots.until:
            held = Collector(Ledger.read(snapshots), snapshots.until)
            self._collectors = {folder: held}
        return held.cut(snapshots.until)


def _baselines(block: Block, collector: Collector) -> pd.DataFrame:
    personal = personal_frequency.report(block, collector)
    popular = popularity.report(block, collector)
    return personal.merge(popular, on=["customer_id", AS_OF])
