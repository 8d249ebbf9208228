from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from features.build import build, open_applier, open_store
from features.canonical import Canonical
from features.clock import parse_date, to_day
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.contacts.history import ContactHistory
from serving.contacts.standing import ACCEPTED, COMPLAINED, OTHER, REDEEMED, REFUSED, SHOWN, Standing
from serving.contacts.touches import Touch
from serving.records.store import RecordsDownError
from tests.features import posting
from tests.features.customer_store.test_applying import give_identity

ACTIONS = ("wash", "welcome", "unused")
CHANNELS: dict[str, list[str]] = {"app": [], "forecourt": []}
ASKED = ("", "app", "forecourt", "shop", "pigeon")
CUSTOMERS = ("a", "b", "c", "d", "nobody")
DAYS = ("2016-02-29", "2016-03-01", "2016-03-20", "2016-12-31", "2017-01-01", "2017-01-02", "2017-06-01")
END = to_day(parse_date("2017-06-01"))


@dataclass
class Own:
    """What came of decisions, in memory."""

    given: list[tuple[Touch, int]] = field(default_factory=list)
    down: bool = False

    def touches(self, references: Sequence[str] | None, before: int | None) -> Iterable[Touch]:
        if self.down:
            raise RecordsDownError("the store is down.")
        for touch, known in self.given:
            if references is not None and touch.reference not in references:
                continue
            if before is None or max(touch.day, known) < before:
                yield touch

    def contacted(self, action: str, since: int, before: int | None) -> int:
        found = self.touches(None, before)
        return sum(t.kind == SHOWN and t.action == action and t.day >= since for t in found)


def opened(folder: Path, events: list[posting.Event], *, identity: bool = False) -> Workspace:
    folder.mkdir(exist_ok=True)
    source = posting.write_source(folder / "source", events)
    workspace = Workspace(folder / "workspace").create()
    ingest(workspace, str(source))
    if identity:
        give_identity(workspace)
    return workspace


def history(canonical: Canonical, **options: Any) -> ContactHistory:
    return ContactHistory.of(canonical, ACTIONS, CHANNELS, **options)


def plain(standing: Standing) -> dict[str, Any]:
    """All of it as lists, NaN as None."""

    def listed(values: Any) -> list[Any]:
        return [None if math.isnan(value) else value for value in values.tolist()]

    named = ("row", "age_days", "action", "channel", "kind", "complaint_age")
    stated = {channel: listed(standing.consent_to("marketing", channel)) for channel in ASKED}
    counts = {(name, days): standing.contacts_of(name, days) for name in ACTIONS for days in (7, 400)}
    return {
        **{name: listed(getattr(standing, name)) for name in named},
        "consent": stated,
        "counts": counts,
    }


def told(standing: Standing) -> set[tuple[int, ...]]:
    columns = (standing.age_days, standing.action, standing.channel, standing.kind)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def order(row: tuple[int, ...]) -> tuple[Any, ...]:
    return row[0], -row[1], row[2:]


def brute(events: list[posting.Event], as_of: int) -> dict[str, Any]:
    """The same by going through the events one by one."""
    seen: dict[str, list[tuple[Any, ...]]] = {table: [] for table in posting.TABLES}
    for event in events:
        at = datetime.fromisoformat(event["occurred_at"])
        known = max(at, datetime.fromisoformat(event.get("known_at", event["occurred_at"])))
        day, known_day = (to_day(each.astimezone(ZoneInfo(posting.ZONE)).date()) for each in (at, known))
        channel = (event.get("channel") or "").strip().lower()
        if max(day, known_day) < as_of:
            row = CUSTOMERS.index(event["customer_id"])
            seen[event["table"]].append((at, row, as_of - day, channel, event))
    rows = touches(seen["exposures"], seen["responses"])
    return {
        "rows": rows,
        "complaint_age": complaints(seen["service_events"]),
        "consent": consents(seen["consents"]),
        "counts": {
            (name, days): sum(r[2] == index and r[4] == SHOWN and r[1] <= days for r in rows)
            for index, name in enumerate(ACTIONS)
            for days in (7, 400)
        },
    }


def touches(exposures: list[tuple[Any, ...]], responses: list[tuple[Any, ...]]) -> list[tuple[int, ...]]:
    contacts, found = set(), []
    for _, row, age, channel, event in exposures:
        through = [*CHANNELS].index(channel) if channel in CHANNELS else OTHER
        contacts.add((row, age, position(event), through, SHOWN, channel))
    for _, row, age, _, event in responses:
        if "kind" in event:
            kind = {"redemption": REDEEMED, "Click": ACCEPTED, "refusal": REFUSED}[event["kind"]]
            found.append((row, age, position(event), OTHER, kind))
    return sorted([*(each[:5] for each in contacts), *found], key=order)


