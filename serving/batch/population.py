"""The base as of a day, some customers at a time, with all that decisions read: for batch, lint and preview.

Every customer first seen before the as-of is in it, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.life_cycle.portrait import Base
from features.life_cycle.tiers import Assigned
from serving.batch.job import Job
from serving.catalogue.actions import Catalogue
from serving.contacts.history import ContactHistory
from serving.contacts.standing import Standing
from serving.decisions import circumstances
from serving.scoring import scorer, scores
from serving.scoring.products import KINDS
from serving.scoring.scorer import Scores
from training.recommendation.beforehand import Beforehand
from training.recommendation.histories import Histories
from training.recommendation.recommender import Recommendations

CHUNK: Final = 2_000
ITEMS: Final = 10


@dataclass(frozen=True)
class Chunk:
    """Some customers of the base.

    Attributes:
        rows: their positions in the base, rising.
        matrix: their features.
        stage: object[n].
        tiers: tier, and what is missing to the next one.
        scores: what the models say.
        lists: products for each; None without a product model, or when they were not asked for.
        bought: what they bought; None without lists.
        ahead: what is known of each beforehand, where it was wanted.
        standings: what the contact policy knows of them, by the version of the catalogue that names channels.
    """

    rows: NDArray[np.int64]
    matrix: FeatureMatrix
    stage: NDArray[Any]
    tiers: Assigned
    scores: Scores
    lists: Recommendations | None
    bought: Histories | None
    ahead: Sequence[Beforehand | None]
    standings: Mapping[str, Standing]

    def columns(self, catalogue: Catalogue, place: str) -> Mapping[str, NDArray[Any]]:
        """What the expressions of a catalogue's actions at a place read."""
        best_new = np.full(len(self.matrix), np.nan)
        if self.lists is not None:
            top = (self.lists.kind == "new") & (self.lists.rank == 1)
            best_new[self.lists.row[top]] = self.lists.score[top]
        return {
            **self.matrix.columns(),
            **self.scores.columns,
            "new_item_probability": best_new,
            scores.KNOWN: np.ones(len(self.matrix)),
            **circumstances.columns(
                catalogue,
                place,
                int(self.matrix.as_of[0]),
                len(self.matrix),
                stage=self.stage,
                tiers=self.tiers,
                standing=self.standings[catalogue.version],
            ),
        }


@dataclass(frozen=True)
class Population:
    """The base of a job.

    Attributes:
        job: tables, champions and day.
        matrix: features of all customers.
        base: thresholds of tiers, and peers.
        standings: contact history of all customers, by the version of the catalogue that names channels.
    """

    job: Job
    matrix: FeatureMatrix
    base: Base
    standings: Mapping[str, Standing]

    @classmethod
    def open(cls, job: Job, *others: Catalogue) -> Population:
        """Compute what is known of the base on a job's day.

        Args:
            job: what to compute it of.
            others: catalogues to be decided by beside the job's own.
        """
        matrix = offline.compute(job.canonical, [job.as_of])
        catalogues = (job.catalogue, *others)
        names = sorted({action.id for catalogue in catalogues for action in catalogue.actions})
        contacts = ContactHistory.of(job.canonical, names, {}, applier=job.applier, own=job.own)
        customers = matrix.customer_id.tolist()
        standings = {
            each.version: contacts.named(names, each.known_as).standing(customers, job.as_of, live=False)
            for each in catalogues
        }
        return cls(job, matrix, Base.of(job.canonical, job.as_of, matrix), standings)

    def __len__(self) -> int:
        return len(self.matrix)

    def chunks(
        self,
        *,
        products: bool = True,
        kinds: Sequence[str] = KINDS,
        items: int = ITEMS,
        keep: bool = False,
    ) -> Iterator[Chunk]:
        """All customers, `CHUNK` at a time.

        Args:
            products: whether lists are wanted; they take most of the time.
            kinds: which lists.
            items: how long a list is.
            keep: whether what is known beforehand is wanted.
        """
        histories, part = self._histories() if products else None, None
        for first in range(0, len(self.matrix), CHUNK):
            rows = np.arange(first, min(first + CHUNK, len(self.matrix)))
            matrix = self.matrix.take(rows)
            lists, ahead = None, list[Beforehand | None]() if keep else None
            if self.job.recommender is not None and histories is not None:
                part = histories.slice(first, first + len(rows))
                lists = self.job.recommender.lists(part, self.job.as_of, items, kinds, ahead=ahead)
            yield Chunk(
                rows=rows,
                matrix=matrix,
                stage=self.base.stage[rows],
                tiers=self.base.tiers.take(rows),
                scores=scorer.score(self.job.champions, matrix, self.job.canonical.source.labels),
                lists=lists,
                bought=part,
                ahead=ahead or (),
                standings={
                    version: standing.slice(first, first + len(rows))
                    for version, standing in self.standings.items()
                },
            )

    def _histories(self) -> Histories | None:
        if self.job.recommender is None:
            return None
        with closing(self.job.canonical.connect(until=self.job.as_of)) as connection:
            return Histories.read(connection).select(self.matrix.customer_id.tolist())


def reads_products(catalogues: Collection[Catalogue]) -> bool:
    """Whether an action of one of the catalogues reads the product model's score."""
    return any(
        scores.RECOMMENDATION in catalogue.tasks(place)
        for catalogue in catalogues
        for place in catalogue.places
    )
