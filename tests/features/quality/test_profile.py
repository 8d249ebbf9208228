from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from features import session
from features.canonical import Canonical
from features.quality import profile
from features.quality.profile import RECENT_DAYS, TableProfile
from features.tables import TABLES
from features.workspace import Workspace


def of(make_workspace: Any, lines: list[dict[str, Any]]) -> TableProfile:
    workspace = make_workspace(lines)
    file = Canonical.open(workspace).path("transactions")
    with session.connect() as opened:
        return profile.of_table(opened, TABLES["transactions"], file)


def line(day: int, **cells: Any) -> dict[str, Any]:
    return {"customer_id": "a", "day": day, "amount_cents": 100, **cells}


def test_a_column_in_a_few_numbers(make_workspace: Any) -> None:
    found = of(
        make_workspace,
        [
            line(100, amount_cents=100, quantity=1.5, channel="shop", product_id="petrol"),
            line(101, amount_cents=300, quantity=None, channel="shop"),
            line(101, amount_cents=-100, quantity=-1.5, channel="app"),
            line(102, amount_cents=100, channel=None),
        ],
    ).whole
    assert found.rows == 4
    amount = found.columns["amount_cents"]
    assert (amount.missing, amount.distinct, amount.minimum, amount.maximum) == (0, 3, -100, 300)
    assert (amount.mean, amount.sd) == (100, 163.3)
    quantity = found.columns["quantity"]
    assert (quantity.missing, quantity.mean, quantity.maximum) == (0.5, 0, 1.5)
    channel = found.columns["channel"]
    assert (channel.missing, channel.shares) == (0.25, {"app": 0.333333, "shop": 0.666667})
    # Ids are no choices, however few there are.
    assert found.columns["product_id"].shares == {}
    assert (found.columns["payment"].missing, found.columns["payment"].distinct) == (1, 0)


def test_days_gaps_and_late_rows(make_workspace: Any) -> None:
    lines = [line(100), line(100), line(100, known_day=105), line(103), line(110, known_day=112)]
    days = of(make_workspace, lines).whole.days
    assert days is not None
    assert (days.first, days.last, days.with_rows, days.longest_gap) == (100, 110, 3, 7)
    assert (days.least, days.median, days.most) == (1, 1, 3)
    assert days.rows_per_day == pytest.approx(5 / 11, abs=1e-6)
    assert (days.late, days.latest) == (0.4, 5)


def test_recent_is_the_last_days_of_events(make_workspace: Any) -> None:
    found = of(make_workspace, [line(100), line(100 + RECENT_DAYS), line(99 + RECENT_DAYS)])
    assert found.recent is not None
    assert found.recent.rows == 2
    short = of(make_workspace, [line(100), line(110)])
    assert short.recent == short.whole


def test_numbers_of_any_size_are_no_trouble(make_workspace: Any) -> None:
    found = of(
        make_workspace, [line(100, quantity=1e300), line(100, quantity=-1e300), line(100, quantity=3.0)]
    )
    assert found.whole.columns["quantity"].maximum == 1e300
    huge = of(make_workspace, [line(100, amount_cents=10**18), line(101, amount_cents=10**18)])
    assert huge.whole.columns["amount_cents"].mean == 1e18


def test_many_choices_are_no_choices(make_workspace: Any) -> None:
    lines = [line(100, channel=f"c{number:03}") for number in range(profile.CHOICES + 1)]
    assert of(make_workspace, lines).whole.columns["channel"].shares == {}
    assert len(of(make_workspace, lines[1:]).whole.columns["channel"].shares) == profile.CHOICES


def test_the_profile_is_of_the_rows_and_not_of_their_order(make_workspace: Any, tmp_path: Path) -> None:
    dice = random.Random(3)
    lines = [
        line(100 + dice.randrange(90), quantity=dice.random() * 10**7, amount_cents=dice.randrange(10**9))
        for _ in range(3000)
    ]
    written = set()
    for number in range(3):
        dice.shuffle(lines)
        folder = tmp_path / str(number)
        folder.mkdir()
        profile.write({"transactions": of(make_workspace, lines)}, folder)
        written.add((folder / profile.PROFILE_FILE).read_bytes())
    assert len(written) == 1


def test_a_profile_survives_json(ingested_slice: Workspace) -> None:
    kept = profile.read(ingested_slice.tables)
    assert list(kept) == list(Canonical.open(ingested_slice).tables)
    for each in kept.values():
        assert TableProfile.read(json.loads(json.dumps(asdict(each)))) == each
    assert kept["products"].recent is None
    assert kept["products"].whole.days is None


def test_freshness_counts_days_without_rows(ingested_slice: Workspace) -> None:
    canonical = Canonical.open(ingested_slice)
    kept = profile.read(ingested_slice.tables)
    assert profile.freshness(kept, canonical.clock_day) == {"transactions": 0}
    assert profile.freshness(kept, canonical.clock_day + 5) == {"transactions": 5}