def position(event: posting.Event) -> int:
    return ACTIONS.index(event["action_id"]) if event.get("action_id") else OTHER


def complaints(rows: list[tuple[Any, ...]]) -> list[int | None]:
    ages: list[int | None] = [None] * len(CUSTOMERS)
    closing = {"closed", "resolved"}
    told = [(at, e.get("status", "").strip().lower() in closing, row, age, e) for at, row, age, _, e in rows]
    for _, closes, row, age, event in sorted(told, key=lambda each: each[:2]):
        if closes or event["kind"] == "complaint":
            ages[row] = None if closes else age
    return ages


def consents(rows: list[tuple[Any, ...]]) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {channel: [None] * len(CUSTOMERS) for channel in ASKED}
    for _, row, _, channel, event in sorted(rows, key=lambda each: (each[0], not each[4]["granted"])):
        for about in ASKED:
            strange = channel not in CHANNELS and not event["granted"]
            if channel in {"", about} or strange:
                found[about][row] = float(event["granted"])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_going_through_all_events_gives(tmp_path: Path, seed: int) -> None:
    events = posting.stream(seed, 250)
    contacts = history(Canonical.open(opened(tmp_path, events)))
    for day in DAYS:
        as_of = to_day(parse_date(day))
        found, expected = plain(contacts.standing(CUSTOMERS, as_of, live=False)), brute(events, as_of)
        rows = list(zip(*(found[n] for n in ("row", "age_days", "action", "channel", "kind")), strict=True))
        assert sorted(rows, key=order) == expected.pop("rows")
        assert [each[:2] for each in rows] == [each[:2] for each in sorted(rows, key=order)]
        assert {name: found[name] for name in expected} == expected


def test_a_channel_goes_by_the_names_that_tables_have_for_it(tmp_path: Path) -> None:
    canonical = Canonical.open(opened(tmp_path, posting.stream(8, 300)))
    channels = {"attendant": ["Forecourt"], "screen": ["forecourt"], "app": [], "shop": []}
    found = ContactHistory.of(canonical, ACTIONS, channels).standing(CUSTOMERS, END, live=False)
    own = ContactHistory.of(canonical, ACTIONS, {"forecourt": [], "app": [], "shop": []})
    plainly = own.standing(CUSTOMERS, END, live=False)
    stated = plainly.consent_to("marketing", "forecourt")
    assert {0.0, 1.0} <= set(stated)
    for name in ("attendant", "screen"):
        np.testing.assert_array_equal(found.consent_to("marketing", name), stated)
    # A contact is through the first of them.
    assert (found.channel == 0).sum() == (plainly.channel == 0).sum() > 0
    assert not (found.channel == 1).any()


@pytest.mark.parametrize("identity", [False, True])
def test_tables_cut_at_a_day_say_the_same(tmp_path: Path, identity: bool) -> None:
    whole = Canonical.open(opened(tmp_path, posting.stream(5, 300), identity=identity))
    contacts, differs = history(whole), 0
    for number, day in enumerate(DAYS):
        as_of = to_day(parse_date(day))
        cut = history(whole.cut(as_of, tmp_path / f"cut{number}"))
        found = plain(contacts.standing(CUSTOMERS, as_of, live=False))
        assert found == plain(cut.standing(CUSTOMERS, as_of, live=False))
        differs += found != plain(cut.standing(CUSTOMERS, END + 900, live=False))
    assert differs


def test_a_joined_reference_brings_its_contacts_along_from_that_day_on(tmp_path: Path) -> None:
    events = posting.stream(6, 300)
    apart = history(Canonical.open(opened(tmp_path / "apart", events)))
    joined = history(Canonical.open(opened(tmp_path / "joined", events, identity=True)))
    new_year = to_day(parse_date("2016-12-31"))
    names = ["a", "b"]
    before = plain(joined.standing(names, new_year, live=False))
    assert before == plain(apart.standing(names, new_year, live=False))
    after = joined.standing(names, END, live=False)
    assert set(after.row.tolist()) == {0}
    alone = apart.standing(names, END, live=False)
    assert len(alone.row) > (alone.row == 0).sum() > 0
    # What both were contacted with on one day is one contact of the person.
    assert told(after) == told(alone)


def test_one_by_one_is_all_at_once(tmp_path: Path) -> None:
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(7, 300))))
    many = contacts.standing(CUSTOMERS, END, live=False)
    for place, name in enumerate(CUSTOMERS):
        one, part = contacts.standing([name], END, live=False), many.slice(place, place + 1)
        assert plain(one) == plain(part)
    again = contacts.named(("welcome",), {"app": []}).standing(CUSTOMERS, END, live=False)
    assert (again.action == 0).sum() == (many.action == 1).sum() > 0
    assert (again.channel == 0).sum() == (many.channel == 0).sum() > 0


