"""The training task: rank the items of each customer by the probability of a purchase within the horizon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from features.canonical import Canonical
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from features.labels import LabelDefinitions
from training import boosting
from training.baselines import ease, item_knn, personal_frequency, popularity, tifuknn
from training.baselines.purchases import Purchases
from training.fitted import Fitted
from training.measuring.metrics import Metric, list_metrics, mean_of
from training.odds import AS_IT_IS
from training.recommendation import blocks, lists, ranker
from training.recommendation.blocks import Block
from training.recommendation.candidates import DEFAULT, checked
from training.recommendation.declarations import DECLARED, INPUTS
from training.recommendation.examples import Collector, RankingExamples
from training.recommendation.ledger import Ledger
from training.recommendation.recommender import NAME
from training.task import Budget, Contributions, Params, Target, Task

if TYPE_CHECKING:
    import optuna

    from training.datasets import Snapshots

HISTORY_DAYS = 91
NEW_WEIGHT = 2.0
# The latest six cutoffs two weeks apart: on windows that ended by 2017-10-31 more of them, back to spring,
# lowered NDCG@10 of new items by 3 %, and four of them by 2 %.
CUTOFFS, STEP_DAYS = 6, 14
EXPLAINED = 2000
# Candidates on which inputs are compared between dates.
COMPARED = 20_000
BASELINES: tuple[Callable[[Purchases], pd.DataFrame], ...] = (
    personal_frequency.report,
    popularity.report,
    tifuknn.report,
    item_knn.report,
    ease.report,
)
KEYS = [CUSTOMER_ID, AS_OF]


def _over_best(*shares: float) -> tuple[Target, ...]:
    """Targets over the best baseline of a report, relative: A all, B all, A new, B new."""
    names = ("ndcg10_a_all", "ndcg10_b_all", "ndcg10_a_new", "ndcg10_b_new")
    return tuple(Target(name, share, relative=True) for name, share in zip(names, shares, strict=True))


class Recommendation(Task[RankingExamples]):
    """Which items a customer buys within the horizon, of all and of those never bought before."""

    name: ClassVar[str] = NAME
    hungry: ClassVar[bool] = True
    title: ClassVar[str] = "Items bought within the horizon"
    primary: ClassVar[str] = "ndcg10_b_all"
    bars: ClassVar[dict[str, str]] = {"ndcg10_b_all": "personal_frequency", "ndcg10_b_new": "ease"}
    musts: ClassVar[tuple[Target, ...]] = _over_best(0.0, 0.025, 0.05, 0.12)
    aims: ClassVar[tuple[Target, ...]] = _over_best(0.04, 0.05, 0.15, 0.25)
    explains: ClassVar[str] = "the chance of a purchase within the horizon"
    purpose: ClassVar[str] = (
        "Ranks the items that a customer may buy next, bought before or not, and gives the probability of "
        "each within the horizon. It says what sells to such customers, not what a suggestion would add."
    )
    first: ClassVar[Params] = {
        "max_depth": 5,
        "rounds": 150,
        "learning_rate": 0.08,
        "min_child_weight": 10.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "reg_lambda": 10.0,
        "new_depth": 3,
        "new_rounds": 80,
        "sample_rows": 420_000,
    }
    limits: ClassVar[tuple[str, ...]] = (
        "Its lists are measured on customers who bought something in the window, its probabilities on all.",
    )
    trials: ClassVar[int | None] = 16
    declared: ClassVar[Mapping[str, str]] = DECLARED
    unmixed: ClassVar[str] = (
        "Random folds are not contrasted with time: the candidates of a date are made for all its customers "
        "at once and cannot be dealt to folds one by one."
    )

    def __init__(self, sources: Sequence[str] = DEFAULT) -> None:
        self.sources = checked(sources)
        self._collectors: dict[Path, Collector] = {}

    def options(self) -> Params:
        """The candidate sources, when not the default ones."""
        return {} if self.sources == DEFAULT else {"sources": list(self.sources)}

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

    def training_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """The latest cutoffs: what is new to a customer known for long is not what was new at first."""
        fewer = replace(
            budget, cutoffs=min(budget.cutoffs, CUTOFFS), step_days=min(budget.step_days, STEP_DAYS)
        )
        return super().training_cutoffs(snapshots, earliest, until, fewer)

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> RankingExamples:
        """Candidates of the customers with enough baskets at each cutoff."""
        return self._collector(snapshots).examples(cutoffs)

    def dataset(self, snapshots: Snapshots, cutoffs: Sequence[int | str] | None = None) -> Any:
        """None: candidates are millions of rows, read cutoff by cutoff.

        Raises:
            UserError: always, with what to use instead.
        """
        del snapshots, cutoffs
        raise UserError(
            f"{self.name} has no data set, for its rows are candidates (a customer and an item): take the "
            "blocks of the task's examples(snapshots, cutoffs).training, each with `inputs` (columns as in "
            "training.recommendation.declarations.INPUTS), `label` and `weight`."
        )

    def space(self, trial: optuna.Trial) -> Params:
        """Trees; those for new items may be others. The number of rows learned from is fixed."""
        return {
            **boosting.space(trial, depth=(4, 7), rounds=(80, 200)),
            "new_depth": trial.suggest_int("new_depth", 3, 6),
            "new_rounds": trial.suggest_int("new_rounds", 60, 200, log=True),
            "sample_rows": self.first["sample_rows"],
        }

    def fit(self, train: RankingExamples, params: Params, seed: int) -> Fitted:
        """Fit the ranker; give it the assortment and what is bought together as of the last window's end.

        Raises:
            UserError: there is nothing to learn from.
        """
        if not train.cutoffs:
            raise UserError(
                "recommendation cannot be learned: no training cutoff has history.", ExitCode.BAD_DATA
            )
        boosters = ranker.train(train.binned(int(params["sample_rows"])), params, seed)
        horizon = train.collector.ledger.labels.recommendation.horizon_days
        end = train.cutoffs[-1] + horizon
        assortment = train.collector.assortment(end)
        return Fitted(
            self.name,
            boosters,
            {**assortment.arrays(), **train.collector.pairs(end).arrays()},
            {
                "features": list(INPUTS),
                "declared": DECLARED,
                "sources": list(self.sources),
                "horizon_days": horizon,
                "priors": {"probability": float(assortment.items.prior.max(initial=0.0))},
            },
        )

    def finish(self, fitted: Fitted, train: RankingExamples, params: Params, seed: int) -> Fitted:
        """Bring the probabilities to what the latest window saw, as rankers fitted before it foretold it."""
        last, horizon = train.cutoffs[-1], int(fitted.meta["horizon_days"])
        before = train.at([day for day in train.cutoffs if day + horizon <= last])
        bought = np.concatenate([np.empty(0, np.bool_), *(block.label for block in before.training)])
        if not ranker.both(bought):
            return fitted
        boosters = ranker.train(before.binned(int(params["sample_rows"])), params, seed)
        line = ranker.line(boosters, train.at([last]).training)
        return replace(fitted, arrays={**fitted.arrays, ranker.LINE: line})

    def loss(self, fitted: Fitted, validation: RankingExamples) -> float:
        """1 - NDCG@10 of all items - 2 x NDCG@10 of new ones, target B: the second is far smaller."""
        frame = _report(fitted, validation.validation, "model")
        kinds = {kind: float(frame[f"model.ndcg10_b_{kind}"].mean()) for kind in ("all", "new")}
        if np.isnan(kinds["all"]):
            return float("nan")
        return 1.0 - float(np.nansum([kinds["all"], NEW_WEIGHT * kinds["new"]]))

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """NDCG, recall, precision and hit rate at 10 of both targets and kinds of list; their variety."""
        del labels
        return (*list_metrics(), *(metric for kind in lists.KINDS for metric in _variety(kind)))

    def rows(self, fitted: Fitted, examples: RankingExamples, model: str = "model") -> pd.DataFrame:
        """Quality of each customer's lists, NaN where nothing was bought in the window; what they promise."""
        return _report(fitted, examples.complete, model)

    def explain(self, fitted: Fitted, examples: RankingExamples) -> Contributions:
        """What each input adds to the log-odds of candidates, EXPLAINED of them."""
        return _contributions(fitted, examples.drawn(EXPLAINED, 0))

    def inputs(self, examples: RankingExamples, seed: int = 0) -> FeatureMatrix | None:
        """A sample of the candidates, as frequent in it as among all; None without any."""
        return blocks.matrix(examples.drawn(COMPARED, seed))

    def sampled(
        self, fitted: Fitted, examples: RankingExamples, limit: int, seed: int
    ) -> tuple[FeatureMatrix, Contributions] | None:
        """Candidates as frequent as among all, and what each input adds to their log-odds; None: no rows."""
        drawn = examples.drawn(limit, seed)
        matrix = blocks.matrix(drawn)
        return None if matrix is None else (matrix, _contributions(fitted, drawn))

    def baselines(
        self, snapshots: Snapshots, train: RankingExamples, report: RankingExamples
    ) -> pd.DataFrame:
        """Lists of personal frequency, popularity, TIFUKNN, item kNN and EASE for the same customers."""
        del snapshots, train
        return pd.concat(
            [_baselines(Purchases.of(block, report.collector)) for block in report.complete],
            ignore_index=True,
        )

    def _collector(self, snapshots: Snapshots) -> Collector:
        """The collector of a run; one that has read more serves an earlier as-of, too."""
        folder = snapshots.canonical.folder
        held = self._collectors.get(folder)
        if held is None or held.until < snapshots.until:
            held = Collector(Ledger.read(snapshots), snapshots.until, self.sources)
            self._collectors = {folder: held}
        return held.cut(snapshots.until)


