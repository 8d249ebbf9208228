"""Whether parts of ids go with what ids must not tell: chi-squared tests of bits, digits, remainders, ranks.

Ids are permuted numbers, so that each part of them is even whatever the truth is, row by row, and a table of
a part and a label of the truth is as uneven as chance makes it. Two bits may tell together what neither
tells alone, so that each two are tried as well; what three or more tell together is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, poisson

Codes = NDArray[np.int64]
LEAST_EXPECTED = 5
LEAST_PAIRS = 300
MOST_PAIRS = 500
MOST_IDS = 2500
"""Of a column, of which each two bits are tried: so many show a leak in one row of four."""
EARLY = 2
"""Rows of a person in a table that are held against the same of another table."""
EVEN = 0.8
SHARED = {"identities.value of phone", "identities.value of plate", "identities.value of national_id"}
"""Columns of values that are known to be of one person where they are equal."""
BITS = 48
PAIRS = [[*(f"bits {one} and {other}" for other in range(BITS)), f"bit {one} alone"] for one in range(BITS)]
MODULI = (3, 5, 7, 9, 10, 11, 13, 16, 32, 97, 100, 256)
RANKS = 20


@dataclass(frozen=True)
class Column:
    """The ids of a column, each once.

    Attributes:
        number: what each id is.
        person: whose it is.
        reference: under which id of a customer; one number for each.
        rank: of each among those of its person in its table, in the order of time.
    """

    number: Codes
    person: Codes
    reference: Codes
    rank: Codes


@dataclass(frozen=True)
class Cells:
    """One cell of each household.

    Attributes:
        code: what it says.
        given: what it may go with.
        person: whose it is.
    """

    code: Codes
    given: Codes
    person: Codes


@dataclass(frozen=True)
class Told:
    """A world's ids and cells, and what they must not tell."""

    columns: Mapping[str, Column]
    labels: Mapping[str, Codes]
    cells: Mapping[str, Cells]


def parts(number: Codes) -> Iterator[tuple[str, Codes]]:
    """What could tell: bits, remainders, decimal digits, rank."""
    for bit in range(BITS):
        yield f"bit {bit}", number >> bit & 1
    for modulus in MODULI:
        yield f"remainder by {modulus}", number % modulus
    for place in range(1, 15):
        yield f"digit {place}", number // 10**place % 10
    yield "rank", np.argsort(np.argsort(number, kind="stable")) * RANKS // len(number)


def chance(part: Codes, label: Codes, *, even: bool = True) -> float | None:
    """Chance of a table of two codes as uneven as this; None where there are too few rows to say.

    Args:
        part: what could tell.
        label: what it must not tell.
        even: ids are even over the values of a part; of other codes those that are too rare are left out.
    """
    if not len(part):
        return None
    width = int(label.max()) + 1
    table = np.bincount(part * width + label, minlength=(int(part.max()) + 1) * width).reshape(-1, width)
    table = table[table.any(axis=1)]
    # Where values are even, each label is expected as often under every one of them.
    table = table[:, table.sum(axis=0) / len(table) >= LEAST_EXPECTED]
    table = table[table.any(axis=1)]
    if not even and table.size:
        table = table[table.sum(axis=1) * table.sum(axis=0).min() >= LEAST_EXPECTED * table.sum()]
        table = table[:, table.any(axis=0)]
    if min(table.shape) < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), freedom))


def signs(number: Codes) -> NDArray[np.float32]:
    """1 for each bit that is not set, -1 for each that is."""
    return 1 - 2 * (number[:, np.newaxis] >> np.arange(BITS) & 1).astype(np.float32)


def bit_pairs(signs: NDArray[np.float32], label: Codes) -> dict[str, float]:
    """Of each two bits: chance of a table of whether they differ and of a label as uneven as this."""
    sizes = np.bincount(label)
    kept = np.flatnonzero(sizes >= 2 * LEAST_EXPECTED)
    if len(kept) < 2:
        return {}
    equal = np.array([signs[label == one].T @ signs[label == one] for one in kept], dtype=np.float64)
    equal, size = (equal + sizes[kept][:, np.newaxis, np.newaxis]) / 2, sizes[kept][:, np.newaxis, np.newaxis]
    share = equal.sum(axis=0) / size.sum()
    # An uneven bit tells by itself; a sign that all share lets each bit stand alone.
    even = np.abs(signs.mean(axis=0)) < EVEN
    even[BITS:] = True
    one, other = np.nonzero(np.triu(even & even[:, np.newaxis] & (share > 0) & (share < 1), 1))
    expected = size * share
    uneven = ((equal - expected)[:, one, other] ** 2 / (expected * (1 - share))[:, one, other]).sum(axis=0)
    found = chi2.sf(uneven, len(kept) - 1).tolist()
    return {PAIRS[a][b]: p for a, b, p in zip(one.tolist(), other.tolist(), found, strict=True)}


