"""Random numbers by address: that of (seed, stream, person, day, k) is the same whatever else is drawn.

A generator that is read in order would give a customer other luck as soon as a policy, a block of customers
or a thread draws once more. Here every number is a hash of its address (splitmix64: Steele, Lea & Flood 2014,
"Fast splittable pseudorandom number generators"), so that two policies on one seed differ only by what they
do (common random numbers), and a part of a world behaves as it does in the whole. Other distributions are
inverse transforms of that uniform: a changed parameter moves an outcome and never reshuffles it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Words = NDArray[np.uint64]

EVERYBODY: Final = -1
"""The person of numbers that all customers share, like the weather of a day."""
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_MASK: Final = 2**64 - 1
_ROUNDS: Final = 6


def uniform(seed: int, stream: str, person: ArrayLike, day: ArrayLike = 0, k: ArrayLike = 0) -> Floats:
    """Numbers strictly between 0 and 1, one for each address.

    Args:
        seed: of the world.
        stream: what the number decides, like "visits"; two streams have nothing to do with each other.
        person: positions of customers, or `EVERYBODY`.
        day: days since 1970-01-01.
        k: which of several numbers of that person and day.

    Returns:
        float64, of the shape that `person`, `day` and `k` broadcast to.
    """
    words = _words(seed, stream, person, day, k)
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(u: ArrayLike) -> Floats:
    """Standard normal numbers of uniform ones."""
    from scipy.special import ndtri

    return np.asarray(ndtri(u), dtype=np.float64)


def lognormal(u: ArrayLike, spread: ArrayLike) -> Floats:
    """Lognormal numbers with mean 1; `spread` is the standard deviation of their logarithm."""
    spread = np.asarray(spread, dtype=np.float64)
    return np.asarray(np.exp(spread * normal(u) - spread * spread / 2))


def exponential(u: ArrayLike) -> Floats:
    """Exponential numbers with mean 1."""
    return np.asarray(-np.log1p(-np.asarray(u, dtype=np.float64)))


def gamma(u: ArrayLike, shape: ArrayLike) -> Floats:
    """Gamma numbers with mean 1; a smaller `shape` makes them more unequal (variance 1 / shape)."""
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, u) / np.asarray(shape), dtype=np.float64)


def beta(u: ArrayLike, mean: ArrayLike, weight: ArrayLike) -> Floats:
    """Beta numbers with that mean; `weight` = a + b, a larger one brings them closer to the mean."""
    from scipy.special import betaincinv

    mean, weight = np.asarray(mean, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    return np.asarray(betaincinv(mean * weight, (1 - mean) * weight, u), dtype=np.float64)


def poisson(u: ArrayLike, mean: ArrayLike, most: int = 50) -> Ints:
    """Poisson numbers, at most `most`: the smallest n whose cumulative probability is beyond `u`."""
    u, mean = np.broadcast_arrays(np.asarray(u, dtype=np.float64), np.asarray(mean, dtype=np.float64))
    term = np.exp(-mean)
    total = term.copy()
    counts = np.zeros(u.shape, dtype=np.int64)
    for n in range(1, most + 1):
        above = u >= total
        if not above.any():
            break
        counts += above
        term = term * mean / n
        total += term
    return counts


def choice(u: ArrayLike, weights: ArrayLike) -> Ints:
    """Positions chosen with chances proportional to `weights`.

    Args:
        u: uniform numbers, float64[m].
        weights: float64[c] for all, or float64[m, c], a row for each; not negative, each row above 0 in sum.

    Returns:
        int64[m]
    """
    u, weights = np.asarray(u, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    bounds = np.cumsum(weights, axis=-1)
    # The product may round up to the last bound, which belongs to nobody.
    target = np.minimum(u * bounds[..., -1], np.nextafter(bounds[..., -1], 0))
    if weights.ndim == 1:
        return np.asarray(np.searchsorted(bounds, target, side="right"), dtype=np.int64)
    return np.asarray((bounds <= target[:, None]).sum(axis=1), dtype=np.int64)


def permute(seed: int, stream: str, number: ArrayLike, size: int) -> Ints:
    """A seeded bijection of 0..size-1: other names for the same things, from which no order can be read.

    A Feistel network over the next even number of bits, walked until it falls below `size` (Black & Rogaway
    2002, "Ciphers with arbitrary finite domains").

    Args:
        seed: of the world.
        stream: what is renamed.
        number: int64, each from 0 to size - 1.
        size: how many there are.

    Returns:
        int64, of the shape of `number`.
    """
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    low = (np.uint64(1) << half) - np.uint64(1)
    keys = [np.array([_key(seed, f"{stream}/{turn}")], dtype=np.uint64) for turn in range(_ROUNDS)]
    words = np.array(number, dtype=np.int64).astype(np.uint64)
    todo = np.ones(words.shape, dtype=bool)
    while todo.any():
        left, right = words[todo] >> half, words[todo] & low
        for key in keys:
            left, right = right, left ^ (_mix(right, key) & low)
        words[todo] = (left << half) | right
        todo = words >= np.uint64(size)
    return words.astype(np.int64)


def _words(seed: int, stream: str, person: ArrayLike, day: ArrayLike, k: ArrayLike) -> _Words:
    """The hash of addresses; the person comes last, so that one day of everybody costs one round."""
    parts: list[Any] = [day, k, person]
    scalar = _key(seed, stream)
    # Most draws are for one day: whole numbers are mixed without the cost of arrays.
    while len(parts) > 1 and isinstance(parts[0], int):
        scalar = _mix_one(scalar, parts.pop(0))
    words = np.full((1,), scalar, dtype=np.uint64)
    for part in parts:
        given = np.atleast_1d(np.asarray(part, dtype=np.int64)).astype(np.uint64)
        words = _mix(words, given)
    return words.reshape(np.broadcast_shapes(np.shape(person), np.shape(day), np.shape(k)))


def _mix(words: _Words, part: _Words) -> _Words:
    """One round of splitmix64: the next word after `part` more steps."""
    words = words + (part + np.uint64(1)) * _STEP
    words ^= words >> np.uint64(30)
    words *= _FIRST
    words ^= words >> np.uint64(27)
    words *= _SECOND
    words ^= words >> np.uint64(31)
    return words


def _mix_one(word: int, part: int) -> int:
    """The same of whole numbers."""
    word = (word + (part + 1) * int(_STEP)) & _MASK
    word = (word ^ (word >> 30)) * int(_FIRST) & _MASK
    word = (word ^ (word >> 27)) * int(_SECOND) & _MASK
    return word ^ (word >> 31)


@cache
def _key(seed: int, stream: str) -> int:
    """64 bits of a seed and a stream's name."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{stream}".encode(), digest_size=8).digest(), "little")
