"""Potential by hand: what peers reach, minus own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.canonical import Canonical
from features.errors import UserError
from features.life_cycle.peers import Peers
from features.life_cycle.portrait import Base, base_at
from features.life_cycle.rules import RULES, PeerRules, PotentialRules
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from training.datasets import Snapshots
from training.segments import potential

SPEND = [100.0, 200.0, 300.0, 400.0, 500.0, 1000.0, 2000.0, np.nan]
SEGMENT = ["retail"] * 5 + ["trade"] * 2 + [None]


def base(planted: Workspace) -> Base:
    """Eight customers of two segments, one of them too small, and one of unknown segment and spend."""
    rules = dataclasses.replace(
        RULES, potential=PotentialRules("spend_91", 0.8, PeerRules(3, (("segment",), ()), ("spend_91",)))
    )
    real = base_at(Canonical.open(planted), AS_OF)
    nothing = np.full(8, None, dtype=object)
    columns = dict.fromkeys(real.peers.columns, nothing) | {"segment": np.array(SEGMENT, dtype=object)}
    peers = Peers(columns, {"spend_91": np.array(SPEND)}, rules.peers)
    ids = np.array([f"c{place}" for place in range(8)], dtype=object)
    return dataclasses.replace(real, rules=rules, customer_id=ids, peers=peers)


def test_what_is_within_reach_is_what_the_declared_share_of_peers_stays_below(planted: Workspace) -> None:
    found = potential.of(base(planted))
    # Retail: the 0.8-quantile of 100 ... 500 is 420. All known: 100 ... 2000, position 4.8 of 0 to 6: 900.
    assert found.reached_cents.tolist() == [420] * 5 + [900] * 3
    assert found.own_cents.tolist() == [100, 200, 300, 400, 500, 1000, 2000, 0]
    assert found.potential_cents.tolist() == [320, 220, 120, 20, 0, 0, 0, 900]
    assert found.group.tolist() == ["segment retail"] * 5 + ["everybody"] * 3
    assert found.peers.tolist() == [5] * 5 + [8] * 3
    assert found.to_pandas()["potential_cents"].tolist() == found.potential_cents.tolist()


def test_the_top_share_names_the_largest_first_and_nobody_without_any(planted: Workspace) -> None:
    found = potential.of(base(planted))
    assert found.top(0.25).tolist() == [7, 0]
    assert found.top(0.26).tolist() == [7, 0, 1]
    assert found.top(1.0).tolist() == [7, 0, 1, 2, 3]
    for share in (0.0, 1.1, float("nan")):
        with pytest.raises(UserError, match="has to be a share"):
            found.top(share)


def test_the_answer_as_of_a_day_needs_nothing_later(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    whole = potential.potential_at(snapshots.canonical, AS_OF - 30).to_pandas()
    assert whole.equals(potential.potential_at(cut_snapshots.canonical, AS_OF - 30).to_pandas())
    assert (whole["potential_cents"] > 0).any()
    assert (whole["potential_cents"] >= 0).all()
