"""Old decision records removed, and records given away as Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from features import clock, session
from features.errors import UserError
from features.json_file import write_json
from serving.catalogue.actions import Catalogue
from serving.contacts.standing import KINDS
from serving.outcomes.store import Outcome, OutcomeStore
from serving.publishing import MANIFEST, publish
from serving.records import batches as batch_records
from serving.records.tables import DECISIONS, OUTCOMES

KIND: Final = "nextbest-decisions"
_PAGE: Final = 2_000
_OUTCOME: Final = pa.struct(
    [
        ("kind", pa.string()),
        ("action_id", pa.string()),
        ("channel", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("value_cents", pa.int64()),
        ("outcome_id", pa.string()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
    ]
)
_UNMATCHED: Final = pa.schema([("decision_id", pa.string()), *((f.name, f.type) for f in _OUTCOME)])


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Attributes:
        before: UTC instant; what was recorded before it is old.
        decisions: decisions of the record store.
        outcomes: their outcomes, and ones that no decision was ever found for.
        batches: files of batch decisions.
    """

    before: str
    decisions: int
    outcomes: int
    batches: int


@dataclass(frozen=True)
class Exported:
    """What was given away.

    Attributes:
        out: the published folder.
        decisions: rows of `decisions.parquet`, online ones and those of batches.
        outcomes: outcomes in them.
        unmatched: rows of `unmatched.parquet`.
    """

    out: Path
    decisions: int
    outcomes: int
    unmatched: int


def look_back(catalogue: Catalogue) -> tuple[int, str]:
    """The most days for which a decision's outcomes matter to later decisions, and what needs them."""
    policy = catalogue.policy
    needs = [(action.horizon_days, f"the horizon of action {action.id!r}") for action in catalogue.actions]
    needs += [
        (limit.days, f"a limit of action {action.id!r}")
        for action in catalogue.actions
        for limit in (*action.limits, *([action.capacity] if action.capacity else []))
    ]
    needs += [
        (limit.days, f"a limit of channel {name!r}")
        for name, channel in catalogue.channels.items()
        for limit in channel.limits
    ]
    needs += [(limit.days, "a limit across channels") for limit in policy.across]
    names = ("refused_days", "refused_all_days", "ignored_days", "complaint_days")
    needs += [(getattr(policy, name) or 0, f"the policy's {name}") for name in names]
    return max(needs, key=lambda need: need[0])


def prune(store: OutcomeStore, catalogue: Catalogue, older_than: int) -> Pruned:
    """Remove decisions and outcomes that were recorded more than so many days ago.

    A decision of which an outcome was recorded since stays, with all its outcomes. Effects that were
    estimated keep what they learnt; what is still open looks back a while, and less than that is refused.

    Raises:
        UserError: so few days that contact limits or effects would forget what they need.
        RecordsDownError: the record store cannot be reached; what has been removed by then stays so.
    """
    least, need = look_back(catalogue)
    if older_than < least:
        raise UserError(
            f"--older-than {older_than} is too short: {need} looks back {least} days. Give {least} or more."
        )
    before = (datetime.now(UTC) - timedelta(days=older_than)).isoformat(timespec="milliseconds")
    decisions = came = 0
    recent = sa.select(OUTCOMES.c.number).where(
        OUTCOMES.c.decision_id == DECISIONS.c.decision_id, OUTCOMES.c.recorded_at >= before
    )
    old = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.decided_at < before, ~recent.exists())
    # Page by page: a service that goes on beside it is not kept waiting.
    while ids := [row[0] for row in store.records.select(old.limit(_PAGE))]:
        with store.records.writing() as connection:
            came += connection.execute(sa.delete(OUTCOMES).where(OUTCOMES.c.decision_id.in_(ids))).rowcount
            decisions += connection.execute(
                sa.delete(DECISIONS).where(DECISIONS.c.decision_id.in_(ids))
            ).rowcount
    removed = _prune_batches(store, before)
    there = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.decision_id == OUTCOMES.c.decision_id)
    orphans = sa.select(OUTCOMES.c.number, OUTCOMES.c.decision_id).where(
        OUTCOMES.c.recorded_at < before, ~there.exists()
    )
    alone = [(row.number, row.decision_id) for row in store.records.select(orphans)]
    kept = batch_records.find(store.workspace, [name for _, name in alone]) if alone else {}
    gone = [number for number, name in alone if name not in kept]
    for first in range(0, len(gone), _PAGE):
        chosen = OUTCOMES.c.number.in_(gone[first : first + _PAGE])
        with store.records.writing() as connection:
            came += connection.execute(sa.delete(OUTCOMES).where(chosen)).rowcount
    return Pruned(before, decisions, came, removed)


