"""What the last batch knew of each customer for lists of new items, found again by what it was made from.

The same as `kept` is for scores: the batch writes beside it a key of the customer's purchases, the day, the
model and the code. Whoever has bought since, or is asked about as of another day or by another model, has
another key, and all is worked out as if nothing were kept. The file is mapped, not read: of a million
customers only those are in memory who are asked about. So it may be replaced, as the batch does, and never be
written over or cut short where it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serving.scoring.products import Recommender
from training.recommendation.beforehand import KINDS, Beforehand, Bought
from training.recommendation.histories import Histories
from training.registry.registry import Registered

FILE: Final = "customers.arrow"
SCHEMA: Final = pa.schema([("made_from", pa.binary(16)), ("known", pa.binary()), ("checksum", pa.uint32())])


def key(model: Registered, as_of: int, bought: Bought) -> bytes:
    """The key of what is known of a customer."""
    begun = _begun(model.version, model.run_id, as_of).copy()
    for column in bought:
        begun.update(column.tobytes())
    return begun.digest()


@lru_cache(maxsize=8)
def _begun(model_version: int, run_id: str, as_of: int) -> hashlib.blake2b:
    """The hash of the model, the day and the code."""
    code = [version(name) for name in ("nextbest", "xgboost", "numpy")]
    parts = json.dumps([model_version, run_id, as_of, code, [*KINDS]])
    return hashlib.blake2b(parts.encode(), digest_size=16)


def rows(
    recommender: Recommender, as_of: int, histories: Histories, ahead: Sequence[Beforehand | None]
) -> pa.RecordBatch:
    """Rows of the file: of customers of whom something is known."""
    coded = recommender.coded(histories)
    some = [(row, known.pack()) for row, known in enumerate(ahead) if known is not None]
    keys = [key(recommender.model, as_of, Bought.of(coded.slice(row, row + 1), as_of)) for row, _ in some]
    packed = [known for _, known in some]
    return pa.record_batch([keys, packed, list(map(crc32, packed))], schema=SCHEMA)


@dataclass(frozen=True)
class KeptItems:
    """What a batch knew of n customers.

    Attributes:
        first: the first half of each key, ascending, uint64[n].
        second: the other half, uint64[n].
        place: where each is, int64[n, 4]: the part of the file, its first byte, the one after its last, and
            the checksum (CRC-32) of what is between.
        parts: the bytes of the parts of the file, mapped.
    """

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    place: NDArray[np.int64]
    parts: tuple[pa.Buffer, ...]

    @classmethod
    def read(cls, folder: Path) -> KeptItems | None:
        """What is in a batch's folder; None without any."""
        try:
            opened = pa.ipc.open_file(pa.memory_map(str(folder / FILE)))
            if opened.schema != SCHEMA:
                return None
            parts = [opened.get_batch(number) for number in range(opened.num_record_batches)]
        except (OSError, pa.ArrowException):
            # No batch yet, or none that can be read: all is worked out, which says the same, only later.
            return None
        keys, place = [np.empty((0, 2), np.uint64)], [np.empty((0, 4), np.int64)]
        for number, part in enumerate(parts):
            bounds = np.frombuffer(part[1].buffers()[1], np.int32)[: len(part) + 1]
            keys.append(np.frombuffer(part[0].buffers()[1], np.uint64).reshape(-1, 2)[: len(part)])
            sums = np.frombuffer(part[2].buffers()[1], np.uint32)[: len(part)]
            place.append(np.column_stack([np.full(len(part), number), bounds[:-1], bounds[1:], sums]))
        found = np.concatenate(keys)
        order = found[:, 0].argsort(kind="stable")
        data = tuple(part[1].buffers()[2] for part in parts)
        first, second = np.ascontiguousarray(found[order].T)
        return cls(first, second, np.concatenate(place)[order], data)

    def find(self, made_from: bytes) -> Beforehand | None:
        """What is known of the customer with a key; None if the batch knew nobody like it, or damaged."""
        first, second = np.frombuffer(made_from, np.uint64)
        at = int(self.first.searchsorted(first))
        if at == len(self.first) or self.first[at] != first or self.second[at] != second:
            return None
        part, begin, end, checksum = self.place[at].tolist()
        known = memoryview(self.parts[part])[begin:end]
        return Beforehand.unpack(known) if crc32(known) == checksum else None
