"""The contract of a customer store, tried on every store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from features.customer_store import choice as stores
from features.customer_store import store
from features.customer_store.history import NO_VISITS, History, Keyed, Member, Rows
from features.customer_store.store import Change, Content, CustomerStore, Position, ReplacedError
from features.errors import ExitCode, UserError
from features.measures import MEASURE_NAMES
from features.workspace import Workspace


def history(customer_id: str, value: int = 1, days: tuple[int, ...] = (1, 2), **parts) -> History:
    values = np.full((len(MEASURE_NAMES), len(days)), value)
    bought = Keyed.of(range(len(days)), days, days, [value] * len(days))
    return History(customer_id, Rows.of(days, days, values), products=bought, stores=bought, **parts)


@pytest.fixture(params=["sqlite", "redis"])
def workspace(request, tmp_path, monkeypatch) -> Workspace:
    if request.param == "redis":
        monkeypatch.setenv(stores.VARIABLE, request.getfixturevalue("redis_url"))
    return Workspace(tmp_path / "workspace").create()


def load(workspace: Workspace, count: int = 3, value: int = 1, **parts) -> int:
    """Load and publish a generation of customers c0, c1, ..."""
    content = Content(
        (history(f"c{i}", value) for i in range(count)),
        {"products": ["apple", "bread"], "stores": ["s1", "s2"]},
        **parts,
    )
    with workspace.publish(workspace.features) as folder:
        loaded = stores.load(workspace, folder, content)
        loaded.publish()
    return loaded.customers


@pytest.fixture
def opened(workspace) -> Iterator[CustomerStore]:
    load(workspace, absent=["products"], note={"tables": "these"}, position=Position("j", 4))
    found = stores.open_store(workspace)
    yield found
    found.close()


def test_customers_names_and_facts_are_kept(workspace):
    assert load(workspace, absent=["products"], note={"tables": "these"}, position=Position("j", 4)) == 3
    opened = stores.open_store(workspace)
    assert opened.customers() == ["c0", "c1", "c2"]
    assert opened.products.tolist() == ["apple", "bread"]
    assert opened.stores.tolist() == ["s1", "s2"]
    assert opened.meta["tables"] == "these"
    assert opened.position == Position("j", 4)
    found = opened.get("c2")
    assert found is not None
    assert found.visits.values.tolist() == [[1, 1]] * len(MEASURE_NAMES)
    assert found.products.key.tolist() == found.stores.key.tolist() == [0, 1]
    assert found.absent == {"products"}
    assert opened.get("nobody") is None
    assert [h.customer_id for h in opened.histories()] == ["c0", "c1", "c2"]
    assert [h.customer_id for h in opened.histories(["c2", "nobody", "c0"])] == ["c2", "c0"]
    opened.close()


def test_purchases_can_be_left_out(opened):
    without = opened.get("c1", purchases=False)
    assert without is not None
    assert without.purchase_product.tolist() == []
    assert without.day.tolist() == [1, 2]


def test_a_household_comes_with_its_members_visits(workspace):
    members = tuple(Member(name, NO_VISITS, 0, 9) for name in ("a", "b", "gone"))
    content = Content([history("a", 3, members=members), history("b", 5)], {})
    with workspace.publish(workspace.features) as folder:
        stores.load(workspace, folder, content).publish()
    opened = stores.open_store(workspace)
    found = opened.get("a")
    assert found is not None
    assert [(m.customer_id, m.from_day, m.to_day) for m in found.members] == [
        ("a", 0, 9),
        ("b", 0, 9),
        ("gone", 0, 9),
    ]
    assert [m.visits.values[0].tolist() for m in found.members] == [[3, 3], [5, 5], []]
    # Its links stay when the customer's own rows change.
    assert opened.apply(Change([found], {}, opened.position, Position("j", 1)))
    again = opened.get("a")
    assert again is not None
    assert [m.customer_id for m in again.members] == ["a", "b", "gone"]
    opened.close()


def test_a_change_is_written_whole_and_once(opened):
    before, after = opened.position, Position("j", 5)
    change = Change([history("c1", 9), history("new", 8)], {"products": ["corn"]}, before, after)
    assert opened.apply(change)
    assert opened.position == after
    assert not opened.apply(change)
    assert opened.customers() == ["c0", "c1", "c2", "new"]
    values = {h.customer_id: h.visits.values[0, 0] for h in opened.histories()}
    assert values == {"c0": 1, "c1": 9, "c2": 1, "new": 8}
    assert opened.names("products", read=True).tolist() == ["apple", "bread", "corn"]
    assert opened.stores.tolist() == ["s1", "s2"]


def test_a_name_that_another_process_added_is_read_when_it_is_needed(workspace, opened):
    assert opened.products.tolist() == ["apple", "bread"]
    other = stores.open_store(workspace)
    bought = Keyed.of([2], [3], [3], [1])
    changed = [History("c1", products=bought)]
    assert other.apply(Change(changed, {"products": ["corn"]}, other.position, Position("j", 5)))
    found = opened.get("c1")
    assert found is not None
    assert opened.products[found.products.key].tolist() == ["corn"]
    other.close()


def test_writers_do_not_overtake_each_other(workspace, opened):
    def count_up(_: int) -> int:
        mine, done = stores.open_store(workspace), 0
        while done < 20:
            at = mine.position
            found = mine.get("c0")
            assert found is not None
            value = int(found.visits.values[0, 0])
            done += mine.apply(Change([history("c0", value + 1)], {}, at, Position("j", at.number + 1)))
        mine.close()
        return done

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count_up, range(4))) == [20] * 4
    found = opened.get("c0")
    assert found is not None
    assert found.visits.values[0, 0] == 81
    assert opened.position == Position("j", 84)


def test_threads_read_at_the_same_time(workspace):
    load(workspace, 50)
    opened = stores.open_store(workspace)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: opened.get(f"c{i % 50}"), range(400)))
    assert [h.customer_id for h in found if h is not None] == [f"c{i % 50}" for i in range(400)]
    opened.close()


def test_a_build_switches_over_in_one_step_while_a_reader_reads(workspace):
    load(workspace, 20, value=1)
    seen: list[set[int]] = []
    stop = threading.Event()

    def read() -> None:
        opened = stores.open_store(workspace)
        while not stop.is_set():
            try:
                found = [opened.get(f"c{i}") for i in range(20)]
            except ReplacedError:
                opened = stores.open_store(workspace)
                continue
            assert all(h is not None for h in found)
            seen.append({int(h.visits.values[0, 0]) for h in found if h is not None})
            if opened.replaced:
                opened = stores.open_store(workspace)
        opened.close()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for value in range(2, 8):
            load(workspace, 20, value)
            passed = len(seen)
            while len(seen) < passed + 3 and not reading.done():
                pass
        stop.set()
        reading.result(timeout=30)
    assert all(len(values) == 1 for values in seen), "a reader saw two generations at once"
    assert {7} in seen
    assert set().union(*seen) <= set(range(1, 8))


def test_a_store_that_was_replaced_says_so(workspace, opened):
    assert not opened.replaced
    load(workspace)
    assert opened.replaced
    fresh = stores.open_store(workspace)
    assert not fresh.replaced
    fresh.close()


def test_a_load_that_fails_leaves_the_last_good_state(workspace, opened):
    def broken() -> Iterator[History]:
        yield history("x")
        raise OSError("killed")

    with pytest.raises(OSError, match="killed"), workspace.publish(workspace.features) as folder:
        stores.load(workspace, folder, Content(broken(), {}))
    assert not opened.replaced
    again = stores.open_store(workspace)
    assert again.customers() == ["c0", "c1", "c2"]
    again.close()
    assert load(workspace, 4) == 4


def test_whether_the_store_is_of_a_build_is_seen_from_its_facts(workspace):
    load(workspace, note={"tables": "these"})
    assert stores.is_of(workspace, {"tables": "these"})
    assert not stores.is_of(workspace, {"tables": "others"})


def test_no_store_says_what_makes_one(workspace):
    with pytest.raises(UserError, match="Run `nextbest features build` first") as error:
        stores.open_store(workspace)
    assert error.value.exit_code is ExitCode.NOT_BUILT
    assert not stores.is_of(workspace, {})


def test_a_store_of_other_measures_is_refused(workspace, monkeypatch):
    load(workspace)
    monkeypatch.setattr(store, "MEASURE_NAMES", ("others",))
    with pytest.raises(UserError, match="built by another version"):
        stores.open_store(workspace)
