from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from features.canonical import Canonical
from features.evaluators import offline
from features.life_cycle import portrait
from features.life_cycle.rules import RULES

DAY = 300
CUSTOMERS = [
    {"customer_id": f"p{n:02}", "kind": "person", "segment": "retail", "area": "north"} for n in range(40)
] + [{"customer_id": f"o{n}", "kind": "organisation", "segment": "trade"} for n in range(4)]


def lines(customers=CUSTOMERS):
    """Twelve weekly visits each, at 1, 2, 3, ... units a visit by place in the list."""
    return [
        {"customer_id": customer["customer_id"], "day": DAY - 7 * week, "amount_cents": 100 * (place + 1)}
        for place, customer in enumerate(customers)
        for week in range(1, 13)
    ]


@pytest.fixture(scope="module")
def canonical(make_workspace):
    early = {"customer_id": "p00", "day": 10, "amount_cents": 1}
    return Canonical.open(make_workspace([*lines(), early], tables={"customers": CUSTOMERS}))


@pytest.fixture(scope="module")
def base(canonical):
    return portrait.base_at(canonical, DAY)


def own(canonical, customer):
    matrix = offline.compute(canonical, [DAY], [customer], RULES.names)
    return dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))


def test_a_customer_is_placed_in_the_base(canonical, base):
    found = base.standing("p39", own(canonical, "p39"))
    assert found.stage.stage == "forming"
    assert (found.tier.tier, found.tier.kind, found.tier.value_cents) == ("VIP", "person", 12 * 4000)
    assert found.peers.name == "segment retail, area north"
    assert found.peers.size == 40
    spend = next(figure for figure in found.peers.figures if figure.feature == "spend_91")
    assert spend.percentile == pytest.approx(100 * 39.5 / 40)
    organisation = base.standing("o3", own(canonical, "o3"))
    assert organisation.tier.kind == "organisation"
    assert organisation.peers.name == "stage forming"
    assert organisation.peers.passed_over[:2] == (
        "segment x area: the customer's area is not known",
        "segment: 4 customers, fewer than 30",
    )


def test_one_function_says_the_same_and_knows_who_has_no_history(canonical, base):
    assert portrait.standing(canonical, "p07", DAY) == base.standing("p07", own(canonical, "p07"))
    stranger = portrait.standing(canonical, "nobody", DAY)
    assert (stranger.stage, stranger.tier, stranger.peers) == (None, None, None)


def test_figures_of_this_minute_meet_the_thresholds_of_the_base(canonical, base):
    richer = {**own(canonical, "p00"), "spend_182": 1e9}
    found = base.standing("p00", richer)
    assert found.tier.tier == "VIP"
    assert found.as_of == base.thresholds.as_of == DAY


def test_the_frame_has_everybody_once(base):
    frame = base.to_pandas()
    assert len(frame) == 44
    assert frame["customer_id"].is_monotonic_increasing
    assert frame["value_cents"].tolist() == base.values.tolist()
    best = frame[frame["tier"] == "VIP"]
    assert best["next_tier_distance_cents"].isna().all()
    assert set(frame["kind"]) == {"person", "organisation"}


def test_nothing_at_or_after_the_as_of_is_read(ingested_slice, tmp_path: Path):
    canonical = Canonical.open(ingested_slice)
    day = canonical.last_day - 60
    cut = portrait.base_at(canonical.cut(day, tmp_path / "cut"), day)
    whole = portrait.base_at(canonical, day)
    assert whole.thresholds == cut.thresholds
    assert whole.to_pandas().equals(cut.to_pandas())
    customer = whole.customer_id[5]
    values = dict.fromkeys(RULES.names, math.nan) | {"visits_all": 1.0, "spend_182": 5.0}
    assert repr(whole.standing(customer, values)) == repr(cut.standing(customer, values))


def test_bases_are_found_once_and_the_last_few_are_kept(canonical, monkeypatch):
    asked = []

    def counted(tables, as_of):
        asked.append(as_of)
        return portrait.Base.of(tables, as_of, offline.compute(tables, [as_of], names=RULES.names))

    monkeypatch.setattr(portrait, "base_at", counted)
    bases = portrait.Bases(canonical)
    assert bases.at(DAY) is bases.at(DAY)
    for day in range(DAY - portrait.KEPT, DAY):
        bases.at(day)
    bases.at(DAY - 1)
    bases.at(DAY)
    assert asked == [DAY, *range(DAY - portrait.KEPT, DAY), DAY]


def test_a_base_of_nobody(canonical):
    base = portrait.base_at(canonical, 5)
    assert len(base.customer_id) == 0
    nothing = dict.fromkeys(RULES.names, math.nan)
    assert base.standing("p00", nothing).stage is None
    new = nothing | {"visits_all": 1.0, "visits_91": 1.0, "spend_182": 100.0}
    found = base.standing("p00", new)
    assert (found.tier.tier, found.tier.next_tier, found.peers.size) == ("C", None, 0)
    assert np.isnan([figure.percentile for figure in found.peers.figures]).all()
