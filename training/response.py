"""Campaign response: the probability that a targeted customer answers a campaign while it runs.

Campaigns are those of the source, until there are enough contacts of our own (`training.campaigns.own`). Rows
are (customer, campaign) of campaigns that are over; inputs are the features as of the campaign's start,
the campaign's facts and the customer's past with campaigns (`training.campaigns`). A source has few
campaigns, and from few a strongly shrunk logistic regression often learns more than trees do: the model is a
blend of both, and tuning chooses the share. The horizon of the probability is the length of the campaign
that is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.columns import AS_OF
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting
from training.baselines import logistic
from training.campaigns import blend, inputs, planned
from training.campaigns.campaign import typical
from training.campaigns.campaign_task import CampaignTask
from training.campaigns.contacts import CAMPAIGN_ID
from training.campaigns.examples import ResponseExamples
from training.dataset import Lesson
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.probability import Floats, positives
from training.task import Contributions, Params, Target

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from training.datasets import Snapshots

# Rows whose rate everybody shares before a kind of campaign has a rate of its own.
SHARED_ROWS = 20


class Response(CampaignTask):
    """An answer to a campaign while it runs, `response` with the default labels."""

    name: ClassVar[str] = "response"
    title: ClassVar[str] = "Answer to a campaign while it runs"
    label: ClassVar[str] = "responded"
    explains: ClassVar[str] = "the chance of an answer"
    gate: ClassVar[str | None] = "responded"
    declared: ClassVar[Mapping[str, str]] = inputs.DECLARED
    # A few numbers for a line and a share: more trials would only learn the validation campaigns by heart.
    trials: ClassVar[int | None] = 24
    depth: ClassVar[tuple[int, int]] = (1, 4)
    # 0.822 of the protocol, where logistic regression on kind, past answers and RFM has 0.792.
    musts: ClassVar[tuple[Target, ...]] = (Target("roc_auc", 0.030, ("logistic_rfm",)),)
    aims: ClassVar[tuple[Target, ...]] = (Target("roc_auc", 0.0, ("logistic_all",)),)
    purpose: ClassVar[str] = (
        "Ranks customers by the chance that they answer a planned campaign, to choose whom it targets. It "
        "says who answers when asked, not who buys more because of it."
    )
    limits: ClassVar[tuple[str, ...]] = (
        "It knows targeted customers only: how those answer who were never asked is a guess.",
        "A source has few campaigns: a kind not seen before gets what all kinds have in common.",
        "Own records are of contacts that decisions chose: of whom they never choose they say nothing.",
    )
    first: ClassVar[Params] = {
        "share": 0.2,
        "strength": 0.005,
        "weight": 3.0,
        "size": False,
        "max_depth": 3,
        "rounds": 150,
        "learning_rate": 0.04,
        "min_child_weight": 6.0,
        "subsample": 0.6,
        "colsample_bytree": 0.3,
        "reg_lambda": 10.0,
    }

    def lesson(self, rows: CustomerExamples) -> Lesson:
        """What the trees of the blend read and learn; rows are as of a campaign's start."""
        kinds = _kinds(rows)
        names = (*self.features, *inputs.names(kinds, size=self.first["size"]))
        return Lesson(
            rows.keys(),
            names,
            np.ascontiguousarray(rows.matrix.select(names), dtype=np.float32),
            self.target,
            self.learned(rows),
            self.weights(rows),
            f"Label of {self.name}, 1 or 0: {self.title}, at most {rows.horizon_days} days from its start on",
            rows.horizon_days,
            self.first,
            {
                AS_OF: "First day of the campaign: inputs read what was known before it",
                CAMPAIGN_ID: "Campaign that targeted the customer",
                **inputs.meanings(kinds),
            },
        )

    def space(self, trial: optuna.Trial) -> Params:
        """The trees, the line, and how much each says."""
        return {
            "share": trial.suggest_float("share", 0.0, 1.0, step=0.1),
            "strength": trial.suggest_float("strength", 3e-4, 0.3, log=True),
            "weight": trial.suggest_float("weight", 1.0, 8.0, log=True),
            "size": trial.suggest_categorical("size", [False] if self.records else [False, True]),
            **boosting.space(trial, depth=self.depth, rounds=self.rounds),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the line and the trees, each only if it has a say.

        Raises:
            UserError: every row has the same label.
        """
        rows, answered = _rows(train), positives(train)
        if not len(rows) or answered.all() or not answered.any():
            raise UserError(
                f"response cannot be learned: of {len(rows)} targeted customers of {len(rows.present())} "
                f"campaigns {int(answered.sum())} answered, and both kinds are needed. Check labels.response "
                "of the source and the campaigns' last days, or train as of a later date.",
                ExitCode.BAD_DATA,
            )
        kinds = _kinds(rows)
        known = typical(rows.present())
        usual = max(kinds, key=lambda kind: int((rows.kinds() == kind).sum()), default="")
        names = (*self.features, *inputs.names(kinds, size=params["size"]))
        weight = np.where(np.isin(names, self.features), 1.0, params["weight"])
        boosters, arrays = blend.fit(rows, names, weight, params, seed)
        return Fitted(
            self.name,
            boosters,
            arrays,
            {
                "features": list(self.features),
                "inputs": list(names),
                "declared": dict(self.declared),
                "kinds": kinds,
                "share": float(params["share"]),
                # Of the campaign that an answer is about when none is named.
                "horizon_days": known[usual].days,
                "rhythm": False,
                "rows_as_of": np.unique(rows.matrix.as_of).tolist(),
                "typical": {kind: asdict(one) for kind, one in known.items()},
                "usual": usual,
                "priors": {"probability": float(answered.mean())},
            },
        )

    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """`probability` of an answer, n values.

        Args:
            fitted: the model.
            matrix: features with the inputs of `inputs.planned`; with the features alone, a typical campaign
                of the kind that targeted most is meant, and the past with campaigns counts as unknown.
        """
        return {"probability": blend.probability(fitted, planned.complete(fitted, matrix))}

    @staticmethod
    def stored_inputs(fitted: Fitted, matrix: FeatureMatrix) -> NDArray[np.float32]:
        """Features, then the inputs of a campaign."""
        names = list(fitted.meta["inputs"])
        return np.ascontiguousarray(planned.complete(fitted, matrix).select(names), dtype=np.float32)

    def contributions(self, fitted: Fitted, matrix: FeatureMatrix) -> Contributions:
        """What each input adds to the log-odds."""
        return blend.contributions(fitted, planned.complete(fitted, matrix))

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Rate of the kind; logistic regression on kind, past answers and RFM, and on all inputs."""
        del snapshots
        known, asked, answered = _rows(train), _rows(report), positives(train)
        kinds = _kinds(known)
        few = (*logistic.RFM, *map(inputs.kind_input, kinds), "campaigns_answered")
        columns = {"kind_rate.probability": _kind_rate(known, asked)}
        for name, read in (
            ("logistic_rfm", few),
            # How many an action was shown to is known only after the day it was decided as of.
            ("logistic_all", (*self.features, *inputs.names(kinds, size=not self.records))),
        ):
            fitted = logistic.fit(train.matrix, answered, read)
            columns[f"{name}.probability"] = logistic.probability(fitted, report.matrix, read)
        return report.keys().assign(**self.label_columns(report), **columns)


def _kinds(rows: CustomerExamples) -> list[str]:
    """The kinds of campaign that rows tell apart."""
    return sorted(set(_rows(rows).kinds().tolist()) - {""})


def _rows(rows: CustomerExamples) -> ResponseExamples:
    assert isinstance(rows, ResponseExamples), "rows of this task"
    return rows


def _kind_rate(known: ResponseExamples, asked: ResponseExamples) -> Floats:
    """Share of answers by kind of campaign, shrunk towards the share of all."""
    answered, overall = positives(known), float(positives(known).mean())
    rates = np.full(len(asked), overall)
    for kind in set(asked.kinds().tolist()):
        of = known.kinds() == kind
        rates[asked.kinds() == kind] = (answered[of].sum() + SHARED_ROWS * overall) / (of.sum() + SHARED_ROWS)
    return rates
