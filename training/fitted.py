"""A fitted model: boosters, arrays and plain facts, stored without pickle.

Format 3, one folder: `<name>.ubj` per booster, `arrays.npz` (never object arrays), `meta.json` with the
facts and `format`. Nothing in it is code, and none of it is run. To change it: raise FORMAT, keep reading
what earlier numbers wrote, add a test that does.

    1   `catalogue_hash`: of all declarations; any change of the catalogue refuses the model
    2   `reads` and `declarations_hash`: the features that the model reads, and the hash of their declarations
        and of `declared`, what inputs mean that are no features of the catalogue
    3   the digest is of the facts, too, and so of every file that is read; before, of boosters and arrays
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.catalogue import BY_NAME, NAMES, catalogue_hash, declarations_hash
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.output import plain

FORMAT = 3
_FACTS_SINCE: Final = 3
"""Format since which the digest is of the facts, too."""
# The kinds of the facts that loading itself goes by.
_KINDS: Final = {"task": str, "format": int, "boosters": list, "reads": list}
# What NumPy, its ZIP reader and XGBoost (a ValueError) raise over a file that is cut short or overwritten.
_UNREADABLE: Final = (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile, zlib.error)
T = TypeVar("T")

# Read of a customer whichever features a model has: by eligibility, rhythm, and scores from little history.
SUPPORT: Final = (
    "days_since_visit",
    "tenure_days",
    *(name for name in NAMES if name.startswith("visits_") and name.removeprefix("visits_").isdecimal()),
    "visits_all",
)


def _nothing(_: str) -> Mapping[str, str]:
    """No task has inputs of its own."""
    return {}


@dataclass(frozen=True)
class Fitted:
    """What a task needs to predict.

    Attributes:
        task: name of the task.
        boosters: XGBoost models by name.
        arrays: everything else that is numbers or fixed-width text.
        meta: plain JSON: `features` (inputs in order), `as_of` (day), `horizon_days`, `labels`, `params`,
            `priors` (answers for a customer nobody knows), `seed`, ..., of a task with inputs of its own
            `declared` (`Task.declared`). Once `bound`: `reads`, if not there before, and `declarations_hash`.
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

        A task that reads others than the features among its inputs and `SUPPORT` says all of them in `reads`:
        those that its own inputs are made of, and those that it reads beside its inputs.
        """
        if "declarations_hash" in self.meta:
            return self
        inputs = [name for name in self.meta.get("features", ()) if name in BY_NAME]
        wanted = self.meta.get("reads", {*inputs, *SUPPORT} if inputs else ())
        reads = [name for name in NAMES if name in wanted]
        return self.with_meta(reads=reads, declarations_hash=_hash(reads, self.meta.get("declared", {})))

    @property
    def as_of(self) -> int:
        """The day the model was trained as of: it has seen nothing at or after it."""
        return int(self.meta["as_of"])

    def facts(self) -> dict[str, Any]:
        """What `meta.json` holds, as plain JSON."""
        stored = {"format": FORMAT, "task": self.task, "boosters": sorted(self.boosters), **self.bound().meta}
        found: dict[str, Any] = json.loads(json.dumps(plain(stored)))
        return found

    def digest(self, *, facts: bool = True) -> str:
        """SHA-256 of the model: boosters and arrays to the byte, and the facts unless told otherwise."""
        trees = {name: bytes(booster.save_raw("ubj")) for name, booster in self.boosters.items()}
        return _digest(self.task, trees, self.arrays, self.facts() if facts else None)

    def save(self, folder: Path) -> None:
        """Write the model into a folder, made if need be, bound to the declarations of what it reads."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, booster in self.boosters.items():
            booster.save_model(folder / f"{name}.ubj")
        np.savez(folder / "arrays.npz", allow_pickle=False, **dict(self.arrays))
        write_json(folder / "meta.json", self.facts())

    @classmethod
    def load(
        cls,
        folder: Path,
        digest: str | None = None,
        task: str = "TASK",
        declared: Callable[[str], Mapping[str, str]] = _nothing,
    ) -> Fitted:
        """Read a model back.

        Args:
            folder: what `save` wrote.
            digest: of the model that was saved there; None: not known, and what can be read is taken for it.
            task: how a refusal calls it when the folder does not say.
            declared: what a task's own inputs mean in this installation, by the task's name.

        Raises:
            UnusableModelError: the folder holds no model, a damaged or changed one, one of a newer format, or
                one that was trained on other declarations of the inputs it reads than those of this
                installation.
        """
        meta = _meta(folder, task)
        stored = dict(meta)
        task, number = meta.pop("task"), meta.pop("format")
        if number > FORMAT:
            raise UnusableModelError(
                f"model {task} in {folder} has format {number}, this version reads up to {FORMAT}",
                f"its format is {number}, and this version reads up to {FORMAT}",
                "Use the version of nextbest that trained it, or train again.",
                ExitCode.USAGE,
            )
        files = {name: folder / f"{name}.ubj" for name in meta.pop("boosters")}
        arrays = _read(task, folder / "arrays.npz", _arrays)
        if digest is not None:
            # Of the files: how a booster that was loaded is written again is XGBoost's to change.
            trees = {name: _read(task, file, Path.read_bytes) for name, file in files.items()}
            if _digest(task, trees, arrays, stored if number >= _FACTS_SINCE else None) != digest:
                raise damaged(task, folder, "its files are not those that were trained")
        if reason := outdated(meta, declared(task)):
            raise UnusableModelError(
                f"model {task} was trained on other feature declarations: {reason}",
                f"it was trained on other feature declarations: {reason}",
                f"Run `nextbest train {task}` and `nextbest promote {task}`.",
            )
        boosters = {name: _read(task, file, _booster) for name, file in files.items()}
        return cls(task, boosters, arrays, meta)


