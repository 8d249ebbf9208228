"""The decisions of a batch as Parquet rows: the record of each, and the ranked actions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import clock
from features.catalogue import catalogue_hash
from serving.batch.job import Job
from serving.catalogue.actions import NONE
from serving.decisions import proposals
from serving.decisions.considered import numbered
from serving.decisions.decided import Decisions
from serving.decisions.rules import IDS
from serving.records import batches as batch_records

_REASON = pa.struct([("feature", pa.string()), ("value", pa.float64()), ("text", pa.string())])
ACTIONS: Final = pa.schema(
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
)
_RULES: Final = pa.array([None, *IDS[1:]], pa.string())


def decision_ids(decided: Decisions, settings: str) -> list[str]:
    """The ids of n batch decisions: a second run that decides the same is the same decision.

    What was decided counts, too: contacts that became known in between may have changed it.
    """
    found = []
    for row, customer in enumerate(decided.customers.tolist()):
        content = json.dumps([customer, decided.place, settings]).encode()
        content += decided.rule[row].tobytes() + decided.score[row].tobytes()
        found.append(hashlib.sha256(content).hexdigest()[:32])
    return found


def actions(job: Job, decided: Decisions, ids: Sequence[str]) -> pa.Table:
    """Ranked actions of some customers at one place; one row `none` where nothing is better than nothing.

    Args:
        job: the batch.
        decided: n decisions.
        ids: their ids.
    """
    row, rank, pair = decided.listed()
    without = np.flatnonzero(decided.chosen == 0)
    owners, currency = decided.offers.pair_action[pair].tolist(), job.canonical.source.currency
    reasons: list[list[dict[str, Any]]] = [
        [
            {"feature": reason.feature, "value": reason.value, "text": reason.text}
            for reason in proposals.reasons(decided, decided.offers.actions[index], customer, currency)
        ]
        for customer, index in zip(row.tolist(), owners, strict=True)
    ]
    # Sorted so that a customer's rows stand together, in the order of the customers.
    order = np.argsort(np.concatenate([row, without]), kind="stable")
    customer = np.concatenate([row, without])[order]
    missing = np.zeros(len(without), dtype=np.intp)
    names = pa.array([*(action.id for action in decided.offers.actions), NONE])
    channels = pa.array([*decided.offers.pair_channel, None], pa.string())
    none = len(decided.offers.actions)
    index = np.concatenate([np.array(owners, dtype=np.intp), missing + none])[order]
    channel = np.concatenate([pair, missing + len(decided.offers.pair_channel)])[order]
    value = np.concatenate([decided.expected[row, pair], missing])[order]
    return pa.table(
        [
            pa.array(decided.customers[customer], pa.string()),
            pa.array([decided.place] * len(customer), pa.string()),
            np.concatenate([rank, missing + 1])[order].astype(np.int32),
            names.take(pa.array(index)),
            channels.take(pa.array(channel)),
            value,
            pa.array([ids[position] for position in customer], pa.string()),
            pa.array([(reasons + [[]] * len(without))[position] for position in order], pa.list_(_REASON)),
        ],
        schema=ACTIONS,
    )


def records(job: Job, decided: Decisions, ids: Sequence[str]) -> pa.Table:
    """The record of each decision; arguments as in `actions`."""
    customers = len(decided.customers)
    models = {task: str(model.version) for task, model in sorted(job.champions.registered.items())}
    same: Mapping[str, Any] = {
        "endpoint": batch_records.ENDPOINT,
        "request_id": None,
        "as_of": clock.to_date(job.as_of),
        "place": decided.place,
        # The first instant that is not known: a second run of the same batch writes the same bytes.
        "decided_at": datetime.combine(
            clock.to_date(job.as_of), time.min, clock.zone(job.canonical.source.zone)
        ).astimezone(UTC),
        "models": json.dumps(models),
        "catalogue_version": job.catalogue.version,
        "features": catalogue_hash(),
    }
    own: dict[str, Any] = {
        "decision_id": pa.array(ids, pa.string()),
        "customer_id": pa.array(decided.customers, pa.string()),
        "answer": _proposed(decided),
        "considered": _considered(decided),
        "arms": _arms(decided),
        "controls": pa.array([decided.controls_of(row) for row in range(customers)], pa.list_(pa.string())),
        "selection_probability": pa.array(decided.probability, mask=decided.chosen == 0),
    }
    schema = batch_records.parquet_schema()
    for name, value in same.items():
        own[name] = pa.repeat(pa.scalar(value, schema.field(name).type), customers)
    return pa.table([own[name] for name in schema.names], schema=schema)


def _proposed(decided: Decisions) -> pa.Array:
    """What is proposed to each customer, best first."""
    row, _, pair = decided.listed()
    cells = [
        _names(decided).take(pa.array(decided.offers.pair_action[pair])),
        pa.array(decided.offers.pair_channel, pa.string()).take(pa.array(pair)),
        pa.array(decided.expected[row, pair]),
    ]
    return _lists(np.concatenate([[0], np.cumsum(decided.chosen)]), cells, batch_records.PROPOSED)


def _considered(decided: Decisions) -> pa.Array:
    """Every pair of each customer: its numbers, or its rule."""
    offers, shape = decided.offers, decided.rule.shape
    owner = offers.pair_action
    unnumbered = ~numbered(decided).ravel()

    def numbers(values: NDArray[Any]) -> pa.Array:
        return pa.array(np.broadcast_to(values, shape).ravel(), mask=unnumbered)

    def names(texts: pa.Array, positions: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> pa.Array:
        return texts.take(pa.array(np.broadcast_to(positions, shape).ravel(), mask=mask))

    beliefs = pa.array([decided.believed.effects.basis(action) for action in offers.actions], pa.string())
    cells = [
        names(_names(decided), owner),
        names(pa.array(offers.pair_channel, pa.string()), np.arange(shape[1])),
        numbers(decided.propensity[:, owner] * offers.reach),
        numbers(decided.value_cents[:, owner]),
        numbers(decided.expected),
        numbers(decided.spread),
        numbers(offers.weight),
        numbers(decided.score),
        names(beliefs, owner, unnumbered),
        numbers(decided.believed.multiplier[owner]),
        names(_RULES, decided.rule),
    ]
    return _lists(np.arange(shape[0] + 1) * shape[1], cells, batch_records.CONSIDERED)


def _arms(decided: Decisions) -> pa.Array:
    """Each customer's arm of each experiment."""
    customers, names = len(decided.customers), list(decided.arms)
    arms = [decided.arms[name] for name in names]
    return pa.MapArray.from_arrays(
        pa.array(np.arange(customers + 1) * len(names), pa.int32()),
        pa.array(names * customers, pa.string()),
        pa.array(np.stack(arms, axis=1).ravel() if arms else [], pa.string()),
    )


def _names(decided: Decisions) -> pa.Array:
    return pa.array([action.id for action in decided.offers.actions], pa.string())


def _lists(ends: NDArray[Any], cells: list[pa.Array], kind: pa.StructType) -> pa.Array:
    """Lists of structs from the cells of all of them."""
    return pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), pa.StructArray.from_arrays(cells, fields=list(kind))
    )
