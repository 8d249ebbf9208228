from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.decisions import groups

EVERYBODY = [f"customer {number}" for number in range(20_000)]


def test_a_draw_is_the_hash_of_salt_name_and_id() -> None:
    digest = hashlib.blake2b(b"salt:name:7", digest_size=8).digest()
    expected = (int.from_bytes(digest, "big") >> 11) / 2**53
    assert groups.uniform("name", ["6", "7"], "salt")[1] == expected


def test_draws_are_even_and_those_of_two_names_or_salts_independent() -> None:
    first, second = groups.uniforms(["a", "b"], EVERYBODY).T
    salted = groups.uniform("a", EVERYBODY, "salt")
    for drawn in (first, second, salted):
        counts, _ = np.histogram(drawn, bins=10, range=(0, 1))
        # 10 cells of 2,000: the 99.9 % point of chi square with 9 degrees of freedom is 27.9.
        assert ((counts - 2000) ** 2 / 2000).sum() < 27.9
    # The standard error of a correlation of independent draws is 1 / sqrt(20,000) = 0.007.
    assert np.abs(np.corrcoef([first, second, salted]) - np.eye(3)).max() < 0.025


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=8))
def test_a_draw_depends_on_nobody_else(customers: list[str], name: str) -> None:
    together = groups.uniform(name, customers)
    assert together.tolist() == [groups.uniform(name, [one])[0] for one in customers]
    assert ((together >= 0) & (together < 1)).all()


def test_arms_have_their_shares_and_stay() -> None:
    shares = {"a": 0.5, "b": 0.2, "c": 0.3}
    arms = groups.arm("trial", shares, EVERYBODY)
    found = np.bincount(arms, minlength=3) / len(EVERYBODY)
    assert np.abs(found - [0.5, 0.2, 0.3]).max() < 0.015
    assert groups.arm("trial", shares, EVERYBODY[:50]).tolist() == arms[:50].tolist()
    assert groups.arm("another", shares, EVERYBODY).tolist() != arms.tolist()