def chances(told: Told) -> dict[tuple[str, str, str], float]:
    """Of each column, part and label."""
    found = {}
    for name, column in told.columns.items():
        split, some = list(parts(column.number)), slice(None, None, 1 + len(column.number) // MOST_IDS)
        signed = signs(column.number[some])
        for kind, label in told.labels.items():
            of_row = label[column.person]
            known = of_row >= 0
            for part, code in split:
                if (one := chance(code[known], of_row[known])) is not None:
                    found[name, kind, part] = one
            pairs = bit_pairs(signed[known[some]], of_row[some][known[some]])
            found |= {(name, kind, part): one for part, one in pairs.items()}
    return found


def cell_chances(told: Told) -> dict[tuple[str, str, int], float]:
    """Of each cell and label, for each value of what the cell may go with."""
    found = {}
    for name, cells in told.cells.items():
        for kind, label in told.labels.items():
            of_row = label[cells.person]
            for given in np.unique(cells.given):
                known = (of_row >= 0) & (cells.given == given)
                if (one := chance(cells.code[known], of_row[known], even=False)) is not None:
                    found[name, kind, int(given)] = one
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
    return _and_mixed(np.concatenate(left), np.concatenate(right))


def matches(one: Column, other: Column) -> tuple[Codes, Codes, Codes]:
    """Pairs of ids of two tables that have one person and rank, as many of two, and which they are."""
    first, second = (np.flatnonzero(column.rank < EARLY) for column in (one, other))
    keys = one.person[first] * EARLY + one.rank[first], other.person[second] * EARLY + other.rank[second]
    _, left, right = np.intersect1d(*keys, return_indices=True)
    chosen = np.random.default_rng(0).permutation(len(left))[:MOST_PAIRS]
    return _and_mixed(one.number[first[left[chosen]]], other.number[second[right[chosen]]])


def _and_mixed(one: Codes, other: Codes) -> tuple[Codes, Codes, Codes]:
    mixed = np.random.default_rng(1).permutation(other)
    return np.tile(one, 2), np.append(other, mixed), np.repeat([1, 0], len(one))


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
        if name not in SHARED:
            found |= {(name, part): one for part, one in _alike(*twins(column)).items()}
    return found


def table_chances(told: Told) -> dict[tuple[str, str, str], float]:
    """Of each two columns of different tables: whether ids tell that two rows are of one person.

    Of the numbers of both, too: how likely it is that so many are in both.
    """
    found = {}
    ids = {name: np.sort(column.number) for name, column in told.columns.items()}
    for (name, one), (other_name, other) in combinations(told.columns.items(), 2):
        if {name, other_name} == {"complaints.event_id", "service_events.event_id"}:
            continue
        left, right, same = matches(one, other)
        if len(left) >= LEAST_PAIRS:
            # Beside a sign that is always the same each bit stands for itself.
            equal = np.column_stack([signs(left ^ right), np.ones(len(left), dtype=np.float32)])
            found |= {(name, other_name, part): p for part, p in bit_pairs(equal, same).items()}
        few, many = sorted((ids[name], ids[other_name]), key=len)
        both = int((many[np.minimum(np.searchsorted(many, few), len(many) - 1)] == few).sum())
        room = max(int(few[-1]), int(many[-1]))
        by_chance = len(one.number) * len(other.number) / room
        found[name, other_name, "in both"] = float(poisson.sf(both - 1, by_chance))
    return found


def _alike(left: Codes, right: Codes, same: Codes) -> dict[str, float]:
    """Of each likeness of pairs, and of each two bits in which they may differ."""
    if len(left) < LEAST_PAIRS:
        return {}
    found = {part: chance(code, same) for part, code in likeness(left, right)}
    return {part: one for part, one in found.items() if one is not None} | bit_pairs(
        signs(left ^ right), same
    )


def planted(column: Column, label: Codes, share: float = 1.0) -> Column:
    """The column with the lowest bit of a label in the lowest bit of its ids, in a share of the rows."""
    chosen = np.random.default_rng(0).random(len(column.number)) < share
    chosen &= label[column.person] >= 0
    leak = column.number & ~1 | (label[column.person] & 1)
    return replace(column, number=np.where(chosen, leak, column.number))
