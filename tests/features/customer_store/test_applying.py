from __future__ import annotations

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from features.build import build, open_applier, open_store
from features.clock import parse_date, to_day
from features.customer_store import choice as stores
from features.customer_store.journal import Journal
from features.customer_store.store import NOWHERE, ReplacedError
from features.ingestion.ingest import ingest
from features.tiles import FOREVER
from features.workspace import Workspace
from tests.features import posting

# `b` is `a` from New Year's Eve on; before, `b` was a customer of its own. `c` and `d` share a household.
NEW_YEAR = to_day(parse_date("2016-12-31"))
PEOPLE = [("b", "b", -(2**31), NEW_YEAR), ("b", "a", NEW_YEAR, FOREVER)]
HOUSEHOLDS = [("c", "h", 0, FOREVER), ("d", "h", NEW_YEAR, FOREVER)]


def give_identity(workspace: Workspace) -> None:
    """What resolving identities leaves behind."""
    with workspace.publish(workspace.identity) as folder, duckdb.connect() as connection:
        for name, columns, rows in (
            ("people", "reference, customer_id, from_day, to_day", PEOPLE),
            ("households", "customer_id, household_id, from_day, to_day", HOUSEHOLDS),
        ):
            query = f"FROM (VALUES {', '.join(map(str, rows))}) AS t({columns})"
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet'")


@pytest.fixture
def halves(tmp_path):
    """`halves(events)`: what a rebuild from all gives, and a workspace with the first half and its store."""

    def make(events: Sequence[posting.Event], *, with_ids: bool = True, identity: bool = False):
        made = []
        for name, given in (("all", events), ("half", events[: len(events) // 2])):
            workspace = Workspace(tmp_path / name)
            source = posting.write_source(tmp_path / f"{name}-source", given, with_ids=with_ids)
            ingest(workspace.create(), str(source))
            if identity:
                give_identity(workspace)
            build(workspace, force=True)
            made.append((workspace, open_store(workspace)))
        return posting.content(made[0][1]), *made[1]

    return make


@pytest.mark.parametrize(
    ("seed", "with_ids", "identity", "where"),
    [
        (0, True, False, ""),
        (1, False, False, ""),
        (2, True, True, ""),
        (3, False, True, ""),
        (4, True, True, "redis"),
    ],
)
def test_events_posted_one_by_one_give_the_store_of_a_rebuild(  # noqa: PLR0917
    tmp_path, halves, request, monkeypatch, seed, with_ids, identity, where
):
    if where:
        monkeypatch.setenv(stores.VARIABLE, request.getfixturevalue("redis_url"))
    events = posting.stream(seed)
    expected, workspace, store = halves(events, with_ids=with_ids, identity=identity)
    assert sum(len(arrays[0][0]) for arrays, *_ in expected.values()) > 20
    assert any(members for *_, members, _ in expected.values()) == identity
    later = events[len(events) // 2 :]
    random.Random(seed).shuffle(later)
    assert posting.content(store) != expected
    assert all(posting.post(workspace, store, later))
    assert posting.content(store) == expected
    assert not any(posting.post(workspace, store, later, size=7))
    assert posting.content(store) == expected

    # A build forgets no event, and counts none twice once the tables have it.
    build(workspace, force=True)
    assert posting.content(open_store(workspace)) == expected
    closed = posting.write_source(tmp_path / "closed", [*events, *posting.CLOSING], with_ids=with_ids)
    fresh = Workspace(tmp_path / "fresh")
    for each in (fresh, workspace):
        ingest(each.create(), str(closed))
        if identity:
            give_identity(each)
        build(each, force=True)
    assert posting.content(open_store(workspace)) == posting.content(open_store(fresh))


def test_an_event_that_the_tables_have_is_repeated(halves):
    events = posting.stream(5, 40)
    _, workspace, store = halves(events)
    before = posting.content(store)
    assert not any(posting.post(workspace, store, events[:20]))
    assert posting.content(store) == before
    assert Journal(workspace.events).after(0) == []


def test_who_was_killed_between_the_journal_and_the_store_catches_up(halves):
    events = posting.stream(8, 60)
    expected, workspace, store = halves(events)
    applier = open_applier(workspace, store)
    assert all(applier.keep([posting.read(workspace, event) for event in events[30:]]))
    assert posting.content(store) != expected
    again = open_applier(workspace, open_store(workspace))
    assert again.catch_up() == 30
    assert posting.content(store) == expected
    assert again.catch_up() == 0
    # Applying twice is applying once: a store that has forgotten how far it was comes to the same.
    with store._writing.writing() as connection:
        connection.execute("UPDATE meta SET value = '[\"\", 0]' WHERE key = 'position'")
    assert store.position == NOWHERE
    again.prepare()
    assert posting.content(store) == expected
    # So does one whose journal came back from an older copy, where numbers come a second time.
    with store._writing.writing() as connection:
        position = store.position._replace(number=1000)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'position'", [json.dumps(position)])
    assert again.catch_up() == 30
    assert store.position.number == 30


def test_many_may_post_at_once(halves):
    events = posting.stream(7, 80)
    expected, workspace, store = halves(events)

    def post(part: int) -> list[bool]:
        return posting.post(workspace, open_store(workspace), events[40 + part :: 4], size=3)

    with ThreadPoolExecutor(4) as pool:
        assert all(all(new) for new in pool.map(post, range(4)))
    assert posting.content(store) == expected


def test_a_day_of_the_tables_is_found_after_a_newer_ingest(tmp_path, halves):
    events = posting.stream(8, 60)
    expected, workspace, store = halves(events)
    newer = posting.write_source(tmp_path / "newer", [*events[:30], *posting.CLOSING])
    ingest(workspace, str(newer))
    assert all(posting.post(workspace, store, events[30:]))
    assert posting.content(store) == expected
    build(workspace)
    assert store.replaced
    with pytest.raises(ReplacedError, match="open it again"):
        open_applier(workspace, store)


def test_the_last_day_posted_is_known_for_each_customer(halves):
    events = posting.stream(9, 20)
    _, workspace, store = halves(events, identity=True)
    applier = open_applier(workspace, store)
    assert applier.known_day("a") is None
    day = {"event_id": "l", "table": "transactions", "amount": 1, "customer_id": "b"}
    posting.post(workspace, store, [{**day, "occurred_at": "2017-02-01T12:00Z"}])
    late = {**day, "event_id": "m", "known_at": "2017-02-05T12:00Z", "occurred_at": "2016-02-01T12:00Z"}
    posting.post(workspace, store, [late])
    assert applier.known_day("a") == applier.known_day("b") == to_day(parse_date("2017-02-05"))
    assert applier.known_day("c") is None
