from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.canonical import Canonical
from training.campaigns.campaign import Campaign, named
from training.campaigns.contacts import Contacts
from training.datasets import Snapshots

from .world import BEGIN, DAYS, World


@pytest.fixture(scope="module")
def contacts(world: World) -> Contacts:
    return Contacts.of(world.snapshots)


def test_campaigns_that_are_over_by_their_last_day(world: World, contacts: Contacts) -> None:
    over = {past.campaign_id: past for past in contacts.over}
    # One has no last day, one ends after the data.
    assert set(over) == set(world.campaigns["campaign_id"]) - {"late"}
    of = world.exposures[world.exposures["campaign_id"] == "b2"]
    assert over["b2"].facts == Campaign("big", 30, of["customer_id"].nunique())
    assert over["b2"].start == BEGIN + 90
    on_its_last_day = Contacts.of(world.snapshots.cut(BEGIN + 119))
    assert "b2" not in {past.campaign_id for past in on_its_last_day.over}
    the_day_after = Contacts.of(world.snapshots.cut(BEGIN + 120))
    assert "b2" in {past.campaign_id for past in the_day_after.over}


def test_who_was_targeted_and_answered_is_what_the_tables_say(world: World, contacts: Contacts) -> None:
    customers = np.array(sorted(world.visits["customer_id"].unique()), dtype=object)
    exposed = set(zip(world.exposures["customer_id"], world.exposures["campaign_id"], strict=True))
    redeemed = world.responses[world.responses["kind"] == "redemption"]
    given = list(redeemed[["customer_id", "campaign_id", "day"]].itertuples(index=False, name=None))
    for past in contacts.over:
        targeted, answered = contacts.rows_of(past, customers)
        during = {
            customer
            for customer, campaign, day in given
            if campaign == past.campaign_id and past.start <= BEGIN + day < past.end
        }
        mine = [(name, past.campaign_id) in exposed for name in customers]
        assert targeted.tolist() == mine
        assert answered.tolist() == [
            was and name in during for name, was in zip(customers, mine, strict=True)
        ]
        assert past.answers == answered.sum()


def test_the_past_counts_campaigns_known_before_the_day(world: World, contacts: Contacts) -> None:
    customers = np.array(["c007", "c000", "nobody"], dtype=object)
    kind = world.campaigns.set_index("campaign_id")["kind"].map(named)
    for day in (3, 5, 91, 200, DAYS):
        found = contacts.history(customers, BEGIN + day)
        assert found.kinds == ("big", "small_one")
        for row, name in enumerate(customers):
            for column, which in enumerate(found.kinds):
                for table, counts in ((world.exposures, found.targeted), (world.responses, found.answered)):
                    rows = table[(table["customer_id"] == name) & (table["day"] < day)]
                    rows = rows[rows["campaign_id"].map(kind) == which]
                    if "kind" in rows:
                        rows = rows[rows["kind"] == "redemption"]
                    assert counts[row, column] == rows["campaign_id"].nunique()
        assert [values.tolist() for values in found.of("other")] == [[0, 0, 0], [0, 0, 0]]
        assert found.of("big")[0].tolist() == found.targeted[:, 0].tolist()


def test_cut_tables_have_the_same_contacts(world: World, tmp_path) -> None:
    day = BEGIN + 200
    cut = Contacts.of(Snapshots(Canonical.open(world.workspace).cut(day, tmp_path), day))
    whole = Contacts.of(world.snapshots.cut(day))
    assert cut.over == whole.over
    pd.testing.assert_frame_equal(cut.exposed, whole.exposed)
    pd.testing.assert_frame_equal(cut.answered, whole.answered)


def test_after_two_references_are_one_person_the_answer_counts_for_who_was_targeted(
    world: World, tmp_path
) -> None:
    """c001 is known to be c000 from day 100: campaign b2 ran on days 90 to 119."""
    joined = BEGIN + 100
    people = pd.DataFrame(
        {
            "reference": ["c001", "c001"],
            "customer_id": ["c001", "c000"],
            "from_day": np.array([-(2**31), joined], dtype=np.int32),
            "to_day": np.array([joined, 2**31 - 1], dtype=np.int32),
        }
    )
    people.to_parquet(tmp_path / "people.parquet", index=False)
    whole = Canonical.open(world.workspace)
    canonical = Canonical.read(whole.folder, tmp_path)
    apart = Contacts.of(Snapshots(whole, world.snapshots.until))
    together = Contacts.of(Snapshots(canonical, world.snapshots.until))
    both = np.array(["c000", "c001"], dtype=object)
    past = next(each for each in apart.over if each.campaign_id == "b2")
    targeted, _ = apart.rows_of(past, both)
    now_targeted, now_answered = together.rows_of(past, both)
    # As of the start they are two; what either answered is, since, the answer of one person.
    assert now_targeted.tolist() == targeted.tolist()
    mine = apart.answered[apart.answered["campaign_id"] == "b2"]
    during = mine[(mine["day"] >= past.start) & (mine["day"] < past.end)]
    anybody = during["customer_id"].isin(both).any()
    assert now_answered.tolist() == [bool(one and anybody) for one in targeted]
    # A past asked for later is that of both.
    later = BEGIN + 300
    two, one = apart.history(both, later), together.history(both[:1], later)
    assert (one.targeted[0] >= two.targeted.max(axis=0)).all()
    assert (one.targeted[0] <= two.targeted.sum(axis=0)).all()
    assert one.targeted.sum() > two.targeted[0].sum()
