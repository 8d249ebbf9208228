import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.keys import ANYBODY, Key
from serving.access.rate import BURST, Buckets


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_may_ask_at_its_rate_and_what_it_saved() -> None:
    clock = Clock()
    buckets, key = Buckets(clock), Key("till", rate=4)
    assert [buckets.wait(key) for _ in range(9)] == [0] * int(BURST * 4) + [1]
    clock.now += 0.25
    assert [buckets.wait(key) for _ in range(2)] == [0, 1]
    assert buckets.wait(Key("other", rate=4)) == 0


def test_a_slow_key_is_told_how_long_to_wait() -> None:
    clock = Clock()
    buckets, key = Buckets(clock), Key("till", rate=0.1)
    assert [buckets.wait(key), buckets.wait(key)] == [0, 10]
    clock.now += 10.5
    assert buckets.wait(key) == 0


def test_who_has_no_limit_never_waits() -> None:
    buckets = Buckets(Clock())
    assert not any(buckets.wait(ANYBODY) for _ in range(1000))


@given(st.floats(0.05, 50), st.lists(st.floats(0, 3), max_size=60))
def test_no_pattern_of_asking_gets_more_than_the_rate(rate: float, gaps: list[float]) -> None:
    clock = Clock()
    buckets, key = Buckets(clock), Key("till", rate=rate)
    passed = 0
    for gap in gaps:
        clock.now += gap
        passed += buckets.wait(key) == 0
    assert passed <= max(BURST * rate, 1) + rate * sum(gaps) + 1e-6


def test_the_wait_is_long_enough() -> None:
    clock = Clock()
    buckets, key = Buckets(clock), Key("till", rate=0.3)
    buckets.wait(key)
    clock.now += buckets.wait(key)
    assert buckets.wait(key) == pytest.approx(0)
