"""API keys: who may ask. Without any key configured the service answers on loopback only.

Keys come from the variable `NEXTBEST_API_KEYS` (comma-separated), or as SHA-256 hashes, one per line, from
the file `api_keys` in the workspace. Only hashes are kept in memory; several keys may be valid at once, so
that one can be replaced without a break.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import UserError

VARIABLE = "NEXTBEST_API_KEYS"
FILE = "api_keys"
SHORTEST = 16


@dataclass(frozen=True)
class Keys:
    """SHA-256 hashes (hex) of the valid keys; empty when the service is open to its own machine."""

    hashes: frozenset[str]

    @classmethod
    def configured(cls, root: Path) -> Keys:
        """The keys of the environment and of the workspace's file.

        Raises:
            UserError: a key is too short, or a line of the file is not a SHA-256 hash.
        """
        given = [key.strip() for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
        if any(len(key) < SHORTEST for key in given):
            raise UserError(
                f"{VARIABLE} holds a key shorter than {SHORTEST} characters. Use longer, random ones."
            )
        hashes = {digest(key) for key in given}
        file = root / FILE
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip().lower()
            if not text:
                continue
            if not re.fullmatch(r"[0-9a-f]{64}", text):
                raise UserError(f"{file}, line {number}: not a SHA-256 hash (64 hex digits) of an API key.")
            hashes.add(text)
        return cls(frozenset(hashes))

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a request with these headers (lower-case names) may be answered."""
        if not self.hashes:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        found = digest(key)
        # No early end: the time taken tells nothing about the keys.
        return sum(hmac.compare_digest(found, known) for known in self.hashes) > 0


def digest(key: str) -> str:
    """SHA-256 of a key, as hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
