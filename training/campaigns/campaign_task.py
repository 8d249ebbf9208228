"""Which campaigns a task about campaigns learns from, and when: those of the source, or contacts of our own.

A cutoff c stands for the campaigns within [c, c + horizon), see `training.campaigns.examples`. Own contacts
are learned from as soon as there are enough to fit on and to report on, instead of the source's campaigns:
they are of what customers will be offered next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from features.columns import AS_OF, CUSTOMER_ID
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import datasets
from training.campaigns import examples, own
from training.campaigns.campaign import Past
from training.campaigns.contacts import CAMPAIGN_ID, Contacts
from training.campaigns.examples import ResponseExamples
from training.probability import Floats, ProbabilityTask
from training.task import Budget, Params, Task

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots


class CampaignTask(ProbabilityTask):
    """A task whose rows are (customer, campaign).

    Args:
        features: that its models read; None: all.
        records: digest of the own contacts that it learns from; empty: it learns from the source's campaigns.
    """

    keys: ClassVar[tuple[str, ...]] = (CUSTOMER_ID, AS_OF, CAMPAIGN_ID)
    asks_alike: ClassVar[bool] = True

    def __init__(self, features: Sequence[str] | None = None, records: str = "") -> None:
        super().__init__(features)
        self.records = records

    def options(self) -> Params:
        """The features, when they are not all, and the own contacts, if it learns from them."""
        return {**super().options(), **({"records": self.records} if self.records else {})}

    def definition(self, labels: LabelDefinitions) -> Params:
        """Without how many own records are enough: that says where to learn from, not what an answer is."""
        enough = {"own_contacts", "own_answers"}
        return {name: said for name, said in super().definition(labels).items() if name not in enough}

    def suited(self, snapshots: Snapshots) -> Self:
        """The task on our own contacts once there are enough, to fit on and to report on."""
        known = own.contacts(snapshots)
        if self.records or known is None or self._lacking(snapshots, known):
            return self
        return type(self)(self.features, own.digest(known))

    def learned_from(self, snapshots: Snapshots) -> str:
        """Which of campaigns and own contacts."""
        known = own.contacts(snapshots)
        if not self.records:
            if known is None:
                return "learned from campaign history: there are no own records."
            why = self._lacking(snapshots, known) or "enough, which it was not asked for"
            return f"learned from campaign history: own records have {why}."
        if known is None or own.digest(known) != self.records:
            raise UserError(
                "response cannot be trained on these own records again: they have changed. Train without "
                "--reproduce, or bring back the records of then.",
                ExitCode.BAD_DATA,
            )
        return own.sentence(snapshots, known, snapshots.labels.response)

    def supersedes(self, champion: Task[Any]) -> str:
        """Own records count more than any campaign history."""
        if not self.records or (isinstance(champion, CampaignTask) and champion.records):
            return ""
        return "it has learned from own records, and the champion from campaign history"

    def _lacking(self, snapshots: Snapshots, known: Contacts) -> str:
        """Why own contacts are not enough, as a clause; empty when they are."""
        if why := own.lacking(snapshots, known):
            return why
        earliest = snapshots.first_day + examples.HISTORY_DAYS
        task, spent = type(self)(self.features, own.digest(known)), Budget(0, 1, own.WINDOWS, 0, 1, 0)
        if task.report_cutoffs(snapshots, earliest, snapshots.until, spent):
            return ""
        return "enough contacts, but no first day of a month with some that are over before and after it"

    def _contacts(self, snapshots: Snapshots) -> Contacts:
        """What is learned from."""
        found = own.contacts(snapshots) if self.records else Contacts.of(snapshots)
        if found is None:
            raise UserError("own records: the workspace keeps none any more.", ExitCode.BAD_DATA)
        return found

    def missing(self, canonical: Canonical) -> str | None:
        """A source without campaigns, contacts or answers, unless our own contacts are learned from."""
        if self.records:
            return None
        absent = [table for table in ("campaigns", "exposures", "responses") if not canonical.has(table)]
        if not absent:
            return None
        return (
            f"the source {canonical.source.name!r} has no {', '.join(absent)}, the tables that say who was "
            "targeted and who answered. Add them to the source and ingest again."
        )

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """The longest campaign that counts, and the span of the campaigns of one report."""
        return 2 * labels.response.own_days if self.records else labels.response.horizon_days

    def stated_days(self, labels: LabelDefinitions) -> None:
        """None: an answer counts while its campaign runs, and campaigns differ in length."""
        del labels

    def history_days(self, labels: LabelDefinitions) -> int:
        """What has to lie before a campaign's start."""
        del labels
        return examples.HISTORY_DAYS

    def late(self, snapshots: Snapshots) -> bool:
        """Answers are reported when they are: rows are few enough to be made again for every day."""
        del snapshots
        return True

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> Any:
        """Everybody known: whom a campaign targets is the business's choice."""
        del labels
        return np.ones(len(matrix), dtype=bool)

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """1 for who answered a campaign that started on the row's as-of, 0 for targeted others, else NaN."""
        rows = self.examples(snapshots, np.unique(matrix.as_of).tolist())
        best: dict[tuple[str, int], float] = {}
        for customer, day, answered in zip(
            rows.matrix.customer_id, rows.matrix.as_of, rows.outcome, strict=True
        ):
            best[customer, day] = max(answered, best.get((customer, day), 0.0))
        keys = zip(matrix.customer_id, matrix.as_of, strict=True)
        return np.array([best.get(key, np.nan) for key in keys], dtype=np.float64)

    def training_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """For each campaign over by `until` the window that ends with it; they are few, so all of them.

        Of our own contacts the latest windows, none of whose days is another's.
        """
        horizon = self.horizon_days(snapshots.labels)
        usable = examples.usable(snapshots, self._contacts(snapshots))
        ends = {past.end for past in usable if past.end <= until}
        if self.records:
            count, step = min(budget.cutoffs, own.WINDOWS), horizon // 2 + 1
            return datasets.cutoffs(earliest, horizon, max(ends, default=0), step_days=step, count=count)
        return tuple(sorted(end - horizon for end in ends))

    def validation_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """First days of months, the latest whose windows ended by `until`, without a campaign in common.

        A fit has seen at least half as many answers as it is asked for: what suits a fit from far fewer is
        not what suits the one that will be used.
        """
        return self._blocks(snapshots, earliest, until, budget.folds, seen=0.5)

    def report_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """The latest first day of a month whose window ended by `until`: one, for campaigns are few."""
        del budget
        return self._blocks(snapshots, earliest, until, 1, seen=0.0)

    def _blocks(
        self, snapshots: Snapshots, earliest: int, until: int, count: int, *, seen: float
    ) -> tuple[int, ...]:
        horizon = self.horizon_days(snapshots.labels)
        usable = examples.usable(snapshots, self._contacts(snapshots))
        days = datasets.report_cutoffs(earliest, horizon, until, count=until)
        chosen, asked = list[int](), set[Past]()
        for day in sorted(days, reverse=True):
            inside = {past for past in usable if past.within([day], horizon)}
            learned, wanted = (
                sum(past.answers for past in pasts)
                for pasts in ((past for past in usable if past.end <= day), inside)
            )
            if inside and learned and learned >= seen * wanted and not inside & asked and len(chosen) < count:
                chosen.append(day)
                asked |= inside
        return tuple(sorted(chosen))

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> ResponseExamples:
        """Targeted customers of the campaigns of each cutoff."""
        return examples.collect(snapshots, cutoffs, self._contacts(snapshots))
