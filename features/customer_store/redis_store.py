"""The customer store in a Redis server, shared by any number of services.

Keys begin with `nextbest:<workspace>:`, where the workspace is known by a random id that it keeps. The
customers of a build stand under `<generation>:`: a hash of three fields for each, a sorted set of their ids,
lists of names, the facts about the build and the position in the journal. `current` names the generation that
counts. A load writes a whole new generation and then sets `current`, one command; the old one stays until
readers have had `GRACE` to notice. What a killed load left behind is removed by the next one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from features.customer_store.store import (
    NAMES,
    Change,
    Content,
    CustomerStore,
    Loaded,
    Position,
    Record,
    ReplacedError,
    StoreDownError,
    not_built,
)
from features.errors import ExitCode
from features.json_file import read_json, write_json
from features.workspace import Workspace

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

# Seconds for which a generation that was replaced can still be read.
GRACE: Final = 600
# Commands sent at a time, and customers read at a time.
_BATCH: Final = 500
_CONNECT_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 10.0
_FIELDS: Final = ("m", "t", "p")

T = TypeVar("T")


class RedisStore(CustomerStore):
    """A generation of customers in a Redis server."""

    def __init__(self, server: Server, generation: str) -> None:
        """Open a generation.

        Raises:
            UserError: it was written by another version.
            StoreDownError: the server cannot be reached.
        """
        self._server, self._client, self.generation = server, server.client, generation
        self._prefix = f"{server.prefix}{generation}:"
        meta = server.ask(lambda: self._client.hgetall(f"{self._prefix}meta"))
        if not meta:
            raise not_built(f"in {server.where}")
        super().__init__({k.decode(): json.loads(v) for k, v in meta.items()}, f"in {server.where}")

    @classmethod
    def open(cls, workspace: Workspace, url: str) -> RedisStore:
        """The store of the workspace's last build.

        Raises:
            UserError: there is none (exit code NOT_BUILT), or it was written by another version.
            StoreDownError: the server cannot be reached.
        """
        server = Server(workspace, url)
        if (generation := server.current()) is None:
            raise not_built(f"in {server.where}")
        return cls(server, generation)

    @property
    def replaced(self) -> bool:
        """Whether a newer generation has been put in the place of this one."""
        return self._server.current() != self.generation

    @property
    def position(self) -> Position:
        """How far the journal has been applied."""
        text = self._server.ask(lambda: self._client.get(f"{self._prefix}position"))
        if text is None:
            raise self._gone()
        return Position(*json.loads(text))

    def customers(self) -> list[str]:
        """All customers, ascending."""
        ids = self._server.ask(lambda: self._client.zrange(f"{self._prefix}customers", 0, -1))
        return [customer.decode() for customer in ids]

    def apply(self, change: Change) -> bool:
        """Write a change; False, and nothing is written, if the position is not `before` any more."""
        from redis import WatchError

        def write() -> bool:
            with self._client.pipeline() as pipeline:
                pipeline.watch(f"{self._prefix}position")  # type: ignore[no-untyped-call]
                if (text := pipeline.get(f"{self._prefix}position")) is None:
                    raise self._gone()
                if Position(*json.loads(text)) != change.before:
                    return False
                pipeline.multi()
                for name, new in change.names.items():
                    if new:
                        pipeline.rpush(f"{self._prefix}names:{name}", *new)
                for history in change.histories:
                    _put(pipeline, self._prefix, Record.of(history))
                # Lists and customers that are new to a generation on its way out would stay for ever.
                pipeline.set(f"{self._prefix}position", json.dumps(change.after), keepttl=True)
                pipeline.execute()
                return True

        try:
            return bool(self._server.ask(write))
        except WatchError:
            return False

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        self._client.close()

    def _record(self, customer_id: str, purchases: bool) -> tuple[str | None, bytes, bytes | None] | None:
        key, fields = f"{self._prefix}c:{customer_id}", _FIELDS if purchases else _FIELDS[:2]
        found = self._server.ask(lambda: self._client.hmget(key, fields))
        if found[1] is None:
            # Of a generation whose time is over, everybody is missing.
            if not self._server.ask(lambda: self._client.exists(f"{self._prefix}meta")):
                raise self._gone()
            return None
        return _text(found[0]), found[1], found[2] if purchases else None

    def _records(self) -> Iterator[tuple[str, str | None, bytes, bytes]]:
        for ids in _batches(self.customers()):
            pipeline = self._client.pipeline(transaction=False)
            for customer_id in ids:
                pipeline.hmget(f"{self._prefix}c:{customer_id}", _FIELDS)
            for customer_id, row in zip(ids, self._server.ask(pipeline.execute), strict=True):
                if row[1] is None:
                    raise self._gone()
                yield customer_id, _text(row[0]), row[1], row[2]

    def _names(self, name: str) -> list[str]:
        names = self._server.ask(lambda: self._client.lrange(f"{self._prefix}names:{name}", 0, -1))
        return [text.decode() for text in names]

    def _gone(self) -> ReplacedError:
        return ReplacedError(f"the customer store in {self._server.where} has been replaced; open it again.")


class Server:
    """A Redis server as one workspace uses it.

    Attributes:
        client: the connection pool.
        where: the address, without a password.
        prefix: what the workspace's keys begin with.
    """

    def __init__(self, workspace: Workspace, url: str) -> None:
        """Know the server; nothing is sent yet.

        Raises:
            StoreDownError: the URL is not understood.
        """
        from redis import Redis

        parts = urlsplit(url)
        self.where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self.prefix = f"nextbest:{_identity(workspace)}:"
        try:
            self.client: Redis = Redis.from_url(
                url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS
            )
        except ValueError as error:
            raise self.down(error) from None

    def ask(self, question: Callable[[], Any]) -> Any:
        """The answer to a question.

        Raises:
            StoreDownError: there is none.
        """
        from redis import RedisError, WatchError

        try:
            return question()
        except WatchError:
            raise
        except RedisError as error:
            raise self.down(error) from None

    def down(self, error: Exception) -> StoreDownError:
        """The error for a server that does not answer."""
        reason = " ".join(str(error).split()).rstrip(".")
        return StoreDownError(
            f"the customer store {self.where} cannot be used ({reason}). Start the Redis server, or correct "
            "NEXTBEST_STORE.",
            ExitCode.NOT_BUILT,
        )

    def current(self) -> str | None:
        """The generation that counts; None before the first build."""
        name = self.ask(lambda: self.client.get(f"{self.prefix}current"))
        return None if name is None else str(name.decode())

    def switch(self, generation: str) -> None:
        """Let a generation count; the one before can be read for `GRACE` seconds more."""
        old = self.ask(lambda: self.client.set(f"{self.prefix}current", generation, get=True))
        if old is not None and old.decode() != generation:
            for keys in _batches(self._keys(old.decode())):
                pipeline = self.client.pipeline(transaction=False)
                for key in keys:
                    pipeline.expire(key, GRACE)
                self.ask(pipeline.execute)

    def remove_leftovers(self) -> None:
        """Remove what killed loads left behind: generations that neither count nor will end by themselves."""
        current = self.current()
        for keys in _batches(self._keys("*")):
            left = [
                key for key in keys if key.decode().removeprefix(self.prefix).partition(":")[0] != current
            ]
            pipeline = self.client.pipeline(transaction=False)
            for key in left:
                pipeline.ttl(key)
            ends = self.ask(pipeline.execute)
            lasting = [key for key, seconds in zip(left, ends, strict=True) if seconds == -1]
            if lasting:
                self.ask(partial(self.client.unlink, *lasting))

    def _keys(self, generation: str) -> Iterator[bytes]:
        keys = self.client.scan_iter(f"{self.prefix}{generation}:*", count=_BATCH)
        while (key := self.ask(lambda: next(keys, None))) is not None:
            yield key


def load(workspace: Workspace, url: str, generation: str, content: Content) -> Loaded:
    """Load a generation beside the one that counts.

    Raises:
        StoreDownError: the server cannot be reached, or has no room.
    """
    server = Server(workspace, url)
    server.remove_leftovers()
    client, prefix = server.client, f"{server.prefix}{generation}:"
    customers = 0
    for histories in _batches(content.histories):
        pipeline = client.pipeline(transaction=False)
        for history in histories:
            _put(pipeline, prefix, Record.of(history))
        server.ask(pipeline.execute)
        customers += len(histories)
    pipeline = client.pipeline()
    for name in NAMES:
        for names in _batches(content.names.get(name, ())):
            pipeline.rpush(f"{prefix}names:{name}", *names)
    for key, value in content.meta().items():
        pipeline.hset(f"{prefix}meta", key, value)
    pipeline.set(f"{prefix}position", json.dumps(content.position))
    server.ask(pipeline.execute)
    return Loaded(customers, lambda: server.switch(generation))


def _put(pipeline: Pipeline, prefix: str, record: Record) -> None:
    customer_id, members, tiles, purchases = record
    fields = ["t", tiles, "p", purchases, *(() if members is None else ("m", members))]
    pipeline.hset(f"{prefix}c:{customer_id}", items=fields)
    pipeline.zadd(f"{prefix}customers", {customer_id: 0})


def _identity(workspace: Workspace) -> str:
    """The workspace's random id; made when it is first needed."""
    file = workspace.root / "store.json"
    found = read_json(file).get("id")
    if found is None:
        found = uuid.uuid4().hex[:16]
        write_json(file, {"id": found})
    return str(found)


def _text(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode()


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