def _variety(kind: str) -> tuple[Metric, Metric]:
    words = f"in a list of {lists.TOP}, {kind} items"
    return (
        mean_of(f"types{lists.TOP}_{kind}", f"Types@{lists.TOP} {kind}", f"product types {words}"),
        mean_of(
            f"catalogue{lists.TOP}_{kind}",
            f"Catalogue@{lists.TOP} {kind}",
            f"items that some list names, per customer, {words}",
        ),
    )


def _contributions(fitted: Fitted, drawn: Sequence[Block]) -> Contributions:
    found = [ranker.explain(fitted.boosters, block.inputs, block.new) for block in drawn]
    values, base = zip((np.empty((0, len(INPUTS))), np.empty(0)), *found, strict=True)
    return Contributions(INPUTS, np.concatenate(values), np.concatenate(base)).scaled(
        *fitted.arrays.get(ranker.LINE, AS_IT_IS)
    )


def _report(fitted: Fitted, each: Iterable[Block], model: str) -> pd.DataFrame:
    line = fitted.arrays.get(ranker.LINE, AS_IT_IS)
    frames = [
        block.report(ranker.predict(fitted.boosters, block.inputs, block.new, line), model) for block in each
    ]
    return pd.concat(frames, ignore_index=True)


def _baselines(purchases: Purchases) -> pd.DataFrame:
    frames = [report(purchases) for report in BASELINES]
    found = pd.concat([frames[0], *(frame.drop(columns=KEYS) for frame in frames[1:])], axis=1)
    keys = blocks.everybody(purchases.block.truth, purchases.block.cutoff, {})
    return keys.merge(found, on=KEYS, how="left", validate="one_to_one")
