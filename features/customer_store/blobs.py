"""A customer's record in the customer store: a history as two compact byte strings, read in microseconds.

Format 2. Little-endian; every array begins at a multiple of 8 bytes from the start of the blob.
Both blobs begin with the version (u8) and 7 bytes of padding. Then

- tiles: the visits and the touches (`Rows`);
- purchases: the baskets by product and by store (`Baskets`). They stand apart because they are half of the
  record and not every reader wants them.

`Rows`: a header `flags` u8, `measures` u8, `kept` u8, the bytes of a number (u8), `rows` u32, 8 bytes of
padding. Without rows nothing follows. Else, each an array: day int32[rows]; known_day int32[rows] if LATE;
until_day int32[rows] if UNTIL; int[kept + 1, rows], the measures that are not 0 throughout and a row of 0;
u8[measures], the row of each measure. A number takes as many bytes as the largest one needs.

`Baskets`: a header `flags` u8, the bytes of a number of the summary, of a day and of a number of baskets (u8
each), `rows` u32, `keys` u32, `products` u32: how many keys are products and not stores, `last` i32: the last
of all days and known days, 4 bytes of padding. Without rows nothing follows. Else: key int32[keys]; summary
int[3, keys]; day int[rows]; known_day int[rows] if LATE; until_day int32[rows] if UNTIL; place u16[rows], or
u32 with more keys; baskets int[rows].

LONG says that values are to be added in int64: a sum of absolute values may exceed an int32.

Format 1 knew visits and purchases only: `version` u8, `flags` u8 (LATE, and 2 for int64 measures), 2 bytes of
padding, `rows` u32; day, known_day if LATE, then each measure, int32 or int64[rows]; and for purchases int32
product, day, known_day if LATE, baskets. What it did not know is absent from a history read from it.

To change the format: raise `FORMAT`; write the new form in `encode` only; keep reading every older one by its
version byte in `decode`; describe both here; add a test with a record of the older form written byte by byte.
A change of the measures is not a change of format: the store keeps their names and asks for a new build.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.customer_store.history import NO_TOUCHES, NO_VISITS, History, Member
from features.customer_store.rows import NO_BASKETS, NOTHING_BOUGHT, Baskets, Keyed, Rows
from features.errors import UserError
from features.facts import FACTS

FORMAT: Final = 2
LATE: Final = 1
UNTIL: Final = 2
LONG: Final = 4
_START: Final = 8
_ROWS: Final = struct.Struct("<4BI8x")
_BASKETS: Final = struct.Struct("<4BIIIi4x")
_HEADER_1: Final = struct.Struct("<BBxxI")
_WIDE_1: Final = 2
_INT: Final = {width: np.dtype(f"<i{width}") for width in (1, 2, 4, 8)}
_LIMITS: Final = {width: (-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1) for width in (1, 2, 4, 8)}
_UINT: Final = {width: np.dtype(f"<u{width}") for width in (1, 2, 4)}
_DAYS: Final = np.dtype("<i4")
_SUMS: Final = (np.dtype(np.int32), np.dtype(np.int64))
_OF_PURCHASES: Final = frozenset({"product_id", "store_id"})
_NEW_IN_2: Final = frozenset(FACTS) - {"products", "product_id", "channel"}


def encode(history: History) -> tuple[bytes, bytes]:
    """The two blobs of a customer: tiles and purchases. The household is not in them."""
    tiles = (*_rows_bytes(history.visits), *_rows_bytes(history.touches))
    return _record(tiles), _record(_basket_bytes(history.baskets))


def decode(
    customer_id: str,
    tiles: bytes,
    purchases: bytes | None,
    absent: frozenset[str],
    members: tuple[Member, ...] = (),
) -> History:
    """The history in a customer's blobs.

    Args:
        customer_id: the customer.
        tiles: the first blob.
        purchases: the second one; None leaves products and stores out, whose features are then unknown.
        absent: facts that the source does not give.
        members: the household.

    Raises:
        UserError: a blob's version is not known.
    """
    if tiles[0] != FORMAT:
        return _decode_1(customer_id, tiles, purchases, absent)
    visits, at = _read_rows(tiles, _START, NO_VISITS)
    touches, _ = _read_rows(tiles, at, NO_TOUCHES)
    if purchases is None:
        return History(customer_id, visits, touches, members=members, absent=absent | _OF_PURCHASES)
    baskets = _read_baskets(purchases)
    return History(customer_id, visits, touches, members=members, absent=absent, baskets=baskets)


def _record(parts: tuple[bytes, ...]) -> bytes:
    return b"".join((bytes([FORMAT]).ljust(_START, b"\0"), *parts))


def _array(values: NDArray[Any], kind: np.dtype[Any]) -> bytes:
    """An array's bytes, filled up to a multiple of 8."""
    cells = np.ascontiguousarray(values, dtype=kind).tobytes()
    return cells + bytes(-len(cells) % 8)


def _flags(rows: Rows | Baskets, values: NDArray[Any]) -> int:
    late, until = rows.known_day is not rows.day, rows.until_day is not None
    return LATE * late | UNTIL * until | LONG * (values.dtype == np.int64)


def _rows_bytes(rows: Rows) -> tuple[bytes, ...]:
    values = rows.values
    kept = np.flatnonzero(values.any(axis=1))
    width = _width(values)
    header = _ROWS.pack(_flags(rows, values), len(values), len(kept), width, len(rows.day))
    if not len(rows.day):
        return (header,)
    place = np.full(len(values), len(kept), dtype=np.uint8)
    place[kept] = np.arange(len(kept))
    cells = np.zeros((len(kept) + 1, len(rows.day)), dtype=_INT[width])
    cells[:-1] = values[kept]
    days = [_array(days, _DAYS) for days in _day_columns(rows)]
    return (header, *days, _array(cells, _INT[width]), _array(place, _UINT[1]))


