"""Decisions of batches, kept as Parquet: the same record as that of an online decision.

A batch writes `decisions.parquet` beside its actions; `keep` links it into the workspace's folder `records`,
so that outcomes find a decision of last week when tonight's batch has replaced it.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pydantic_core
from numpy.typing import NDArray

from features import clock, session
from features.workspace import Workspace
from serving.records.record import NAMES, Record

FILE: Final = "decisions.parquet"
ENDPOINT: Final = "batch"
PROPOSED: Final = pa.struct(
    [("action_id", pa.string()), ("channel", pa.string()), ("expected_value_cents", pa.int64())]
)
CONSIDERED: Final = pa.struct(
    [
        ("action_id", pa.string()),
        ("channel", pa.string()),
        ("propensity", pa.float64()),
        ("value_cents", pa.float64()),
        ("expected_value_cents", pa.int64()),
        ("spread_cents", pa.float64()),
        ("weight", pa.float64()),
        ("score", pa.float64()),
        ("value_basis", pa.string()),
        ("multiplier", pa.float64()),
        ("dropped", pa.string()),
    ]
)
_TYPES: Final[dict[str, pa.DataType]] = {
    "as_of": pa.date32(),
    "decided_at": pa.timestamp("us", tz="UTC"),
    "answer": pa.list_(PROPOSED),
    "considered": pa.list_(CONSIDERED),
    "arms": pa.map_(pa.string(), pa.string()),
    "controls": pa.list_(pa.string()),
    "selection_probability": pa.float64(),
}
_ROWS: Final = 20_000


def parquet_schema() -> pa.Schema:
    """The fields of a record as Parquet: `models` is JSON, instants are UTC, the rest as in `Record`."""
    return pa.schema([(name, _TYPES.get(name, pa.string())) for name in NAMES])


def folder(workspace: Workspace) -> Path:
    """Where a workspace keeps the decisions of its batches."""
    return workspace.records / "batches"


def keep(workspace: Workspace, file: Path, as_of: date) -> Path:
    """Keep a batch's file of decisions for as long as records are kept; linked where the file system can.

    The same batch again takes the place of the earlier one: its decisions are the same.
    """
    names = pq.read_table(file, columns=["decision_id"])["decision_id"].to_pylist()
    keys = np.sort(_keys(names))
    content = hashlib.sha256(keys.tobytes()).hexdigest()
    kept = folder(workspace) / f"{as_of.isoformat()}-{content[:12]}.parquet"
    kept.parent.mkdir(parents=True, exist_ok=True)
    keys.tofile(_index(kept))
    aside = kept.with_suffix(f".{uuid.uuid4().hex[:8]}")
    try:
        aside.hardlink_to(file)
    except OSError:
        shutil.copy(file, aside)
    aside.replace(kept)
    # Of the instant at which it was kept, whatever its decisions' own.
    kept.touch()
    return kept


def remove(kept: Path) -> None:
    """Keep a file of decisions no longer."""
    kept.unlink()
    _index(kept).unlink(missing_ok=True)


def files(workspace: Workspace) -> list[Path]:
    """The kept files, the newest first."""
    found = folder(workspace).glob("*.parquet")
    return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)


def find(workspace: Workspace, ids: Sequence[str]) -> dict[str, Record]:
    """Decisions of batches by id, each from the newest file that has it.

    A file is looked into only for ids that are in its index: that takes some 0.2 s for a million decisions.
    """
    found: dict[str, Record] = {}
    for file in files(workspace):
        wanted = _there(file, [name for name in ids if name not in found])
        if not wanted:
            continue
        with closing(session.connect()) as opened:
            query = f"FROM {session.parquet(file)} WHERE decision_id IN (SELECT unnest(?))"
            rows: pa.Table = opened.sql(query, params=[wanted]).to_arrow_table()
        for batch in rows.to_batches():
            found.update((record.decision_id, record) for record in _records(batch))
    return found


def _there(kept: Path, ids: Sequence[str]) -> list[str]:
    """Those of some ids that a file has, as its index says; hardly ever one that it has not."""
    if not ids or not _index(kept).stat().st_size:
        return []
    held = np.memmap(_index(kept), dtype=np.uint64, mode="r")
    keys = _keys(ids)
    places = np.minimum(held.searchsorted(keys), len(held) - 1)
    return [name for name, there in zip(ids, held[places] == keys, strict=True) if there]


def _keys(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Eight bytes of each id's hash."""
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(digests, dtype=np.uint64)


def _index(kept: Path) -> Path:
    """The sorted keys of a file's decisions."""
    return kept.with_suffix(".ids")


def read(file: Path, since: str = "", until: str = "") -> Iterator[Record]:
    """The decisions of a file, in its order.

    Args:
        file: a kept one.
        since: UTC instant or date, ISO, from which on a decision was made; empty for all.
        until: up to before which.
    """
    for batch in batches(file, since, until):
        yield from _records(batch)


def batches(file: Path, since: str = "", until: str = "") -> Iterator[pa.RecordBatch]:
    """The rows of a file in parts; arguments as in `read`."""
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(_ROWS):
            inside = pa.array([True] * len(batch))
            for bound, compare in ((since, pc.greater_equal), (until, pc.less)):
                if bound:
                    inside = pc.and_(inside, compare(batch["decided_at"], _instant(bound)))
            yield batch.filter(inside)


def _instant(text: str) -> pa.Scalar:
    return pa.scalar(clock.as_utc(datetime.fromisoformat(text)), pa.timestamp("us", tz="UTC"))


def table(records: Sequence[Record]) -> pa.Table:
    """Records as Parquet rows."""
    return pa.Table.from_pylist([_plain(record) for record in records], schema=parquet_schema())


def _records(batch: pa.RecordBatch) -> Iterator[Record]:
    for row in batch.to_pylist(maps_as_pydicts="strict"):
        considered = [{k: v for k, v in pair.items() if v is not None} for pair in row["considered"] or ()]
        yield Record(
            **{
                **row,
                "as_of": row["as_of"].isoformat(),
                "decided_at": row["decided_at"].isoformat(timespec="milliseconds"),
                "models": pydantic_core.from_json(row["models"]),
                "answer": row["answer"] or [],
                "considered": considered,
                "arms": row["arms"] or {},
                "controls": row["controls"] or [],
            }
        )


def _plain(record: Record) -> Mapping[str, Any]:
    return {
        **{name: getattr(record, name) for name in NAMES},
        "as_of": date.fromisoformat(record.as_of),
        "decided_at": datetime.fromisoformat(record.decided_at),
        "models": pydantic_core.to_json(record.models).decode(),
        "answer": list(record.answer),
        "considered": list(record.considered),
        "arms": list(record.arms.items()),
        "controls": list(record.controls),
    }
