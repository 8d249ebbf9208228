from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.canonical import Canonical
from training.campaigns import examples, inputs
from training.campaigns.examples import ResponseExamples
from training.datasets import Snapshots

from .world import BEGIN, World

HORIZON = 92


@pytest.fixture(scope="module")
def rows(world: World) -> ResponseExamples:
    return examples.collect(world.snapshots, [BEGIN + 90, BEGIN + 212])


def ids(rows: ResponseExamples) -> list[str]:
    return [rows.campaigns[place].campaign_id for place in np.unique(rows.campaign)]


def test_rows_are_the_campaigns_within_the_windows(rows: ResponseExamples) -> None:
    # Windows [90, 182) and [212, 304), in days of the world.
    assert ids(rows) == ["b2", "s2", "s3", "b3", "b4", "s5", "b5"]
    assert rows.cutoffs == (BEGIN + 90, BEGIN + 212)
    assert ids(rows.at([BEGIN + 212])) == ["b4", "s5", "b5"]
    assert rows.at([BEGIN + 212]).cutoffs == (BEGIN + 212,)
    # Windows that overlap have a campaign once.
    both = rows.at([BEGIN + 89, BEGIN + 90])
    assert len(both) == len(rows.at([BEGIN + 90])) == len(both.keys().drop_duplicates())


def test_long_campaigns_and_those_of_the_first_days_are_left_out(world: World) -> None:
    found = {past.campaign_id for past in examples.usable(world.snapshots)}
    assert found == set(world.campaigns["campaign_id"]) - {"early", "long", "late"}


def test_rows_are_what_the_tables_say(world: World, rows: ResponseExamples) -> None:
    frame = rows.keys().assign(outcome=rows.outcome)
    campaigns = world.campaigns.set_index("campaign_id")
    first = world.visits.groupby("customer_id")["day"].min()
    expected = []
    for name in ids(rows):
        start, days = campaigns.loc[name, ["start", "days"]]
        targeted = world.exposures[world.exposures["campaign_id"] == name]["customer_id"].unique()
        for customer in sorted(targeted):
            if first.get(customer, start) >= start:
                continue
            given = world.responses[
                (world.responses["customer_id"] == customer)
                & (world.responses["campaign_id"] == name)
                & (world.responses["kind"] == "redemption")
                & world.responses["day"].between(start, start + days - 1)
            ]
            expected.append((customer, BEGIN + start, name, float(len(given) > 0)))
    assert list(frame.itertuples(index=False, name=None)) == expected
    assert "stranger" not in set(frame["customer_id"])
    assert 0.1 < rows.outcome.mean() < 0.6


def test_inputs_are_as_of_the_campaigns_start(world: World, rows: ResponseExamples) -> None:
    for name in ("s2", "b5"):
        of = rows.take(rows.keys()["campaign_id"].to_numpy() == name)
        start = int(of.matrix.as_of[0])
        known = world.snapshots.features([start])
        place = {customer: i for i, customer in enumerate(known.customer_id)}
        mine = known.take(np.array([place[customer] for customer in of.matrix.customer_id]))
        np.testing.assert_array_equal(of.matrix.select(known.names), mine.values)
        past = world.exposures[(world.exposures["day"] < start - BEGIN)]
        counts = past.drop_duplicates(["customer_id", "campaign_id"])["customer_id"].value_counts()
        targeted = counts.reindex(of.matrix.customer_id).fillna(0).tolist()
        assert of.matrix.column("campaigns_targeted").tolist() == targeted
    assert rows.kinds().tolist() == [
        "big" if name.startswith("b") else "small_one" for name in rows.keys()["campaign_id"]
    ]


def test_two_campaigns_of_one_day_are_two_rows(rows: ResponseExamples) -> None:
    keys = rows.keys()
    assert keys.duplicated(["customer_id", "as_of"]).any()
    assert not keys.duplicated(["customer_id", "as_of", "campaign_id"]).any()


def test_tables_cut_at_a_day_give_the_rows_known_by_then(world: World, tmp_path) -> None:
    day = BEGIN + 182
    cutoffs = [BEGIN + 60, day - HORIZON]
    cut = examples.collect(Snapshots(Canonical.open(world.workspace).cut(day, tmp_path), day), cutoffs)
    whole = examples.collect(world.snapshots, cutoffs)
    pd.testing.assert_frame_equal(cut.to_pandas(), whole.to_pandas())
    assert cut.keys().equals(whole.keys())
    assert len(cut) > 100


def test_nothing_within_the_windows_is_no_rows(world: World) -> None:
    empty = examples.collect(world.snapshots, [BEGIN + 300])
    assert len(empty) == len(empty.keys()) == len(empty.kinds()) == 0
    assert empty.present() == []
    assert empty.matrix.names[-len(inputs.PAST) :] == inputs.PAST
    assert len(empty.at([])) == 0