def _day_columns(rows: Rows) -> list[NDArray[np.int32]]:
    columns = [rows.day]
    if rows.known_day is not rows.day:
        columns.append(rows.known_day)
    if rows.until_day is not None:
        columns.append(rows.until_day)
    return columns


def _width(values: NDArray[Any]) -> int:
    """Bytes that the largest of some whole numbers needs: 1, 2, 4 or 8."""
    low, high = values.min(initial=0), values.max(initial=0)
    fitting = (width for width, (least, most) in _LIMITS.items() if least <= low and high <= most)
    return next(fitting)


def _read_rows(blob: bytes, at: int, nothing: Rows) -> tuple[Rows, int]:
    """The rows that begin at a place, and the place after them."""
    flags, measures, kept, width, rows = _ROWS.unpack_from(blob, at)
    at += _ROWS.size
    if not rows:
        return nothing, at
    step = rows * 4 + 7 & -8
    day = known_day = np.frombuffer(blob, _DAYS, rows, at)
    at += step
    until_day = None
    if flags & LATE:
        known_day = np.frombuffer(blob, _DAYS, rows, at)
        at += step
    if flags & UNTIL:
        until_day = np.frombuffer(blob, _DAYS, rows, at)
        at += step
    size = (kept + 1) * rows
    cells = np.frombuffer(blob, _INT[width], size, at).reshape(kept + 1, rows)
    at += size * width + 7 & -8
    values = cells.take(np.frombuffer(blob, np.uint8, measures, at), 0)
    whole = _SUMS[flags & LONG != 0]
    if values.dtype != whole:
        values = values.astype(whole)
    return Rows(day, known_day, values, until_day), at + (measures + 7 & -8)


def _basket_bytes(rows: Baskets) -> tuple[bytes, ...]:
    size, keys = len(rows.day), len(rows.key)
    widths = (
        _width(rows.summary),
        max(2, _width(np.concatenate([rows.day, rows.known_day]))),
        _width(rows.baskets),
    )
    header = _BASKETS.pack(_flags(rows, rows.summary), *widths, size, keys, rows.products, rows.last)
    if not size:
        return (header,)
    summed, days, baskets = (_INT[width] for width in widths)
    columns = [_array(rows.key, _DAYS), _array(rows.summary, summed), _array(rows.day, days)]
    if rows.known_day is not rows.day:
        columns.append(_array(rows.known_day, days))
    if rows.until_day is not None:
        columns.append(_array(rows.until_day, _DAYS))
    return (header, *columns, _array(rows.place, _places(keys)), _array(rows.baskets, baskets))


def _places(keys: int) -> np.dtype[Any]:
    return _UINT[2 if keys < 2**16 else 4]


def _read_baskets(blob: bytes) -> Baskets:
    flags, summed, days, counted, rows, keys, products, last = _BASKETS.unpack_from(blob, _START)
    if not rows:
        return NOTHING_BOUGHT
    at = _START + _BASKETS.size
    key = np.frombuffer(blob, _DAYS, keys, at)
    at += keys * 4 + 7 & -8
    summary = np.frombuffer(blob, _INT[summed], 3 * keys, at).reshape(3, keys)
    summary = summary.astype(_SUMS[flags & LONG != 0])
    at += 3 * keys * summed + 7 & -8
    step = rows * days + 7 & -8
    day = known_day = np.frombuffer(blob, _INT[days], rows, at).astype(np.int32)
    at += step
    until_day = None
    if flags & LATE:
        known_day = np.frombuffer(blob, _INT[days], rows, at).astype(np.int32)
        at += step
    if flags & UNTIL:
        until_day = np.frombuffer(blob, _DAYS, rows, at)
        at += rows * 4 + 7 & -8
    kind = _places(keys)
    place = np.frombuffer(blob, kind, rows, at)
    at += rows * kind.itemsize + 7 & -8
    baskets = np.frombuffer(blob, _INT[counted], rows, at)
    return Baskets(key, products, summary, day, known_day, place, baskets, last, until_day)


def _decode_1(customer_id: str, tiles: bytes, purchases: bytes | None, absent: frozenset[str]) -> History:
    flags, rows = _header_1(tiles)
    day = known_day = np.frombuffer(tiles, _DAYS, rows, _HEADER_1.size)
    at = _HEADER_1.size + 4 * rows
    if flags & LATE:
        known_day = np.frombuffer(tiles, _DAYS, rows, at)
        at += 4 * rows
    cells = np.frombuffer(tiles, _INT[8 if flags & _WIDE_1 else 4], offset=at)
    visits = Rows.of(day, known_day, cells.reshape(-1, rows)) if rows else NO_VISITS
    products = NO_BASKETS if purchases is None else _read_purchases_1(purchases)
    return History(customer_id, visits, products=products, absent=absent | _NEW_IN_2)


def _read_purchases_1(blob: bytes) -> Keyed:
    flags, rows = _header_1(blob)
    if not rows:
        return NO_BASKETS
    parts = np.frombuffer(blob, _DAYS, offset=_HEADER_1.size).reshape(-1, rows)
    return Keyed.of(parts[0], parts[1], parts[2 if flags & LATE else 1], parts[-1])


def _header_1(blob: bytes) -> tuple[int, int]:
    version, flags, rows = _HEADER_1.unpack_from(blob)
    if version != 1:
        raise UserError(
            f"the customer store has a record of format {version}; this nextbest reads up to {FORMAT}."
        )
    return flags, rows