def _prune_batches(store: OutcomeStore, before: str) -> int:
    """Remove files of batches that were kept before, unless outcomes have come in since; how many."""
    recent = sa.select(OUTCOMES.c.decision_id).where(OUTCOMES.c.recorded_at >= before).distinct()
    ids, removed = [row[0] for row in store.records.select(recent)], 0
    for file in batch_records.files(store.workspace):
        if datetime.fromtimestamp(file.stat().st_mtime, UTC) >= datetime.fromisoformat(before):
            continue
        with closing(session.connect()) as opened:
            query = f"SELECT 1 FROM {session.parquet(file)} WHERE decision_id IN (SELECT unnest(?)) LIMIT 1"
            needed = opened.execute(query, [ids]).fetchone()
        if needed is None:
            batch_records.remove(file)
            removed += 1
    return removed


def export(store: OutcomeStore, out: Path, since: str = "", until: str = "") -> Exported:
    """Write decisions with their outcomes to a folder, as `decisions.parquet` and `unmatched.parquet`.

    Args:
        store: of the workspace.
        out: folder to publish.
        since: ISO instant or date from which on a decision was made; a batch's are made at its as-of.
        until: up to before which.

    Raises:
        UserError: the output is somebody else's folder.
        RecordsDownError: the record store cannot be reached.
    """
    schema = batch_records.parquet_schema().append(pa.field("outcomes", pa.list_(_OUTCOME)))
    decisions = came = 0
    with publish(out, KIND) as folder:
        with pq.ParquetWriter(folder / batch_records.FILE, schema, compression="zstd") as writer:
            for part in _parts(store, since, until):
                ids = part["decision_id"].to_pylist()
                found = store.of_decisions(ids)
                lists = [[_plain(one) for one in found.get(name, [])] for name in ids]
                column = pa.array(lists, pa.list_(_OUTCOME))
                writer.write_table(part.append_column(schema.field("outcomes"), column))
                decisions, came = decisions + len(ids), came + sum(map(len, lists))
        alone = [{"decision_id": one.decision_id, **_plain(one)} for one in store.unmatched()]
        pq.write_table(pa.Table.from_pylist(alone, schema=_UNMATCHED), folder / "unmatched.parquet")
        counts = {"decisions": decisions, "outcomes": came, "unmatched": len(alone)}
        write_json(folder / MANIFEST, {"kind": KIND, "format": 1, "since": since, "until": until, **counts})
    return Exported(out, **counts)


def _parts(store: OutcomeStore, since: str, until: str) -> Iterator[pa.Table]:
    """Decisions as Parquet rows, online ones and then those of batches, each once."""
    page = []
    for record in store.records.read(since, until):
        page.append(record)
        if len(page) == _PAGE:
            yield batch_records.table(page)
            page = []
    if page:
        yield batch_records.table(page)
    files = batch_records.files(store.workspace)
    seen: set[str] = set()
    for file in files:
        for batch in batch_records.batches(file, since, until):
            part = pa.Table.from_batches([batch])
            if len(files) > 1:
                ids = part["decision_id"].to_pylist()
                part = part.filter(pa.array([name not in seen for name in ids], pa.bool_()))
                seen.update(ids)
            yield part


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": KINDS[outcome.kind],
        "action_id": outcome.action_id or None,
        "channel": outcome.channel or None,
        "at": clock.from_microseconds(outcome.instant),
        "value_cents": outcome.value_cents,
        "outcome_id": outcome.outcome_id,
        "recorded_at": datetime.fromisoformat(outcome.recorded_at),
    }
