"""Contacts of our own with what came of them, written where training reads them.

Training knows nothing of this floor, so that the file stands in the workspace, in the form that
`training.campaigns.own` declares. It holds what the record store has now: decisions that were pruned are not
learned from any more.
"""

from __future__ import annotations

import os
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq

from features.workspace import Workspace
from serving.outcomes import joined
from serving.outcomes.store import OutcomeStore
from serving.records import batches as batch_records
from serving.records.store import VARIABLE, RecordStore
from training.campaigns import own


def collect(space: Workspace) -> int:
    """Write the contacts of a workspace that were reported as shown; how many.

    Raises:
        RecordsDownError: the record store cannot be reached; what was written before stays.
    """
    if not (space.decisions.exists() or os.environ.get(VARIABLE) or batch_records.files(space)):
        space.own_contacts.unlink(missing_ok=True)
        return 0
    with closing(RecordStore.of(space)) as records:
        found = joined.columns(joined.answered(OutcomeStore(records, space)))
    shown = found.shown_day >= 0
    cells = {
        "customer_id": found.customer_id,
        "action": found.action,
        "as_of": found.as_of,
        "shown_day": found.shown_day,
        "shown_known_day": found.shown_known_day,
        "answer_day": found.answer_day,
        "answer_known_day": found.answer_known_day,
        "selection_probability": found.selection_probability,
    }
    space.own_contacts.parent.mkdir(parents=True, exist_ok=True)
    aside = space.own_contacts.with_name(f".{space.own_contacts.name}.{os.getpid()}")
    pq.write_table(
        pa.table([pa.array(cells[name][shown]) for name in own.SCHEMA.names], schema=own.SCHEMA),
        aside,
        compression="zstd",
    )
    aside.replace(space.own_contacts)
    return int(shown.sum())