class UnusableModelError(UserError):
    """A stored model that does not load.

    Attributes:
        reason: why, to stand after a colon; the sentence itself also names the model and what to do.
    """

    def __init__(
        self, sentence: str, reason: str, fix: str, exit_code: ExitCode = ExitCode.NOT_BUILT
    ) -> None:
        super().__init__(f"{sentence}. {fix}", exit_code)
        self.reason = reason


def damaged(task: str, where: Path, what: str) -> UnusableModelError:
    """The error for files of a model that are not as they were saved."""
    return UnusableModelError(
        f"model {task} is damaged: {where}: {what}",
        f"it is damaged, {where}: {what}",
        f"Restore the file, or run `nextbest train {task}` and `nextbest promote {task}`.",
    )


def _meta(folder: Path, task: str) -> dict[str, Any]:
    """The facts of a stored model."""
    file = folder / "meta.json"
    try:
        meta = read_json(file)
    except UserError as error:
        raise damaged(task, file, "it cannot be read as JSON") from error
    if not meta:
        raise damaged(task, folder, "it holds no model (meta.json is missing)")
    needed = ["task", "format", "boosters", *(["reads"] if "declarations_hash" in meta else [])]
    for name in needed:
        if name not in meta:
            raise damaged(task, file, f"it has no {name!r}")
        if not isinstance(meta[name], _KINDS[name]):
            raise damaged(task, file, f"its {name!r} is no {_KINDS[name].__name__}")
    return meta


def _read(task: str, file: Path, read: Callable[[Path], T]) -> T:
    """What is read from a file of a model.

    Raises:
        UserError: it is missing or damaged.
    """
    if not file.is_file():
        raise damaged(task, file, "it is missing")
    try:
        return read(file)
    except _UNREADABLE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise damaged(task, file, f"it cannot be read ({reason})") from error


def _booster(file: Path) -> xgb.Booster:
    raw = file.read_bytes()
    # XGBoost reads on past the end of a file that is cut short, and the process may die of it.
    if raw[:1] + raw[-1:] != b"{}":
        raise ValueError("it is cut short, or no booster")
    return xgb.Booster(model_file=file)


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    # NumPy takes whatever else it finds for a pickle, and says how to load one.
    if not zipfile.is_zipfile(file):
        raise ValueError("it is no archive of arrays")
    with file.open("rb") as raw, np.load(raw, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _digest(
    task: str,
    boosters: Mapping[str, bytes],
    arrays: Mapping[str, NDArray[Any]],
    facts: Mapping[str, Any] | None,
) -> str:
    sha = hashlib.sha256(task.encode())
    for name in sorted(boosters):
        sha.update(name.encode() + boosters[name])
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
    if facts is not None:
        sha.update(json.dumps(facts, sort_keys=True).encode())
    return sha.hexdigest()


def outdated(meta: Mapping[str, Any], declared: Mapping[str, str]) -> str | None:
    """How a stored model's declarations differ from those of this installation, or None if they do not.

    Args:
        meta: the model's facts.
        declared: what its task's own inputs mean here.
    """
    before = meta.get("declared", {})
    if declared and not before:
        return "what its inputs mean was not kept with it"
    if "declarations_hash" not in meta:
        then, now = meta.get("catalogue_hash", "none"), catalogue_hash()
        return None if then == now else f"catalogue {then[:12]}, now {now[:12]}"
    gone = [name for name in meta["reads"] if name not in BY_NAME]
    if gone:
        return f"it reads {gone[0]!r}, which is not declared any more"
    then, now = meta["declarations_hash"], _hash(meta["reads"], declared)
    if then == now:
        return None
    other = [name for name in {**declared, **before} if declared.get(name) != before.get(name)]
    which = f" ({other[0]!r} is another)" if other else ""
    return f"those of the features it reads were {then[:12]}, now {now[:12]}{which}"


def _hash(reads: Sequence[str], declared: Mapping[str, str]) -> str:
    """SHA-256 of the declarations of features and of a task's own inputs, whose order is part of them."""
    features = declarations_hash(reads)
    if not declared:
        return features
    return hashlib.sha256((features + repr(list(declared.items()))).encode()).hexdigest()
