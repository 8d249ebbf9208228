"""Whether parts of ids go with what ids must not tell: chi-squared tests of bits, digits, remainders, ranks.

Ids are permuted numbers, so that each part of them is even whatever the truth is, row by row, and a table of
a part and a label of the truth is as uneven as chance makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Codes = NDArray[np.int64]
LEAST_EXPECTED = 5
LEAST_PAIRS = 300
BITS = 48
MODULI = (3, 5, 7, 9, 10, 11, 13, 16, 32, 97, 100, 256)
RANKS = 20


@dataclass(frozen=True)
class Column:
    """The ids of a column, each once.

    Attributes:
        number: what each id is.
        person: whose it is.
        reference: under which id of a customer; one number for each.
    """

    number: Codes
    person: Codes
    reference: Codes


@dataclass(frozen=True)
class Told:
    """A world's ids, and what they must not tell."""

    columns: Mapping[str, Column]
    labels: Mapping[str, Codes]


def parts(number: Codes) -> Iterator[tuple[str, Codes]]:
    """What could tell: bits, remainders, decimal digits, rank."""
    for bit in range(BITS):
        yield f"bit {bit}", number >> bit & 1
    for modulus in MODULI:
        yield f"remainder by {modulus}", number % modulus
    for place in range(1, 15):
        yield f"digit {place}", number // 10**place % 10
    yield "rank", np.argsort(np.argsort(number, kind="stable")) * RANKS // len(number)


def chance(part: Codes, label: Codes) -> float | None:
    """Chance of a table of two codes as uneven as this; None where there are too few rows to say."""
    if not len(part):
        return None
    width = int(label.max()) + 1
    table = np.bincount(part * width + label, minlength=(int(part.max()) + 1) * width).reshape(-1, width)
    table = table[table.any(axis=1)]
    # Ids are even over the values of a part, so that each label is expected as often under every one of them.
    table = table[:, table.sum(axis=0) / len(table) >= LEAST_EXPECTED]
    table = table[table.any(axis=1)]
    if min(table.shape) < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), freedom))


def chances(told: Told) -> dict[tuple[str, str, str], float]:
    """Of each column, part and label."""
    found = {}
    for name, column in told.columns.items():
        split = list(parts(column.number))
        for kind, label in told.labels.items():
            of_row = label[column.person]
            known = of_row >= 0
            for part, code in split:
                if (one := chance(code[known], of_row[known])) is not None:
                    found[name, kind, part] = one
    return found


def twins(column: Column) -> tuple[Codes, Codes, Codes]:
    """Pairs of ids of one person under different references, as many of two, and which they are."""
    order = np.lexsort((column.number, column.reference, column.person))
    person, reference, number = (each[order] for each in (column.person, column.reference, column.number))
    begins = np.flatnonzero(np.append(True, reference[1:] != reference[:-1]))
    ends = np.append(begins[1:], len(order))
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    mixed = np.random.default_rng(0)
    for one in np.flatnonzero(person[begins][1:] == person[begins][:-1]):
        mine, theirs = (mixed.permutation(number[begins[at] : ends[at]]) for at in (one, one + 1))
        size = min(len(mine), len(theirs))
        left.append(mine[:size])
        right.append(theirs[:size])
    one, other = np.concatenate(left), np.concatenate(right)
    same = np.repeat([1, 0], len(one))
    return np.tile(one, 2), np.append(other, mixed.permutation(other)), same


def likeness(left: Codes, right: Codes) -> Iterator[tuple[str, Codes]]:
    """In which parts two numbers are equal, and how far they are apart."""
    for (name, one), (_, other) in zip(parts(left), parts(right), strict=True):
        yield f"equal {name}", (one == other).astype(np.int64)
    apart = np.abs(left - right)
    yield "apart", np.argsort(np.argsort(apart, kind="stable")) * RANKS // max(len(apart), 1)


def twin_chances(told: Told) -> dict[tuple[str, str], float]:
    """Of each column and likeness: whether ids tell that two references are one person."""
    found = {}
    for name, column in told.columns.items():
        left, right, same = twins(column)
        if len(left) < LEAST_PAIRS:
            continue
        for part, code in likeness(left, right):
            if (one := chance(code, same)) is not None:
                found[name, part] = one
    return found


def planted(column: Column, label: Codes, share: float = 1.0) -> Column:
    """The column with the lowest bit of a label in the lowest bit of its ids, in a share of the rows."""
    chosen = np.random.default_rng(0).random(len(column.number)) < share
    chosen &= label[column.person] >= 0
    leak = column.number & ~1 | (label[column.person] & 1)
    return replace(column, number=np.where(chosen, leak, column.number))
