"""Keyed hashes in place of personal numbers, the same at ingest and at the door of the service.

A customer id that is itself a phone, card or national-id number or an e-mail address would make every table,
score and log personal. It is replaced by HMAC-SHA256 of its normalised form (RFC 2104), cut to 128 bits.
Other ids pass unchanged, and so does a hash: `of` may be applied twice. The key is `NEXTBEST_HASH_KEY`, or a
random one in the workspace (`secret.key`, readable by its owner only); without it nobody can tell by trial
which phone number a hash stands for.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from functools import cached_property
from typing import Final

from features.errors import ExitCode, UserError
from features.json_file import read_json
from features.workspace import Workspace

PREFIX: Final = "hash_"
KEY_VARIABLE: Final = "NEXTBEST_HASH_KEY"
SHORTEST_KEY: Final = 16

_FEWEST_DIGITS: Final = 8
_HASH: Final = re.compile(PREFIX + "[0-9a-f]{32}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_WRITTEN_NUMBER: Final = re.compile(r"\+?[0-9](?:[ .()/-]{0,2}[0-9])*\)?|\+?\([0-9](?:[ .()/-]{0,2}[0-9])*")
_MOBILE_CN: Final = re.compile(r"(?:86)?(1[3-9][0-9]{9})")
_PHONE_NANP: Final = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")
# The prefix of calls abroad. With fewer than ten digits behind it, it is the padding of an ordinary id.
_ABROAD: Final = re.compile(r"00([1-9][0-9]{9,14})")
# National numbers with their trunk 0: mobiles and landlines of most countries, Chinese landlines the longest.
_PHONE_TRUNK: Final = re.compile(r"0[1-9][0-9]{8,10}")
_NATIONAL_ID_CN: Final = re.compile(
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
)
_CARD: Final = re.compile(r"[0-9]{15,19}")
_SHORT_CARD: Final = re.compile(r"[0-9]{13,14}")


class Pseudonyms:
    """The keyed hashes of one workspace.

    Args:
        workspace: it has the key, and says whether its source has plain ids.
        plain_ids: overrides what the workspace says; ingest knows before the workspace does.
    """

    def __init__(self, workspace: Workspace, *, plain_ids: bool | None = None) -> None:
        self._workspace = workspace
        self._stated = plain_ids

    def of(self, customer_id: str) -> str:
        """The id under which a customer is stored: a keyed hash of a personal number, else the id itself."""
        number = None if self._plain_ids else personal_number(customer_id)
        return customer_id if number is None else self.digest(number)

    def of_value(self, value: str) -> str:
        """The keyed hash of an identifier of any kind; of a phone number, the same as `of` gives."""
        if _HASH.fullmatch(value):
            return value
        return self.digest(personal_number(value) or "".join(value.split()).upper())

    def of_plate(self, plate: str) -> str:
        """The keyed hash of a number plate, whatever its spaces, dots, dashes and case."""
        return plate if _HASH.fullmatch(plate) else self.digest(re.sub(r"[\s·.\-]", "", plate).upper())

    def digest(self, normalised: str) -> str:
        """The keyed hash of a normalised text."""
        return PREFIX + hmac.new(self._key, normalised.encode(), "sha256").hexdigest()[:32]

    @property
    def check(self) -> str:
        """A text that tells whether two workspaces, or two days, have the same key, and nothing about it."""
        return self.digest("which key is this?")

    @cached_property
    def _plain_ids(self) -> bool:
        """Whether the source's owner states that its ids are no personal numbers."""
        if self._stated is not None:
            return self._stated
        return bool(read_json(self._workspace.tables / "source.json").get("plain_customer_ids", False))

    @cached_property
    def _key(self) -> bytes:
        given = os.environ.get(KEY_VARIABLE)
        if given is not None:
            if len(given) < SHORTEST_KEY:
                raise UserError(
                    f"{KEY_VARIABLE} has {len(given)} characters: it needs {SHORTEST_KEY} or more."
                )
            return given.encode()
        file = self._workspace.create().root / "secret.key"
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = file.read_bytes().strip()
            if len(key) < SHORTEST_KEY:
                raise UserError(
                    f"{file} is not a key: it has {len(key)} bytes. Restore it: without it, hashed customers "
                    "cannot be found again.",
                    ExitCode.BAD_DATA,
                ) from None
            return key
        with os.fdopen(handle, "wb") as stream:
            key = secrets.token_hex(32).encode()
            stream.write(key)
        return key


def possible(text: str) -> str:
    """SQL of whether `personal_number` may accept a text: it has eight digits or an at sign."""
    return f"(contains({text}, '@') OR length(regexp_replace({text}, '[^0-9]', '', 'g')) >= {_FEWEST_DIGITS})"


def may_identify(text: str) -> bool:
    """Whether a text is of the kind that `possible` finds in SQL."""
    return "@" in text or sum(character in "0123456789" for character in text) >= _FEWEST_DIGITS


def personal_number(text: str) -> str | None:
    """The normalised phone, card or national-id number or e-mail that a text is; None for any other."""
    if len(text) < _FEWEST_DIGITS and "@" not in text:
        return None
    stripped = text.strip()
    if _EMAIL.fullmatch(stripped):
        return stripped.lower()
    if _NATIONAL_ID_CN.fullmatch(stripped.upper()):
        return stripped.upper()
    if not _WRITTEN_NUMBER.fullmatch(stripped):
        return None
    digits = re.sub(r"[^0-9]", "", stripped)
    abroad = stripped.startswith("+")
    if match := _ABROAD.fullmatch(digits):
        abroad, digits = True, match[1]
    # 14155552671 is a mobile in China, +1 415 555 2671 one in North America.
    for pattern in (_PHONE_NANP, _MOBILE_CN) if abroad else (_MOBILE_CN, _PHONE_NANP):
        if match := pattern.fullmatch(digits):
            return match[1]
    international = abroad and 8 <= len(digits) <= 15  # noqa: PLR2004 - ITU-T E.164
    card = _CARD.fullmatch(digits) or (_SHORT_CARD.fullmatch(digits) and _passes_luhn(digits))
    return digits if international or card or _PHONE_TRUNK.fullmatch(digits) else None


def _passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
