"""A fitted model: boosters, arrays and plain facts, stored without pickle.

Format 2, one folder: `<name>.ubj` per booster, `arrays.npz` (never object arrays), `meta.json` with the
facts and `format`. Nothing in it is code, and none of it is run. To change it: raise FORMAT, keep reading
what earlier numbers wrote, add a test that does.

    1   `catalogue_hash`: of all declarations; any change of the catalogue refuses the model
    2   `reads` and `declarations_hash`: the features that the model reads, and the hash of their declarations
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.catalogue import BY_NAME, NAMES, catalogue_hash, declarations_hash
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.output import plain

FORMAT = 2

# Read of a customer whichever features a model has: by eligibility, rhythm, and scores from little history.
SUPPORT: Final = (
    "days_since_visit",
    "tenure_days",
    *(name for name in NAMES if name.startswith("visits_") and name.removeprefix("visits_").isdecimal()),
    "visits_all",
)


@dataclass(frozen=True)
class Fitted:
    """What a task needs to predict.

    Attributes:
        task: name of the task.
        boosters: XGBoost models by name.
        arrays: everything else that is numbers or fixed-width text.
        meta: plain JSON: `features` (inputs in order), `as_of` (day), `horizon_days`, `labels`, `params`,
            `priors` (answers for a customer nobody knows), `seed`, ... Once `bound`: `reads` and
            `declarations_hash`.
    """

    task: str
    boosters: Mapping[str, xgb.Booster]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def with_meta(self, **facts: Any) -> Fitted:
        """The same model with more facts."""
        return dataclasses.replace(self, meta={**self.meta, **facts})

    def bound(self) -> Fitted:
        """The same model, bound to the declarations of the features it reads; a bound one stays as it is.

        A task whose inputs have names of their own says in `reads` which features they are made of; the
        others read the features among their inputs and `SUPPORT`.
        """
        if "declarations_hash" in self.meta:
            return self
        inputs = [name for name in self.meta.get("features", ()) if name in BY_NAME]
        wanted = self.meta.get("reads", {*inputs, *SUPPORT} if inputs else ())
        reads = [name for name in NAMES if name in wanted]
        return self.with_meta(reads=reads, declarations_hash=declarations_hash(reads))

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
        """Write the model into a folder, made if need be, bound to the declarations of what it reads."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, booster in self.boosters.items():
            booster.save_model(folder / f"{name}.ubj")
        np.savez(folder / "arrays.npz", allow_pickle=False, **dict(self.arrays))
        facts = {"format": FORMAT, "task": self.task, "boosters": sorted(self.boosters), **self.bound().meta}
        write_json(folder / "meta.json", json.loads(json.dumps(plain(facts))))

    @classmethod
    def load(cls, folder: Path) -> Fitted:
        """Read a model back.

        Raises:
            UserError: the folder holds no model, one of a newer format, or one that was trained on other
                declarations of the features it reads than those of this installation.
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
        if reason := outdated(meta):
            raise UserError(
                f"model {task} was trained on other feature declarations: {reason}. "
                f"Run `nextbest train {task}` and `nextbest promote {task}`.",
                ExitCode.NOT_BUILT,
            )
        boosters = {}
        for name in meta.pop("boosters"):
            boosters[name] = xgb.Booster(model_file=folder / f"{name}.ubj")
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(task, boosters, arrays, meta)


def outdated(meta: Mapping[str, Any]) -> str | None:
    """How a stored model's declarations differ from those of this installation, or None if they do not."""
    if "declarations_hash" not in meta:
        then, now = meta.get("catalogue_hash", "none"), catalogue_hash()
        return None if then == now else f"catalogue {then[:12]}, now {now[:12]}"
    gone = [name for name in meta["reads"] if name not in BY_NAME]
    if gone:
        return f"it reads {gone[0]!r}, which is not declared any more"
    then, now = meta["declarations_hash"], declarations_hash(meta["reads"])
    return None if then == now else f"those of the features it reads were {then[:12]}, now {now[:12]}"
