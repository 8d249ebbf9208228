"""A fitted model: boosters, arrays and plain facts, stored without pickle.

Format 1, one folder: `<name>.ubj` per booster, `arrays.npz` (never object arrays), `meta.json` with the
facts and `format`. To change it: raise FORMAT, keep reading what earlier numbers wrote, add a test that does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.catalogue import catalogue_hash
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.output import plain

FORMAT = 1


@dataclass(frozen=True)
class Fitted:
    """What a task needs to predict.

    Attributes:
        task: name of the task.
        boosters: XGBoost models by name.
        arrays: everything else that is numbers or fixed-width text.
        meta: plain JSON: `features` (inputs in order), `catalogue_hash`, `as_of` (day), `horizon_days`,
            `labels`, `params`, `priors` (answers for a customer nobody knows), `seed`, ...
    """

    task: str
    boosters: Mapping[str, xgb.Booster]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def with_meta(self, **facts: Any) -> Fitted:
        """The same model with more facts."""
        return dataclasses.replace(self, meta={**self.meta, **facts})

    @property
    def as_of(self) -> int:
        """The day the model was trained as of: it has seen nothing at or after it."""
        return int(self.meta["as_of"])

    def digest(self) -> str:
        """SHA-256 of what decides predictions: boosters and arrays, to the byte."""
        sha = hashlib.sha256(self.task.encode())
        for name in sorted(self.boosters):
            sha.update(name.encode() + bytes(self.boosters[name].save_raw("ubj")))
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            sha.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
        return sha.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the model into a folder, made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, booster in self.boosters.items():
            booster.save_model(folder / f"{name}.ubj")
        np.savez(folder / "arrays.npz", allow_pickle=False, **dict(self.arrays))
        facts = {"format": FORMAT, "task": self.task, "boosters": sorted(self.boosters), **self.meta}
        write_json(folder / "meta.json", json.loads(json.dumps(plain(facts))))

    @classmethod
    def load(cls, folder: Path) -> Fitted:
        """Read a model back.

        Raises:
            UserError: the folder holds no model, one of a newer format, or one that was trained on other
                feature declarations than those of this installation.
        """
        meta = read_json(folder / "meta.json")
        if not meta:
            raise UserError(f"{folder} holds no model (meta.json is missing).", ExitCode.NOT_BUILT)
        task, number = meta.pop("task"), meta.pop("format")
        if number > FORMAT:
            raise UserError(
                f"model {task} in {folder} has format {number}, this version reads up to {FORMAT}. "
                "Use the version of nextbest that trained it, or train again."
            )
        if meta.get("catalogue_hash", catalogue_hash()) != catalogue_hash():
            raise UserError(
                f"model {task} was trained on other feature declarations (catalogue "
                f"{meta['catalogue_hash'][:12]}, now {catalogue_hash()[:12]}). Run `nextbest train {task}` "
                f"and `nextbest promote {task}`.",
                ExitCode.NOT_BUILT,
            )
        boosters = {}
        for name in meta.pop("boosters"):
            boosters[name] = xgb.Booster(model_file=folder / f"{name}.ubj")
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(task, boosters, arrays, meta)
