"""API keys: who may ask what, about whom, how often. Without any key the service answers on loopback only.

Keys come from the variable `NEXTBEST_API_KEYS` (comma-separated, each may do everything), or from the file
`api_keys` in the workspace: a line has the SHA-256 of a key and what it is limited to,

    <64 hex digits> name=till-7 scopes=decide,outcomes areas=North,Harbour rate=50   # a remark

Only hashes are kept. Any number of keys may be valid at once, two of one name too, so that one can be
replaced without a break.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from features.errors import UserError, unknown

VARIABLE = "NEXTBEST_API_KEYS"
FILE = "api_keys"
SHORTEST = 16
# Requests per second that a key may ask where its line does not say otherwise.
RATE: Final = 200.0
# What a key may be allowed to do: ask for scores and decisions, say what came of them, post events, read
# portraits, read records.
SCOPES: Final = ("decide", "outcomes", "events", "portraits", "records")

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Key:
    """A key, known by its hash.

    Attributes:
        name: what it is called in logs; the first digits of its hash if nobody named it.
        scopes: what it may do, of `SCOPES`.
        areas: areas whose customers it may ask about; None for all, and for customers without an area.
        rate: requests per second, of each process of the service.
    """

    name: str
    scopes: frozenset[str] = frozenset(SCOPES)
    areas: frozenset[str] | None = None
    rate: float = RATE


# Of a service without keys, which only its own machine reaches.
ANYBODY: Final = Key("anybody", rate=float("inf"))
# Who asks the question that is being answered.
asking: ContextVar[Key] = ContextVar("asking", default=ANYBODY)


@dataclass(frozen=True)
class Keys:
    """The valid keys.

    Attributes:
        by_hash: by their SHA-256 (hex).
        stamp: differs once the workspace's file has been written.
        closed: there have been keys: when none is left, nobody gets in.
    """

    by_hash: Mapping[str, Key] = field(default_factory=dict)
    stamp: tuple[int, int] | None = None
    closed: bool = False

    @property
    def needed(self) -> bool:
        """Whether a request needs a key; without one only this machine reaches the service."""
        return self.closed or bool(self.by_hash)

    @classmethod
    def configured(cls, root: Path) -> Keys:
        """The keys of the environment and of the workspace's file.

        Raises:
            UserError: a key is too short, or a line of the file is not one of a key.
        """
        given = [key.strip() for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
        if any(len(key) < SHORTEST for key in given):
            raise UserError(
                f"{VARIABLE} holds a key shorter than {SHORTEST} characters. Use longer, random ones."
            )
        found = {digest(key): Key(digest(key)[:8]) for key in given}
        file = root / FILE
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for number, line in enumerate(lines, 1):
            if text := line.partition("#")[0].strip():
                try:
                    found |= _key(text)
                except UserError as error:
                    raise UserError(f"{file}, line {number}: {error}") from None
        return cls(found, _stamp(file))

    def again(self, root: Path) -> Keys:
        """The keys as the workspace's file has them now; itself when the file is what it was.

        Raises:
            UserError: the file is not valid; the keys at hand stay valid.
        """
        if _stamp(root / FILE) == self.stamp:
            return self
        found = Keys.configured(root)
        return replace(found, closed=self.needed)

    def who(self, headers: Mapping[str, str]) -> Key | None:
        """Whose key a request with these headers (lower-case names) has; None when it may not be answered."""
        if not self.needed:
            return ANYBODY
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        # What is looked up is a hash: how long that takes tells nothing about the keys.
        return self.by_hash.get(digest(key))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        seen = file.stat()
    except FileNotFoundError:
        return None
    return seen.st_mtime_ns, seen.st_size


def digest(key: str) -> str:
    """SHA-256 of a key, as hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _key(text: str) -> dict[str, Key]:
    """The key of a line."""
    hashed, *fields = text.split()
    if not _DIGEST.fullmatch(hashed.lower()):
        raise UserError("not a SHA-256 hash (64 hex digits) of an API key.")
    limits: dict[str, Any] = {"name": hashed[:8].lower()}
    for stated in fields:
        name, _, value = stated.partition("=")
        parts = [part for part in value.split(",") if part]
        if not parts:
            raise UserError(f"{stated!r} has no value. Write name=till-7, scopes=decide,outcomes and so on.")
        match name:
            case "name":
                limits[name] = value
            case "scopes":
                for scope in parts:
                    if scope not in SCOPES:
                        raise unknown("scope", scope, SCOPES)
                limits[name] = frozenset(parts)
            case "areas":
                limits[name] = frozenset(part.replace("%20", " ") for part in parts)
            case "rate":
                limits[name] = _rate(value)
            case _:
                raise unknown("field", name, ("name", "scopes", "areas", "rate"))
    return {hashed.lower(): Key(**limits)}


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = float("nan")
    if not 0 < rate < float("inf"):
        raise UserError(f"rate is {text!r}; give requests per second as a number above 0.")
    return rate
