"""Streams of events as they are posted and as tables have them, for tests of the two ways into the store."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from features.build import open_applier
from features.canonical import Canonical
from features.customer_store.blobs import encode
from features.customer_store.events import TABLES, Checker
from features.customer_store.events import Event as Checked
from features.customer_store.history import History
from features.customer_store.rows import Keyed
from features.customer_store.store import CustomerStore
from features.tables import TABLES as CONTRACTS
from features.workspace import Workspace

Event = dict[str, Any]
ZONE = "America/New_York"
PRODUCTS = (
    ("petrol", "Fuel ", "", "Private"),
    ("wine", "GROCERY", " domestic wine", "National"),
    ("apple", "produce", "", "National"),
    ("straße", "DELI", "naïve snacks", "private"),
)
# Days with a change of clocks, a leap day and a turn of the year, and days between.
DAYS = ("2016-02-28", "2016-02-29", "2016-03-01", "2016-03-13", "2016-11-06", "2016-12-31", "2017-01-01")
CUSTOMERS = ("a", "b", "c", "d")
CHANNELS = (None, "forecourt", " App ", "shop")
ACTIONS = (None, "welcome", "wash")

# After everything in a stream: tables that have these have all of it.
CLOSING = [
    {"event_id": "z", "table": table, "customer_id": "z", "occurred_at": "2017-06-01T12:00:00Z", "amount": 1}
    | {"service_events": {"kind": "visit"}, "consents": {"purpose": "marketing", "granted": True}}.get(
        table, {}
    )
    for table in TABLES
]


def stream(seed: int, count: int = 120) -> list[Event]:
    """Events in the order in which they happened: with late ones, split baskets, refunds and ties."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        day = datetime.fromisoformat(chance.choice(DAYS)).replace(tzinfo=ZoneInfo(ZONE))
        at = (day + timedelta(minutes=chance.choice([0, 1, 119, 150, 700, 1439]))).astimezone(UTC)
        event: Event = {
            "event_id": f"e{number}",
            "table": chance.choices(TABLES, [12, 2, 2, 2, 1])[0],
            "customer_id": chance.choice(CUSTOMERS),
            "occurred_at": at.isoformat(),
        }
        if chance.random() < 0.3:
            event["known_at"] = (at + timedelta(days=chance.choice([-1, 0, 1, 3, 40]))).isoformat()
        event |= values(event["table"], chance)
        made.append({name: value for name, value in event.items() if value is not None})
    return sorted(made, key=lambda event: (event["occurred_at"], event["event_id"]))


def values(table: str, chance: random.Random) -> dict[str, Any]:
    if table == "transactions":
        return {
            "amount": chance.choice([12.34, 0.005, 0.015, 100, "7.125", -3.5, 0]),
            "quantity": chance.choice([None, 1, 2.5, -1, 0, 41.37]),
            "discount": chance.choice([None, 0, 0.5, 30]),
            "product_id": chance.choice([None, "unheard of", *(product[0] for product in PRODUCTS)]),
            "basket_id": chance.choice([None, "1", "2", "3"]),
            "store_id": chance.choice([None, "s1", "s2"]),
            "channel": chance.choice(CHANNELS),
        }
    if table == "exposures":
        action = chance.choice(ACTIONS)
        return {"channel": chance.choice(CHANNELS), "cost": chance.choice([None, 0.5]), "action_id": action}
    if table == "responses":
        kind = chance.choice([None, "redemption", "Click", "refusal"])
        return {"kind": kind, "action_id": chance.choice(ACTIONS)}
    if table == "consents":
        return {"purpose": "marketing", "granted": chance.random() < 0.5, "channel": chance.choice(CHANNELS)}
    return {
        "kind": chance.choice(["complaint", "Rating", "visit"]),
        "score": chance.choice([None, 4, 4.5]),
        "status": chance.choice([None, "open", " Closed", "resolved"]),
    }


def write_source(folder: Path, events: Sequence[Event], *, with_ids: bool = True) -> Path:
    """A source folder that has these events."""
    folder.mkdir()
    (folder / "source.toml").write_text(f'name = "posted"\ntime_zone = "{ZONE}"\n')
    with (folder / "products.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("product_id", "department", "category", "brand"), *PRODUCTS])
    for table in TABLES:
        contract = CONTRACTS[table]
        names = [name for name in contract.names if with_ids or name != "event_id"]
        rows = [event for event in events if event["table"] == table]
        with (folder / f"{table}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, contract.event: row["occurred_at"]} for row in rows)
    return folder


def read(workspace: Workspace, event: Event) -> Checked:
    """An event as the door of a workspace reads it."""
    zone = ZoneInfo(Canonical.open(workspace).source.zone)
    return Checker.now(zone, lambda name: name).read(event)


def post(workspace: Workspace, store: CustomerStore, events: Sequence[Event], size: int = 1) -> list[bool]:
    """Post events, so many at a time."""
    applier = open_applier(workspace, store)
    new = []
    for start in range(0, len(events), size):
        new += applier.keep([read(workspace, event) for event in events[start : start + size]])
        applier.catch_up()
    return new


def content(store: CustomerStore) -> Mapping[str, tuple[Any, ...]]:
    """Everything in a store, codes of names by their order as texts: equal for equal content."""
    return {history.customer_id: _plain(history, store) for history in store.histories()}


def _plain(history: History, store: CustomerStore) -> tuple[Any, ...]:
    same = history._replace(
        products=_recoded(history.products, store.products), stores=_recoded(history.stores, store.stores)
    )
    arrays = [
        [None if part is None else np.asarray(part).tolist() for part in relation]
        for relation in (same.visits, same.touches, same.products, same.stores)
    ]
    used = [store.products[history.products.key].tolist(), store.stores[history.stores.key].tolist()]
    members = [(m.customer_id, m.visits.day.tolist(), m.from_day, m.to_day) for m in history.members]
    return (arrays, sorted(used[0]), sorted(used[1]), members, encode(same))


def _recoded(keyed: Keyed, names: Any) -> Keyed:
    """The same rows with codes in the order of the customer's own names."""
    code = {name: place for place, name in enumerate(sorted(names[keyed.key].tolist()))}
    keys = np.array([code[name] for name in names[keyed.keys].tolist()], dtype=np.int32)
    order = np.argsort(keys, kind="stable")
    until = None if keyed.until_day is None else keyed.until_day[order]
    return Keyed.of(keys[order], keyed.day[order], keyed.known_day[order], keyed.baskets[order], until)
