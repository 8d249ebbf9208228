"""The checks of ingest, written as SQL: every cell cast to its canonical type, every bad row with its reason.

One query reads a part once, streaming; nothing passes through Python. A row that fails keeps its values as
they were given (personal ones masked), a row that passes keeps only its canonical values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from features import clock
from features.contract import STORED_TYPES, Column, Kind, Personal, Table
from features.pseudonyms import possible
from features.raw import ROW, Part
from features.session import identifier, literal
from features.source import NaiveTimes

PART: Final = "_part"
REASON: Final = "_reason"
VALUES: Final = "_values"

LONGEST_TEXT: Final = 1000
SHOWN_TEXT: Final = 60
# In currency units: its cents fit into 64 bits with room to sum some of them.
LARGEST_AMOUNT: Final = 10**16
_FLOATS: Final = ("DOUBLE", "FLOAT")
_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)"
_WORDS: Final = {
    Kind.INT: "a whole number",
    Kind.NUMBER: "a number",
    Kind.MONEY: "an amount of money",
    Kind.INSTANT: "a time (write it as 2017-12-01 08:30:00)",
    Kind.DATE: "a date (write it as 2017-12-01)",
    Kind.BOOL: "true or false",
}


@dataclass(frozen=True)
class Reading:
    """How the texts of a source are understood.

    Attributes:
        zone: IANA zone of local times.
        naive_times: what a time without an offset means.
        time_format: strftime format of times; empty for ISO 8601.
        latest: UTC instant after which an event is not believed.
    """

    zone: str
    naive_times: NaiveTimes
    time_format: str
    latest: datetime


@dataclass(frozen=True)
class Cell:
    """A column of a part, as SQL.

    Attributes:
        column: what it has to be.
        kind: DuckDB type it has.
    """

    column: Column
    kind: str

    @property
    def raw(self) -> str:
        """The value as it is in the part; trimmed, and null when blank, if it is a text."""
        return f"raw_{self.column.name}"

    @property
    def value(self) -> str:
        """The canonical value, null when the cell is none."""
        return f"value_{self.column.name}"

    @property
    def text(self) -> str:
        """The raw value as text.

        A whole floating-point number loses its ".0": ids pass through floats when a data frame has gaps.
        """
        if self.kind == "VARCHAR":
            return self.raw
        if self.kind in _FLOATS:
            return (
                f"CASE WHEN {self.raw} = floor({self.raw}) AND abs({self.raw}) < 9e15 "
                f"THEN CAST(CAST({self.raw} AS BIGINT) AS VARCHAR) ELSE CAST({self.raw} AS VARCHAR) END"
            )
        return f"CAST({self.raw} AS VARCHAR)"

    @property
    def shown(self) -> str:
        """The raw value as a reason or the quarantine may show it: a personal one is masked."""
        if self.column.personal in (Personal.VALUE, Personal.PLATE):
            return f"CASE WHEN {self.raw} IS NOT NULL THEN '***' END"
        text = f"left({self.text}, {SHOWN_TEXT})"
        return masked(text) if self.column.word or self.column.personal is Personal.REFERENCE else text


def masked(text: str) -> str:
    """SQL of a text in which what may be a phone, card or id number or an e-mail is hidden."""
    return f"CASE WHEN {possible(text)} THEN left({text}, 2) || '***' ELSE {text} END"


def staged(table: Table, number: int, part: Part, names: Mapping[str, str], reading: Reading) -> str:
    """Query of a part's rows: `_part`, `_row`, stored columns (no derived days), `_reason`, `_values`.

    Args:
        table: the contract.
        number: number of the part.
        part: where the rows come from.
        names: raw column of each canonical column that the part has.
        reading: how texts are understood.
    """
    cells = {name: Cell(table.column(name), part.types[raw]) for name, raw in names.items()}
    raws, values, rules = [], [], []
    for name, cell in cells.items():
        raw = identifier(names[name])
        trimmed = f"nullif(trim({raw}, {_BLANKS}), '')"
        raws.append(f"{trimmed if cell.kind == 'VARCHAR' else raw} AS {cell.raw}")
        values.append(f"{_cast(cell, reading)} AS {cell.value}")
        rules.extend(_rules(cell, reading))
    broken = " OR ".join(f"coalesce({condition}, false)" for condition, _ in rules)
    reasons = ", ".join(f"CASE WHEN {condition} THEN {reason} END" for condition, reason in rules)
    shown = ", ".join(f"{literal(name)}: {cell.shown}" for name, cell in cells.items())
    stored = ", ".join(
        f"{cells[c.name].value if c.name in cells else f'CAST(NULL AS {STORED_TYPES[c.kind]})'} AS {c.stored}"
        for c in table.columns
    )
    return f"""
        SELECT {number} AS {PART}, {ROW}, {stored},
               CASE WHEN _broken THEN concat_ws('; ', {reasons}) END AS {REASON},
               CASE WHEN _broken THEN CAST(to_json({{{shown}}}) AS VARCHAR) END AS {VALUES}
        FROM (SELECT *, {broken} AS _broken
              FROM (SELECT *, {", ".join(values)}
                    FROM (SELECT {ROW}, {", ".join(raws)} FROM ({part.relation}))))"""


def _cast(cell: Cell, reading: Reading) -> str:
    """SQL of a cell in its canonical type, null when it is not one."""
    text = cell.text
    match cell.column.kind:
        case Kind.TEXT:
            # Not-a-number in a float column of ids is a gap, not an id.
            words = f"lower({text})" if cell.column.allowed else text
            return f"CASE WHEN NOT isnan({cell.raw}) THEN {words} END" if cell.kind in _FLOATS else words
        case Kind.MONEY:
            return _cents(cell)
        case Kind.NUMBER:
            number = f"TRY_CAST({cell.raw} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case Kind.INT:
            number = f"TRY_CAST({cell.raw} AS DOUBLE)"
            whole = f"{number} = floor({number}) AND abs({number}) < 9e15"
            return f"CASE WHEN {whole} THEN CAST({number} AS BIGINT) END"
        case Kind.BOOL:
            return (
                f"CASE WHEN lower({text}) IN ('true', 't', 'yes', 'y', '1') THEN true "
                f"WHEN lower({text}) IN ('false', 'f', 'no', 'n', '0') THEN false END"
            )
        case Kind.DATE:
            return f"coalesce(TRY_CAST({text} AS DATE), CAST(try_strptime({text}, '%Y%m%d') AS DATE))"
        case Kind.INSTANT:
            return _instant(cell, reading)


def _cents(cell: Cell) -> str:
    """SQL of an amount in cents, half-even on its decimal digits.

    A float stands for its shortest decimal text. Going through that text matters only near a half cent, so
    the other amounts, nearly all, are rounded as they are.
    """
    exact = f"TRY_CAST({cell.text} AS DECIMAL(38, 18))"
    cents = f"TRY_CAST(round_even({exact} * 100, 0) AS BIGINT)"
    precise = f"CASE WHEN abs({exact}) <= {LARGEST_AMOUNT} THEN {cents} END"
    if cell.kind not in _FLOATS:
        return precise
    rough = f"{cell.raw} * 100"
    clear = f"abs({cell.raw}) < 1e9 AND abs(abs({rough} - trunc({rough})) - 0.5) > 1e-3"
    return f"CASE WHEN {clear} THEN CAST(round({rough}) AS BIGINT) ELSE {precise} END"


def to_utc(local: str, zone: str) -> str:
    """SQL of the UTC timestamp of a local one; in a gap of daylight saving, the instant an hour later."""
    return f"timezone('UTC', timezone({literal(zone)}, {local}))"


def local_day(instant: str, zone: str) -> str:
    """SQL of the local day (since 1970-01-01) of a UTC timestamp."""
    local = f"timezone({literal(zone)}, timezone('UTC', {instant}))"
    return f"CAST(CAST({local} AS DATE) - DATE '1970-01-01' AS INTEGER)"


def _instant(cell: Cell, reading: Reading) -> str:
    """SQL of a UTC timestamp. A date without a time of day is 00:00 local of that day."""
    text, kind = cell.text, cell.kind

    def naive(expression: str) -> str:
        return expression if reading.naive_times == "utc" else to_utc(expression, reading.zone)

    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {cell.raw})"
    if kind.startswith("TIMESTAMP"):
        return naive(f"CAST({cell.raw} AS TIMESTAMP)")
    if kind == "DATE":
        return to_utc(f"CAST({cell.raw} AS TIMESTAMP)", reading.zone)
    if reading.time_format:
        parsed = f"try_strptime({text}, {literal(reading.time_format)})"
        timed = any(code in reading.time_format for code in ("%H", "%I", "%T", "%X", "%c"))
        return naive(parsed) if timed else to_utc(parsed, reading.zone)
    if kind not in ("VARCHAR", "BIGINT", "INTEGER"):
        return "CAST(NULL AS TIMESTAMP)"
    compact = f"try_strptime({text}, '%Y%m%d')"
    joined = f"regexp_replace({text}, ' ([+-])', '\\1')"
    colons = f"regexp_replace({joined}, '([+-][0-9]{{2}})([0-9]{{2}})$', '\\1:\\2')"
    offset = ":[0-9]{2}([.][0-9]+)? ?(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$"
    return f"""CASE
        WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}')
            THEN {to_utc(f"TRY_CAST({text} AS TIMESTAMP)", reading.zone)}
        WHEN regexp_full_match({text}, '[0-9]{{8}}') THEN {to_utc(compact, reading.zone)}
        WHEN regexp_matches({text}, '{offset}') THEN timezone('UTC', TRY_CAST({colons} AS TIMESTAMPTZ))
        ELSE {naive(f"TRY_CAST({text} AS TIMESTAMP)")} END"""


def _choices(column: Column) -> tuple[str, Iterable[str]]:
    """The only values of a text, none where it may be any, and what is said of others."""
    if column.zone:
        return "is not an IANA time zone (write it as Asia/Shanghai)", sorted(clock.zones())
    return f"is not one of {', '.join(column.allowed)}", column.allowed


def _rules(cell: Cell, reading: Reading) -> list[tuple[str, str]]:
    """SQL conditions under which a cell is bad, each with the SQL of its reason."""
    column, value = cell.column, cell.value
    result = []

    def refuse(condition: str, words: str) -> None:
        before, after = literal(f"{column.name}: '"), literal(f"' {words}")
        result.append((condition, f"{before} || {cell.shown} || {after}"))

    if column.required:
        empty = value if column.kind is Kind.TEXT else cell.raw
        result.append((f"{empty} IS NULL", literal(f"{column.name}: is missing")))
    if column.word:
        refuse(f"{value} IS NOT NULL AND {possible(value)}", "may identify a person: a number or an e-mail")
    if column.kind is Kind.TEXT:
        refuse(f"length({value}) > {LONGEST_TEXT}", f"is longer than {LONGEST_TEXT} characters")
    else:
        wrong = f"{value} IS NULL AND {cell.raw} IS NOT NULL"
        if column.kind is Kind.MONEY:
            number = f"TRY_CAST({cell.raw} AS DOUBLE)"
            huge = f"coalesce(isfinite({number}) AND abs({number}) > {LARGEST_AMOUNT}, false)"
            refuse(f"{wrong} AND {huge}", "is too large an amount")
            wrong = f"{wrong} AND NOT {huge}"
        refuse(wrong, f"is not {_WORDS[column.kind]}")
    scale = 100 if column.kind is Kind.MONEY else 1
    if column.minimum is not None:
        refuse(f"{value} < {column.minimum * scale}", f"is below {column.minimum:g}")
    if column.maximum is not None:
        refuse(f"{value} > {column.maximum * scale}", f"is above {column.maximum:g}")
    words, allowed = _choices(column)
    if allowed:
        refuse(f"{value} NOT IN ({', '.join(map(literal, allowed))})", words)
    if column.kind is Kind.INSTANT:
        end = clock.END.replace(tzinfo=None) if column.future else reading.latest
        latest = end.isoformat(sep=" ", timespec="seconds")
        refuse(f"{value} < TIMESTAMP '1970-01-01'", "is before 1970")
        refuse(f"{value} >= TIMESTAMP '{latest}'", "lies in the future")
    return result
