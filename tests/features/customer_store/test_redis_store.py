"""What is Redis's own; the contract of a store is tried in `test_store.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from features.customer_store import choice as stores
from features.customer_store import redis_store
from features.customer_store.history import History
from features.customer_store.redis_store import RedisStore, Server, load
from features.customer_store.store import NOWHERE, Change, Content, Position, ReplacedError, StoreDownError
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.conftest import RedisServer, free_port, redis_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as started:
        yield started


@pytest.fixture
def space(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace").create()


def keys(url: str) -> list[str]:
    with Redis.from_url(url) as client:
        return sorted(key.decode() for key in client.scan_iter())


def test_workspaces_do_not_meet_in_one_server(tmp_path, redis_url):
    spaces = [Workspace(tmp_path / name).create() for name in ("one", "two")]
    for space, customer in zip(spaces, "ab", strict=True):
        load(space, redis_url, "g1", Content([History(customer)], {})).publish()
    assert [RedisStore.open(space, redis_url).customers() for space in spaces] == [["a"], ["b"]]
    prefixes = {key.split(":")[1] for key in keys(redis_url)}
    assert not any(str(tmp_path) in prefix for prefix in prefixes)
    assert Server(spaces[0], redis_url).prefix == Server(spaces[0], redis_url).prefix


def test_the_old_generation_ends_and_what_a_killed_load_left_is_removed(space, server):
    def killed() -> Iterator[History]:
        yield from (History(f"k{i}") for i in range(2000))
        raise KeyboardInterrupt

    load(space, server.url, "g1", Content([History("a")], {"products": ["p"]})).publish()
    old = RedisStore.open(space, server.url)
    with pytest.raises(KeyboardInterrupt):
        load(space, server.url, "g2", Content(killed(), {}))
    assert any(":g2:" in key for key in keys(server.url))
    load(space, server.url, "g3", Content([History("b")], {})).publish()
    assert not any(":g2:" in key for key in keys(server.url))
    with Redis.from_url(server.url) as client:
        ends = {key: client.ttl(key) for key in keys(server.url)}
        assert all(0 < seconds <= redis_store.GRACE for key, seconds in ends.items() if ":g1:" in key)
        assert all(seconds == -1 for key, seconds in ends.items() if ":g1:" not in key)
        assert old.get("a") is not None, "who has it open reads on for a while"
        # What is written late does not make a generation that is going last for ever.
        assert old.apply(Change([History("late")], {}, NOWHERE, Position("j", 1)))
        load(space, server.url, "g4", Content([], {})).publish()
        assert not [key for key in keys(server.url) if key.endswith(":late")]
        for key in keys(server.url):
            if ":g1:" in key:
                client.delete(key)
    with pytest.raises(ReplacedError, match="open it again"):
        old.get("a")
    with pytest.raises(ReplacedError):
        old.apply(Change([], {}, NOWHERE, NOWHERE))
    with pytest.raises(ReplacedError):
        _ = old.position


def test_a_server_that_is_down_is_one_clear_sentence(space, server):
    load(space, server.url, "g1", Content([History("a")], {})).publish()
    opened = RedisStore.open(space, server.url)
    server.stop()
    for question in (lambda: opened.get("a"), lambda: opened.replaced, opened.customers):
        with pytest.raises(StoreDownError, match=r"cannot be used .*Start the Redis server") as error:
            question()
        assert error.value.exit_code is ExitCode.NOT_BUILT
    with pytest.raises(StoreDownError):
        opened.apply(Change([History("a")], {}, NOWHERE, NOWHERE))


def test_the_sentence_has_no_password(space, monkeypatch):
    url = f"redis://me:secret@127.0.0.1:{free_port()}/0"
    monkeypatch.setenv(stores.VARIABLE, url)
    with pytest.raises(StoreDownError) as error:
        stores.open_store(space)
    assert "secret" not in str(error.value)
    with pytest.raises(StoreDownError):
        stores.is_of(space, {})


def test_a_url_that_cannot_be_read_is_one_clear_sentence(space):
    with pytest.raises(UserError, match="redis://localhost:port/0 cannot be used"):
        RedisStore.open(space, "redis://localhost:port/0")
