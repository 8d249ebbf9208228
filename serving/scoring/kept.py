"""The scores that the last batch made, found again by all that they were made from.

A customer's scores follow from the features, the models and the label definitions, and from nothing else. The
batch writes a key of these beside each customer's scores (`made_from`). A customer of whom nothing has become
known since has the same features, hence the same key, and the models would only say the same again: the
scores are read, which takes a tenth of the time. Whatever changes (an event, a day, a champion, a definition,
a version) gives another key, and the models are asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.catalogue import catalogue_hash
from features.evaluators.offline import FeatureMatrix
from features.labels import LabelDefinitions
from serving.scoring import scorer, scores
from serving.scoring.scorer import Champions, Origin, Scores

FILE: Final = "scores.parquet"
KEY: Final = "made_from"
_BYTES: Final = 16
_MODEL: Final = Origin(np.full(1, "model", object), np.full(1, np.nan), np.full(1, None))
_NOTHING: Final = Origin.nothing(1)


@dataclass(frozen=True)
class Maker:
    """What makes scores of features: the models, the labels' definitions and the code.

    Attributes:
        begun: the hash of all of it.
    """

    begun: hashlib.blake2b

    @classmethod
    def of(cls, champions: Champions, labels: LabelDefinitions) -> Maker:
        """The maker that `scorer.score` is with these."""
        code = [version(name) for name in ("nextbest", "xgboost", "numpy")]
        parts = [catalogue_hash(), sorted(champions.versions.items()), labels.plain(), code]
        return cls(hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=_BYTES))

    def keys(self, matrix: FeatureMatrix) -> list[str]:
        """The key of each of n rows that have all features of the catalogue."""
        found = []
        for row in matrix.values:
            one = self.begun.copy()
            one.update(row.tobytes())
            found.append(one.hexdigest())
        return found


@dataclass(frozen=True)
class Kept:
    """The scores of a batch of n customers, by key.

    Attributes:
        champions: the models in use, which need not be those of the batch.
        maker: makes the keys of scores by them.
        keys: of the batch, ascending, bytes[n].
        numbers: float64[n, scores] in the order of `scorer.NUMBERS`.
        origins: how the scores of each of `scorer.SHRUNK` came about.
    """

    champions: Champions
    maker: Maker
    keys: NDArray[np.bytes_]
    numbers: NDArray[np.float64]
    origins: dict[str, Origin]

    @classmethod
    def read(cls, folder: Path, champions: Champions, labels: LabelDefinitions) -> Kept | None:
        """The scores in a batch's folder; None without any, or when they were written without keys."""
        try:
            with pq.ParquetFile(folder / FILE) as opened:
                if KEY not in opened.schema_arrow.names:
                    return None
                table = opened.read()
        except (OSError, pa.ArrowException):
            # No batch yet, or none that can be read: the models say the same, only later.
            return None
        keys = np.array(table[KEY].to_pylist(), dtype=f"S{2 * _BYTES}")
        order = keys.argsort()
        numbers = [_plain(table[name])[order] for name in scorer.NUMBERS]
        origins = {
            task: Origin(
                _texts(table[f"{task}_basis"])[order],
                _plain(table[f"{task}_own_weight"])[order],
                _texts(table[f"{task}_parent"])[order],
            )
            for task in scorer.SHRUNK
        }
        return cls(champions, Maker.of(champions, labels), keys[order], np.column_stack(numbers), origins)

    def find(self, matrix: FeatureMatrix, wanted: Collection[str] = scores.TASKS) -> Scores | None:
        """What `scorer.score` would say of one customer; None if the batch made nothing of the same."""
        key = self.maker.keys(matrix)[0].encode()
        row = int(self.keys.searchsorted(key))
        if row == len(self.keys) or self.keys[row] != key:
            return None
        tasks, unwanted = _chosen(frozenset(wanted))
        numbers = self.numbers[row].copy()
        numbers[unwanted] = np.nan
        columns = dict(zip(scorer.NUMBERS, numbers.reshape(-1, 1), strict=True))
        return Scores(
            columns, {task: self._origin(task, row) for task in tasks}, scorer.reasons(self.champions)
        )

    def _origin(self, task: str, row: int) -> Origin:
        if task not in self.origins:
            # A model answers every customer whom it is about, and nobody else has a number.
            return _NOTHING if np.isnan(self.numbers[row, _fields(task)]).all() else _MODEL
        found = self.origins[task]
        return _MODEL if found.basis[row] == "model" else found.slice(slice(row, row + 1))


def scored(
    kept: Kept | None,
    champions: Champions,
    rows: Sequence[FeatureMatrix],
    labels: LabelDefinitions,
    wanted: Collection[str],
) -> Iterator[Scores]:
    """Scores of known customers, a row each: a batch's where it made them of the same, else the models'."""
    found = [None if kept is None else kept.find(row, wanted) for row in rows]
    asked = [row for row, held in zip(rows, found, strict=True) if held is None]
    made = scorer.score(champions, _stacked(asked), labels, wanted).rows() if asked else iter(())
    return (next(made) if held is None else held for held in found)


def _stacked(rows: Sequence[FeatureMatrix]) -> FeatureMatrix:
    """One matrix of several customers' rows, in their order."""
    if len(rows) == 1:
        return rows[0]
    return FeatureMatrix(
        np.concatenate([row.customer_id for row in rows]),
        np.concatenate([row.as_of for row in rows]),
        rows[0].names,
        np.concatenate([row.values for row in rows]),
    )


@lru_cache(maxsize=256)
def _chosen(wanted: frozenset[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The tasks whose origin is told, and the positions of the numbers that are not wanted."""
    told = tuple(task for task in scorer.FIELDS if task in wanted or task in scorer.SHRUNK)
    places = [i for i, name in enumerate(scorer.NUMBERS) if not wanted.issuperset(scores.BY_NAME[name].tasks)]
    return told, np.array(places, dtype=np.intp)


@lru_cache(maxsize=64)
def _fields(task: str) -> NDArray[np.intp]:
    return np.array([scorer.NUMBERS.index(name) for name in scorer.FIELDS[task].values()], dtype=np.intp)


def _plain(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Numbers, NaN where null."""
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _texts(column: pa.ChunkedArray) -> NDArray[Any]:
    """Texts as objects, equal ones as one; None where null."""
    coded = column.combine_chunks().dictionary_encode()
    texts: NDArray[Any] = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    found: NDArray[Any] = texts[np.asarray(coded.indices.fill_null(-1))]
    return found
