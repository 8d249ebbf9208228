"""What a source says about itself: its `source.toml`, checked, and the part of it that the workspace keeps.

Every key is optional:

    name = "stations"                # two sources with different names do not mix in one workspace
    time_zone = "Asia/Shanghai"      # IANA name; decides which local day an instant belongs to. Default UTC
    currency = "CNY"                 # three letters (ISO 4217); default: not stated
    clock = "last_event"             # or "wall": what "now" is
    choices_until = 2017-10-31       # training choices use no label window that ends later
    naive_times = "utc"              # or "local": what a time without an offset means
    time_format = "%d/%m/%Y %H:%M"   # how times are written, when not ISO 8601
    plain_customer_ids = false       # true: ids that look like phone or card numbers are none, keep them

    [ingest]
    max_bad_share = 0.1              # over this share of bad rows in a table the ingest is refused

    [quality]                        # how far new rows may differ unsaid: features/quality/shifts.py
    missing = 0.05

    [columns.transactions]           # canonical name = name in the source
    amount = "sales_value"

    [identity]                       # see features/identity_rules.py
    threshold = 0.95

    [labels.churn]                   # see features/labels.py
    horizon_days = 28
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal, cast

from features import clock
from features.errors import UserError, unknown
from features.identity_rules import IdentityRules
from features.labels import LabelDefinitions
from features.quality.shifts import Bounds
from features.tables import TABLES

SOURCE_TOML: Final = "source.toml"
TRUTH: Final = "truth"
"""Folder of a simulated source that no command reads: what is true of its customers."""
FOLDER_NAME: Final = "folder"
_KEYS: Final = (
    "name", "time_zone", "currency", "clock", "choices_until", "naive_times", "time_format",
    "plain_customer_ids", "ingest", "quality", "columns", "identity", "labels",
)  # fmt: skip

Clock = Literal["last_event", "wall"]
NaiveTimes = Literal["utc", "local"]


@dataclass(frozen=True)
class Source:
    """What the workspace keeps of a source.

    Attributes:
        name: sources of different names do not mix in one workspace.
        zone: IANA time zone that decides the local day.
        currency: ISO 4217 code; empty when not stated.
        clock: "last_event": now is the day after the last transaction; "wall": the wall clock's local day.
        choices_until: training choices use no label window that ends after this date; None for no limit.
        plain_customer_ids: the owner states that customer ids are no personal numbers.
        labels: label definitions.
        identity: when two references are one person.
    """

    name: str = FOLDER_NAME
    zone: str = "UTC"
    currency: str = ""
    clock: Clock = "last_event"
    choices_until: date | None = None
    plain_customer_ids: bool = False
    labels: LabelDefinitions = field(default_factory=LabelDefinitions)
    identity: IdentityRules = field(default_factory=IdentityRules)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Source:
        """A source from the plain JSON that `plain` wrote."""
        until = stored["choices_until"]
        return cls(
            name=stored["name"],
            zone=stored["zone"],
            currency=stored["currency"],
            clock=stored["clock"],
            choices_until=None if until is None else date.fromisoformat(until),
            plain_customer_ids=stored["plain_customer_ids"],
            labels=LabelDefinitions.read(stored["labels"]),
            identity=IdentityRules.read(stored.get("identity", {})),
        )

    def plain(self) -> dict[str, Any]:
        """As plain JSON values; `read` turns them back."""
        return {
            "name": self.name,
            "zone": self.zone,
            "currency": self.currency,
            "clock": self.clock,
            "choices_until": None if self.choices_until is None else self.choices_until.isoformat(),
            "plain_customer_ids": self.plain_customer_ids,
            "labels": self.labels.plain(),
            "identity": self.identity.plain(),
        }


@dataclass(frozen=True)
class Declaration:
    """A whole `source.toml`: the source, and how its files are read.

    Attributes:
        source: what the workspace keeps.
        columns: per table, the source's column of a canonical column.
        naive_times: what an instant without an offset means.
        time_format: strftime format of instants given as text; empty for ISO 8601.
        max_bad_share: share of bad rows in a table over which the ingest is refused.
        bounds: how far new rows may be from those before without a warning.
        stated: whether there was a `source.toml`.
    """

    source: Source = field(default_factory=Source)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    naive_times: NaiveTimes = "utc"
    time_format: str = ""
    max_bad_share: float = 0.1
    bounds: Bounds = field(default_factory=Bounds)
    stated: bool = True


def read(file: Path) -> Declaration:
    """The declaration in a `source.toml`, or the default one if there is no such file.

    Raises:
        UserError: it is not TOML, or a key or a value is not valid.
    """
    if not file.exists():
        return Declaration(stated=False)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file.name} is not valid TOML: {error}.") from None
    try:
        return declaration(content)
    except UserError as error:
        raise UserError(f"{file.name}: {error}", error.exit_code) from None


def declaration(content: Mapping[str, Any]) -> Declaration:
    """The declaration of a parsed `source.toml`.

    Raises:
        UserError: a key or a value is not valid.
    """
    for key in content:
        if key not in _KEYS:
            raise unknown("key", key, _KEYS)
    source = Source(
        name=_text(content, "name", FOLDER_NAME),
        zone=clock.zone(_text(content, "time_zone", "UTC")).key,
        currency=currency_code(_text(content, "currency", "")),
        clock=cast("Clock", _choice(content, "clock", ("last_event", "wall"))),
        choices_until=_date(content.get("choices_until")),
        plain_customer_ids=_flag(content, "plain_customer_ids"),
        labels=LabelDefinitions.read(_section(content, "labels")),
        identity=IdentityRules.read(_section(content, "identity")),
    )
    return Declaration(
        source=source,
        columns=_columns(_section(content, "columns")),
        naive_times=cast("NaiveTimes", _choice(content, "naive_times", ("utc", "local"))),
        time_format=_time_format(_text(content, "time_format", "")),
        max_bad_share=_share(_section(content, "ingest")),
        bounds=Bounds.read(_section(content, "quality")),
    )


def _section(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = content.get(key, {})
    if not isinstance(section, Mapping):
        raise UserError(f"{key} is {section!r}: it has to be a section, [{key}].")
    return section


def _text(content: Mapping[str, Any], key: str, default: str) -> str:
    value = content.get(key, default)
    if not isinstance(value, str) or (key in content and not value.strip()):
        raise UserError(f"{key} is {value!r}: it has to be a text, and not empty.")
    return value


def _flag(content: Mapping[str, Any], key: str) -> bool:
    value = content.get(key, False)
    if not isinstance(value, bool):
        raise UserError(f"{key} is {value!r}: it has to be true or false.")
    return value


def _choice(content: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = _text(content, key, allowed[0])
    if value not in allowed:
        raise unknown(f"value of {key}", value, allowed)
    return value


def currency_code(code: str) -> str:
    """A currency as ISO 4217 writes it; empty when it is not stated.

    Raises:
        UserError: it is written otherwise.
    """
    if code and not re.fullmatch("[A-Z]{3}", code):
        raise UserError(
            f"currency is {code!r}: it has to be a three-letter code in capitals, like CNY or USD."
        )
    return code


def _date(value: Any) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    return clock.parse_date(str(value), name="choices_until")


def _time_format(given: str) -> str:
    """A format that DuckDB and Python read alike; an offset would make it two kinds of instant at once."""
    if given and ("%Y" not in given or re.search("%[zZ]", given)):
        raise UserError(f"time_format is {given!r}: it needs %Y, and no %z, like '%d/%m/%Y %H:%M'.")
    return given


def _share(section: Mapping[str, Any]) -> float:
    for key in section:
        if key != "max_bad_share":
            raise unknown("key of [ingest]", key, ["max_bad_share"])
    share = section.get("max_bad_share", Declaration.max_bad_share)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise UserError(f"max_bad_share is {share!r}: it has to be a number from 0 to below 1, like 0.1.")
    return float(share)


def _columns(section: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    result: dict[str, dict[str, str]] = {}
    for table, mapping in section.items():
        if table not in TABLES:
            raise unknown("table of [columns]", table, TABLES)
        if not isinstance(mapping, Mapping):
            raise UserError(f"columns.{table} is {mapping!r}: it has to be a section, [columns.{table}].")
        for name, given in mapping.items():
            if name not in TABLES[table].names:
                raise unknown(f"canonical column of {table}", name, TABLES[table].names)
            if not isinstance(given, str) or not given:
                raise UserError(f"columns.{table}.{name} is {given!r}: it has to be the name of a column.")
        result[table] = dict(mapping)
    return result
