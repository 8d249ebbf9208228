"""The nightly batch: scores, products and actions of the whole base as Parquet, by the service's own code.

Every customer first seen before the as-of has a row in `scores.parquet`. Only what was known before the as-of
is read, so that tables cut at it give the same bytes, the manifest's times apart. Actions are decided once
the whole base has been scored, for what is scarce is shared out among all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import clock
from features.json_file import write_json
from features.output import progress
from features.workspace import Workspace
from serving.answering import insights
from serving.batch import allocation
from serving.batch import decisions as batch_decisions
from serving.batch.job import KIND, BatchReport, Job, Tallies, by_count, manifest, open_job
from serving.batch.population import Chunk, Population
from serving.contacts.standing import Standing
from serving.decisions import arbitration as decisions
from serving.decisions.capacity import Bars
from serving.decisions.decided import Decisions
from serving.decisions.offers import Offers
from serving.publishing import MANIFEST, publish
from serving.records import batches as batch_records
from serving.scoring import kept, kept_items, scorer
from training.segments import potential

_ORIGIN = (("basis", pa.string()), ("own_weight", pa.float64()), ("parent", pa.string()))
SCHEMAS: dict[str, pa.Schema] = {
    "scores": pa.schema(
        [
            ("customer_id", pa.string()),
            ("as_of", pa.date32()),
            ("stage", pa.string()),
            ("tier", pa.string()),
            ("next_tier_distance_cents", pa.int64()),
            *((name, pa.float64()) for name in scorer.NUMBERS),
            ("churn_reason", pa.string()),
            ("potential_cents", pa.int64()),
            ("status", pa.string()),
            *((f"{task}_{name}", kind) for task in scorer.SHRUNK for name, kind in _ORIGIN),
            (kept.KEY, pa.string()),
        ]
    ),
    "recommendations": pa.schema(
        [
            ("customer_id", pa.string()),
            ("product_id", pa.string()),
            ("rank", pa.int32()),
            ("score", pa.float64()),
            ("kind", pa.string()),
        ]
    ),
    "actions": batch_decisions.ACTIONS,
    "decisions": batch_records.parquet_schema(),
}


def lost(folder: Path) -> list[str]:
    """The files of a published output that are not there any more."""
    return [f"{name}.parquet" for name in SCHEMAS if not (folder / f"{name}.parquet").exists()]


def score(
    workspace: Workspace,
    *,
    as_of: str | None = None,
    out: Path | None = None,
    places: Sequence[str] = (),
    actions_file: Path | None = None,
    allow_future_model: bool = False,
) -> BatchReport:
    """Score the base and publish the result.

    Args:
        workspace: tables, champions and, by default, the output.
        as_of: ISO date; default the workspace's clock.
        out: folder to publish; default the workspace's `scores`.
        places: places to decide for; default the catalogue's.
        actions_file: catalogue instead of the workspace's.
        allow_future_model: use champions that were trained after the as-of, and mark the manifest.

    Raises:
        UserError: something is not built, a setting is not valid, or the output is somebody else's folder.
    """
    started = datetime.now(UTC)
    clocked = time.perf_counter()
    job = open_job(workspace, as_of, places, actions_file, allow_future=allow_future_model)
    target = out or workspace.scores
    with publish(target, KIND) as folder:
        tallies = _write(job, folder)
        seconds = time.perf_counter() - clocked
        report = BatchReport(
            out=target,
            as_of=str(clock.to_date(job.as_of)),
            customers=tallies.rows["scores"],
            rows=dict(tallies.rows),
            actions={place: by_count(counter) for place, counter in tallies.best.items()},
            status=by_count(tallies.status),
            seconds=seconds,
            customers_per_second=tallies.rows["scores"] / seconds,
            degraded=[*job.missing, *job.champions.missing.values(), *tallies.unknown],
        )
        write_json(folder / MANIFEST, manifest(job, report, started, tallies.bars))
    batch_records.keep(workspace, target / batch_records.FILE, clock.to_date(job.as_of))
    return report


def _write(job: Job, folder: Path) -> Tallies:
    """The Parquet files, chunk by chunk."""
    tallies = Tallies(job.places)
    population = Population.open(job)
    room = potential.of(population.base).potential_cents
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            )
            for name, schema in SCHEMAS.items()
        }
        known = stack.enter_context(pa.ipc.new_file(folder / kept_items.FILE, kept_items.SCHEMA))
        bar = stack.enter_context(progress())
        task = bar.add_task("scoring customers", total=len(population))
        scored: list[_Scored] = []
        for chunk in population.chunks(keep=True):
            for name, found in _chunk(job, chunk, room[chunk.rows], tallies):
                writers[name].write_table(found)
                tallies.rows[name] += len(found)
            if job.recommender is not None and chunk.bought is not None:
                known.write(kept_items.rows(job.recommender, job.as_of, chunk.bought, chunk.ahead))
            scored.append(_Scored.of(job, chunk))
            bar.advance(task, len(chunk.rows))
        tallies.bars = _bars(job, scored, population.standings[job.catalogue.version])
        for part in scored:
            for name, found in _decisions(job, part, tallies):
                writers[name].write_table(found)
                tallies.rows[name] += len(found)
    return tallies


@dataclass(frozen=True)
class _Scored:
    """What the decisions about n customers read, kept until everybody has been scored.

    Attributes:
        customers: ids, object[n].
        columns: by place, what its expressions read.
        standing: what the contact policy knows of them.
    """

    customers: NDArray[Any]
    columns: Mapping[str, Mapping[str, NDArray[Any]]]
    standing: Standing

    @classmethod
    def of(cls, job: Job, chunk: Chunk) -> _Scored:
        read = {}
        for place in job.places:
            columns = chunk.columns(job.catalogue, place)
            # Copies: a view would keep all features of everybody.
            read[place] = {name: columns[name].copy() for name in Offers.at(job.catalogue, place).reads}
        return cls(chunk.matrix.customer_id, read, chunk.standings[job.catalogue.version])

    def decide(self, job: Job, place: str, bars: Bars | None = None) -> Decisions:
        return decisions.decide(
            job.catalogue,
            place,
            self.columns[place],
            customers=self.customers,
            as_of=job.as_of,
            standing=self.standing,
            effects=job.effects.at(job.as_of),
            zone=job.canonical.source.zone,
            bars=bars,
            models=job.champions.numbers,
        )


def _bars(job: Job, scored: Sequence[_Scored], standing: Standing) -> Bars:
    """How actions of which there are too few are shared out among all."""
    offers = [Offers.at(job.catalogue, place) for place in job.places]
    room = allocation.remaining(offers, standing)
    limited = [each.place for each in offers if each.terms.capacities]
    asked = [allocation.Asked.of(part.decide(job, place), job.as_of) for place in limited for part in scored]
    actions = allocation.bars(asked, room)
    return Bars(job.catalogue.version, job.as_of, job.places, actions, job.measured, job.champions.numbers)


def _decisions(job: Job, part: _Scored, tallies: Tallies) -> Iterator[tuple[str, pa.Table]]:
    """What is decided for some customers at each place, and its record."""
    for place in job.places:
        decided = part.decide(job, place, tallies.bars)
        tallies.decided(decided)
        ids = batch_decisions.decision_ids(decided, job.settings)
        yield "actions", batch_decisions.actions(job, decided, ids)
        yield "decisions", batch_decisions.records(job, decided, ids)


def _chunk(
    job: Job, chunk: Chunk, room: NDArray[np.int64], tallies: Tallies
) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each file for some customers, given what is within their reach."""
    tallies.status.update(chunk.scores.status().tolist())
    yield "scores", _scores(job, chunk, room)
    customers, lists = chunk.matrix.customer_id, chunk.lists
    if lists is not None:
        yield (
            "recommendations",
            pa.table(
                [customers[lists.row], lists.product_id, lists.rank, lists.score, lists.kind],
                schema=SCHEMAS["recommendations"],
            ),
        )


def _scores(job: Job, chunk: Chunk, room: NDArray[np.int64]) -> pa.Table:
    """What the models say, and where each customer stands."""
    matrix, found = chunk.matrix, chunk.scores
    dates = pa.array(matrix.as_of, pa.int32()).cast(pa.date32())
    stands = [chunk.stage, chunk.tiers.tier, _nullable(chunk.tiers.distance_cents).cast(pa.int64())]
    numbers = [_nullable(found.columns[name]) for name in scorer.NUMBERS]
    why = np.full(len(matrix), None)
    explained, eligible = insights.churn_reasons(job.champions, matrix, job.canonical.source.labels)
    if explained is not None:
        why[eligible] = insights.strongest(explained)
    keys = kept.Maker.of(job.champions, job.canonical.source.labels).keys(matrix)
    origins = [
        cells
        for origin in (found.origins[task] for task in scorer.SHRUNK)
        for cells in (origin.basis, _nullable(origin.own_weight), origin.parent)
    ]
    return pa.table(
        [matrix.customer_id, dates, *stands, *numbers, why, room, found.status(), *origins, keys],
        schema=SCHEMAS["scores"],
    )


def _nullable(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