@pytest.mark.parametrize("identity", [False, True])
def test_posted_events_count_as_if_the_tables_had_them(tmp_path: Path, identity: bool) -> None:
    events = posting.stream(8, 240)
    whole = history(Canonical.open(opened(tmp_path / "whole", events, identity=identity)))
    half = opened(tmp_path / "half", events[:120], identity=identity)
    build(half)
    store = open_store(half)
    assert all(posting.post(half, store, events[120:]))
    contacts = history(Canonical.open(half), applier=open_applier(half, store))
    for day in ("2016-12-31", "2017-01-02", "2017-06-01"):
        as_of = to_day(parse_date(day))
        for name in CUSTOMERS:
            found = plain(contacts.standing([name], as_of, live=False))
            expected = plain(whole.standing([name], as_of, live=False))
            for each in (found, expected):
                del each["counts"]
                each["rows"] = sorted(
                    zip(*(each.pop(n) for n in ("row", "age_days", "action", "channel", "kind")), strict=True)
                )
            # Two contacts of no action are told apart by what the tables group; an action's count once.
            assert [r for r in found["rows"] if r[2] >= 0] == [r for r in expected["rows"] if r[2] >= 0]
            del found["rows"], expected["rows"]
            assert found == expected
    early = to_day(parse_date("2016-03-01"))
    assert len(contacts.standing(["a"], early, live=True).row) > len(
        contacts.standing(["a"], early, live=False).row
    )


def test_own_outcomes_count_at_once_where_the_answer_is_live(tmp_path: Path) -> None:
    own = Own()
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(9, 5))), own=own)
    assert len(contacts.standing(["nobody"], END, live=True).row) == 0
    own.given = [
        (Touch("nobody", END, 10, "wash", "app", SHOWN), END),
        (Touch("nobody", END, 11, "wash", "app", SHOWN), END),
        (Touch("nobody", END - 3, 5, "welcome", "app", SHOWN), END),
        (Touch("nobody", END - 3, 6, "gone", "pigeon", REFUSED), END - 3),
        (Touch("nobody", END, 12, "wash", "app", COMPLAINED), END),
        (Touch("a", END, 12, "wash", "app", REFUSED), END),
    ]
    live = contacts.standing(["nobody"], END, live=True)
    assert live.age_days.tolist() == [3, 3, 0, 0]
    assert live.action.tolist() == [1, OTHER, 0, 0]
    assert live.channel.tolist() == [0, OTHER, 0, 0]
    assert live.kind.tolist() == [SHOWN, REFUSED, SHOWN, COMPLAINED]
    assert live.complaint_age.tolist() == [0]
    before = contacts.standing(["nobody"], END, live=False)
    assert before.kind.tolist() == [REFUSED]
    assert np.isnan(before.complaint_age).all()
    # The same in a sweep over more customers than are looked up one by one.
    names = [*(f"x{number}" for number in range(60)), "nobody"]
    sweep = contacts.standing(names, END, live=True)
    assert (sweep.row - 60).tolist() == live.row.tolist()
    assert sweep.kind.tolist() == live.kind.tolist()
    assert sweep.complaint_age.tolist()[60] == 0


def test_capacity_counts_contacts_of_all_customers(tmp_path: Path) -> None:
    own = Own([(Touch("x", END, 1, "unused", "app", SHOWN), END)])
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(9, 5))), own=own)
    assert contacts.standing(["a"], END, live=True).contacts_of("unused", 7) == 1
    assert contacts.standing(["a"], END, live=False).contacts_of("unused", 7) == 0
    assert contacts.standing(["a"], END + 8, live=False).contacts_of("unused", 7) == 0


def test_a_store_that_is_down_is_said_and_stops_nothing(tmp_path: Path) -> None:
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(9, 60))), own=Own(down=True))
    found = contacts.standing(["a"], END, live=True)
    assert found.missing == "the store is down. What came of our own decisions does not count."
    assert len(found.row)
    assert found.contacts_of("wash", 7) == 0


def test_customers_have_the_time_zone_that_the_tables_say(tmp_path: Path) -> None:
    source = posting.write_source(tmp_path / "source", posting.stream(9, 60))
    rows = "customer_id,time_zone\na,Asia/Shanghai\nb,\nonly-here,Europe/Berlin\n"
    (source / "customers.csv").write_text(rows)
    workspace = Workspace(tmp_path / "workspace").create()
    ingest(workspace, str(source))
    contacts = history(Canonical.open(workspace))
    noon = int(datetime(2017, 6, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
    names = ["a", "b", "only-here", "nobody"]
    together = contacts.standing(names, END, live=True).minute(noon, posting.ZONE).tolist()
    assert together == [20 * 60, 8 * 60, 14 * 60, 8 * 60]
    alone = [contacts.standing([name], END, live=True).minute(noon, posting.ZONE).tolist() for name in names]
    assert alone == [[minute] for minute in together]
