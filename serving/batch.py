"""The nightly batch: scores, products and actions of the whole base as Parquet, by the service's own code.

Every customer first seen before the as-of has a row in `scores.parquet`. Only what was known before the as-of
is read, so that tables cut at it give the same bytes, the manifest's times apart.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import clock
from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.json_file import write_json
from features.life_cycle import stages
from features.life_cycle.portrait import Base
from features.life_cycle.tiers import Assigned
from features.output import progress
from features.workspace import Workspace
from serving import answers, decisions, insights, scorer, scores
from serving.actions import NONE
from serving.batch_job import KIND, BatchReport, Job, Tallies, by_count, manifest, open_job
from serving.decisions import Decisions
from serving.products import KINDS
from serving.publishing import MANIFEST, publish
from training.recommendation.histories import Histories
from training.segments import potential

ITEMS = 10
CHUNK = 2_000

_REASON = pa.struct([("feature", pa.string()), ("value", pa.float64()), ("text", pa.string())])
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
    "actions": pa.schema(
        [
            ("customer_id", pa.string()),
            ("place", pa.string()),
            ("rank", pa.int32()),
            ("action_id", pa.string()),
            ("channel", pa.string()),
            ("expected_value_cents", pa.int64()),
            ("decision_id", pa.string()),
            ("reasons", pa.list_(_REASON)),
        ]
    ),
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
            degraded=list(job.champions.missing.values()),
        )
        write_json(folder / MANIFEST, manifest(job, report, started))
    return report


def _write(job: Job, folder: Path) -> Tallies:
    """The three Parquet files, chunk by chunk."""
    tallies = Tallies(job.places)
    matrix = offline.compute(job.canonical, [job.as_of])
    base = Base.of(job.canonical, job.as_of, matrix)
    room = potential.of(base).potential_cents
    with closing(job.canonical.connect(until=job.as_of)) as connection:
        histories = (
            Histories.read(connection).select(matrix.customer_id.tolist()) if job.recommender else None
        )
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            )
            for name, schema in SCHEMAS.items()
        }
        bar = stack.enter_context(progress())
        task = bar.add_task("scoring customers", total=len(matrix))
        for first in range(0, len(matrix), CHUNK):
            chosen = np.arange(first, min(first + CHUNK, len(matrix)))
            rows = matrix.take(chosen)
            part = histories.slice(first, first + len(rows)) if histories is not None else None
            for name, found in _chunk(job, rows, (base.tiers.take(chosen), room[chosen]), part, tallies):
                writers[name].write_table(found)
                tallies.rows[name] += len(found)
            bar.advance(task, len(rows))
    return tallies


def _chunk(
    job: Job,
    matrix: FeatureMatrix,
    standing: tuple[Assigned, NDArray[np.int64]],
    histories: Histories | None,
    tallies: Tallies,
) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each file for some customers, given their tiers and what is within their reach."""
    tiers, room = standing
    found = scorer.score(job.champions, matrix, job.canonical.source.labels)
    status = found.status()
    tallies.status.update(status.tolist())
    dates = pa.array(matrix.as_of, pa.int32()).cast(pa.date32())
    stands = [
        stages.assign(matrix.columns()),
        tiers.tier,
        _nullable(tiers.distance_cents).cast(pa.int64()),
    ]
    numbers = [_nullable(found.columns[name]) for name in scorer.NUMBERS]
    why = np.full(len(matrix), None)
    explained, eligible = insights.churn_reasons(job.champions, matrix, job.canonical.source.labels)
    if explained is not None:
        why[eligible] = insights.strongest(explained)
    origins = [
        cells
        for origin in (found.origins[task] for task in scorer.SHRUNK)
        for cells in (origin.basis, _nullable(origin.own_weight), origin.parent)
    ]
    yield (
        "scores",
        pa.table(
            [matrix.customer_id, dates, *stands, *numbers, why, room, status, *origins],
            schema=SCHEMAS["scores"],
        ),
    )
    best_new = np.full(len(matrix), np.nan)
    if job.recommender is not None and histories is not None:
        lists = job.recommender.lists(histories, job.as_of, ITEMS, KINDS)
        top = (lists.kind == "new") & (lists.rank == 1)
        best_new[lists.row[top]] = lists.score[top]
        yield (
            "recommendations",
            pa.table(
                [matrix.customer_id[lists.row], lists.product_id, lists.rank, lists.score, lists.kind],
                schema=SCHEMAS["recommendations"],
            ),
        )
    columns = {
        **matrix.columns(),
        **found.columns,
        "new_item_probability": best_new,
        scores.KNOWN: np.ones(len(matrix)),
    }
    for place in job.places:
        decided = decisions.decide(job.catalogue, place, columns)
        yield "actions", _actions(job, matrix.customer_id, decided, tallies.best[place])


def _actions(job: Job, customers: NDArray[Any], decided: Decisions, tally: Counter[str]) -> pa.Table:
    """Ranked actions of some customers at one place; one row `none` where nothing is better than nothing."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMAS["actions"].names}
    currency = job.canonical.source.currency
    for row, customer in enumerate(customers.tolist()):
        identity = decision_id(customer, decided.place, job.settings)
        ranked: list[tuple[Any, ...]] = [
            (
                choice.rank,
                choice.action.id,
                choice.channel,
                choice.expected_value_cents,
                [
                    {"feature": reason.feature, "value": reason.value, "text": reason.text}
                    for reason in answers.reasons(choice.action, decided.columns, row, currency)
                ],
            )
            for choice in decided.ranked(row)
        ] or [(1, NONE, None, 0, [])]
        tally[ranked[0][1]] += 1
        for rank, action_id, channel, value, reasons in ranked:
            values = (customer, decided.place, rank, action_id, channel, value, identity, reasons)
            for name, cell in zip(columns, values, strict=True):
                columns[name].append(cell)
    return pa.table(columns, schema=SCHEMAS["actions"])


def decision_id(customer_id: str, place: str, settings: str) -> str:
    """The id of a batch decision: the same inputs give the same id, a second run is the same decision."""
    return hashlib.sha256(json.dumps([customer_id, place, settings]).encode()).hexdigest()[:32]


def _nullable(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
