from __future__ import annotations

import numpy as np
import pytest

from features.evaluators.offline import FeatureMatrix
from tests.training.campaigns.world import BEGIN, make
from tests.training.conftest import TINY
from training.campaigns import inputs, planned
from training.campaigns.campaign import Campaign
from training.campaigns.contacts import Contacts, History
from training.datasets import Snapshots
from training.fitted import Fitted
from training.plan import Rows, lay_out
from training.response import Response

TASK = Response()
AS_OF = BEGIN + 330


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return make(tmp_path_factory.mktemp("planned"), seed=1).snapshots


@pytest.fixture(scope="module")
def rows(known: Snapshots) -> Rows:
    found = Rows(TASK, known, lay_out(TASK, known, TINY), TINY)
    found.prepare(choices=False)
    return found


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> Fitted:
    setting = {**TASK.first, "rounds": 40, "min_child_weight": 1.0}
    return TASK.fit(rows.train(BEGIN + 212), setting, seed=1)


def chances(fitted: Fitted, matrix: FeatureMatrix, campaign: Campaign, past: History | None) -> list[float]:
    """P(answer) to a campaign whose facts are given."""
    asked = inputs.planned(matrix, campaign, past, fitted.meta["kinds"])
    return TASK.predict(fitted, asked)["probability"].tolist()


def test_a_planned_campaign_gets_what_the_report_says_of_it(
    known: Snapshots, rows: Rows, fitted: Fitted
) -> None:
    """Facts and past as they can be known at the start give the row's own probability."""
    asked = rows.at(BEGIN + 212, AS_OF)
    mine = asked.take(asked.keys()["campaign_id"].to_numpy() == "b5")
    start = BEGIN + 260
    now = known.cut(start)
    features = now.features([start])
    targeted = features.take(np.isin(features.customer_id, mine.matrix.customer_id))
    facts = Campaign("big", 30, next(p.facts.targeted for p in asked.campaigns if p.campaign_id == "b5"))
    history = Contacts.of(now).history(targeted.customer_id, start)
    found = chances(fitted, targeted, facts, history)
    assert found == TASK.predict(fitted, mine.matrix)["probability"].tolist()


def test_without_a_campaign_the_answer_is_to_a_typical_one(known: Snapshots, fitted: Fitted) -> None:
    everybody = known.features([AS_OF])
    history = Contacts.of(known).history(everybody.customer_id, AS_OF)
    typical = {kind: Campaign(**facts) for kind, facts in fitted.meta["typical"].items()}
    assert set(typical) == {"big", "small_one"}
    assert typical["big"].days == 28
    found = {kind: chances(fitted, everybody, campaign, history) for kind, campaign in typical.items()}
    assert np.mean(found["big"]) > np.mean(found["small_one"])
    # Features alone: a typical campaign of the kind that targeted most, the past unknown.
    alone = TASK.predict(fitted, everybody)["probability"]
    assert alone.tolist() == chances(fitted, everybody, typical["big"], None)
    completed = planned.complete(fitted, everybody)
    assert planned.complete(fitted, completed) is completed
    assert max(chances(fitted, everybody, Campaign("never seen", 10, 10), history)) < 1.0
