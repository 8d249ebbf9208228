from features.customer_store.owners import Owners
from features.tiles import FOREVER

# `b` was nobody's but its own until day 10, and is `a` from then on.
OWNERS = Owners({"b": [("b", -1, 10), ("a", 10, FOREVER)]}, {"a": {"b"}, "b": {"b"}})


def test_a_reference_that_was_never_joined_is_its_own():
    assert OWNERS.customers("c") == {"c"}
    assert OWNERS.references("c") == {"c"}
    assert OWNERS.spans("c", "c", 3) == [(3, FOREVER)]
    assert OWNERS.spans("a", "c", 3) == []
    assert OWNERS.owner("c", 5) == "c"


def test_a_joined_reference_counts_for_each_customer_in_its_time():
    assert OWNERS.customers("b") == {"a", "b"}
    assert OWNERS.references("a") == {"a", "b"}
    assert [OWNERS.owner("b", day) for day in (1, 10, 11)] == ["b", "b", "a"]
    assert OWNERS.spans("b", "b", 3) == [(3, 10)]
    assert OWNERS.spans("a", "b", 3) == [(10, FOREVER)]
    # Known only after it had gone to another: it never counted for the first.
    assert OWNERS.spans("b", "b", 12) == []
    assert OWNERS.spans("a", "b", 12) == [(12, FOREVER)]
