from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import FEATURES, NAMES
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training import reasons
from training.churn import Churn
from training.datasets import Snapshots, open_snapshots
from training.examples import RHYTHM_NAMES
from training.reasons import declared, grouped, recorded
from training.task import Contributions

from .conftest import AS_OF

TEXT = Path(reasons.__file__).with_suffix(".yaml").read_text(encoding="utf-8")
IDS = ("price", "brand", "service", "convenience", "habit")


def test_every_input_has_a_reason() -> None:
    assert {declared().of(name) for name in (*NAMES, *RHYTHM_NAMES)} == set(IDS)


def test_service_events_and_nothing_else_speak_for_service() -> None:
    found = {feature.name for feature in FEATURES if declared().of(feature.name) == "service"}
    assert found == {feature.name for feature in FEATURES if feature.family == "service"}


def test_reasons_have_names_in_both_languages() -> None:
    assert tuple(declared().reasons) == IDS
    assert all(each.en and each.zh and each.meaning for each in declared().reasons.values())


def one(added: dict[str, float], known: dict[str, float]) -> reasons.Reasons:
    names = tuple(added)
    contributions = Contributions(names, np.array([[*added.values()]]), np.array([-1.0]))
    return grouped(contributions, np.array([[known.get(name, np.nan) for name in names]]))


def test_shares_by_hand() -> None:
    found = one(
        {
            "days_since_visit": 0.6,
            "visits_28": 0.2,
            "discount_28": 0.2,
            "stores_91": -0.5,
            "complaints_91": 0.0,
        },
        {"days_since_visit": 40.0, "visits_28": 0.0, "discount_28": 0.0, "stores_91": 2.0},
    )
    habit, price, convenience, service = (
        next(share for share in found.of(0) if share.reason.id == id_)
        for id_ in ("habit", "price", "convenience", "service")
    )
    assert habit.share == pytest.approx(0.8)
    assert [(each.name, each.value) for each in habit.evidence] == [
        ("days_since_visit", 40.0),
        ("visits_28", 0.0),
    ]
    assert habit.evidence[0].contribution == pytest.approx(0.6)
    assert price.share == pytest.approx(0.2)
    # What lowers the risk is no reason to leave, though it is known.
    assert (convenience.share, convenience.evidence) == (0.0, ())
    # No service event is known of the customer: unknown, not none.
    assert (service.share, service.evidence) == (None, ())


def test_what_is_unknown_takes_no_share_from_what_is_known() -> None:
    found = one({"visits_28": 0.3, "complaints_91": 0.7}, {"visits_28": 1.0})
    assert found.whole() == {"price": None, "brand": None, "service": None, "convenience": None, "habit": 1.0}
    assert found.of(0)[2].evidence == ()


def test_nothing_that_raises_the_risk_gives_shares_of_0() -> None:
    found = one({"visits_28": -0.3, "discount_28": 0.0}, {"visits_28": 9.0, "discount_28": 1.0})
    assert (found.whole()["habit"], found.whole()["price"], found.whole()["service"]) == (0.0, 0.0, None)


def test_the_whole_weighs_customers_by_what_raises_their_risk() -> None:
    names = ("visits_28", "discount_28")
    contributions = Contributions(names, np.array([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), np.zeros(3))
    found = grouped(contributions, np.array([[0.0, 5.0], [4.0, 0.0], [9.0, 9.0]]))
    assert found.whole()["habit"] == pytest.approx(0.75)
    assert found.whole()["price"] == pytest.approx(0.25)


def test_reasons_of_a_churn_model(snapshots: Snapshots) -> None:
    task = Churn()
    rows = task.examples(snapshots, (AS_OF - 84, AS_OF - 56))
    fitted = task.fit(rows, {**task.first, "rounds": 20, "min_child_weight": 2.0}, seed=0)
    later = task.examples(snapshots, [AS_OF - 28])
    found = grouped(task.explain(fitted, later), task.stored_inputs(fitted, later.matrix))
    place = {id_: i for i, id_ in enumerate(found.ids)}
    # The world has transactions alone: no service events, and no stores.
    assert np.isnan(found.shares[:, place["service"]]).all()
    known = found.shares[:, [place["habit"], place["price"]]]
    assert ((known >= 0) & (known <= 1)).all()
    raising = np.nansum(found.shares, axis=1)
    assert (np.isclose(raising, 1.0) | (raising == 0)).all()
    assert known[:, 0].mean() > 0.5
    strongest = found.of(0)[place["habit"]].evidence[0]
    assert strongest.value == pytest.approx(float(later.matrix.to_pandas()[strongest.name].iloc[0]), rel=1e-6)


def test_recorded_reasons_stand_beside(tmp_path: Path, snapshots: Snapshots) -> None:
    assert recorded(snapshots.canonical, AS_OF) is None
    source = tmp_path / "source"
    source.mkdir()
    when = pd.to_datetime(["2017-01-02 12:00", "2017-03-01 12:00", "2017-03-02 12:00", "2017-03-03 12:00"])
    pd.DataFrame({"customer_id": ["a"] * 4, "occurred_at": when, "amount": [1.0] * 4}).to_csv(
        source / "transactions.csv", index=False
    )
    events = pd.DataFrame(
        {
            "customer_id": ["a"] * 4,
            "occurred_at": when,
            "kind": ["survey"] * 4,
            "reason": ["price", "price", "Queue", None],
        }
    )
    events.to_csv(source / "service_events.csv", index=False)
    workspace = Workspace(tmp_path / "workspace").create()
    ingest(workspace, str(source))
    canonical = open_snapshots(workspace).canonical
    end = canonical.clock_day
    assert recorded(canonical, end) == {"PRICE": 2, "QUEUE": 1}
    assert recorded(canonical, end, days=30) == {"PRICE": 1, "QUEUE": 1}
    assert recorded(canonical, end - 2) == {"PRICE": 2}
    added = Contributions(("discount_91", "visits_91"), np.array([[1.0, 3.0]]), np.zeros(1))
    noted = Churn().noted(open_snapshots(workspace), added, np.ones((1, 2)))
    model, given = noted.values()
    assert model.startswith("Habit (that, not why) 75%; Price and promotion 25%; ")
    assert "Service on site unknown" in model
    assert given == "PRICE 2; QUEUE 1"
    none = Churn().noted(snapshots, added, np.ones((1, 2)))
    assert none["reasons that customers gave, last 364 days"] == "none in the source"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("  service: service\n", "", "gives family 'service' no reason"),
        ("  service: service\n", "  services: service\n", "did you mean 'service'"),
        ("  fuel: habit\n", "  fuel: habits\n", "did you mean 'habit'"),
        ("  refusals_91: brand\n", "  refusal_91: brand\n", "did you mean 'refusals_91'"),
    ],
)
def test_a_map_with_a_mistake_is_refused_in_words(before: str, after: str, words: str) -> None:
    assert before in TEXT
    with pytest.raises(UserError, match=words):
        reasons.read(TEXT.replace(before, after))


def test_an_input_that_nobody_declared_is_refused_in_words() -> None:
    with pytest.raises(UserError, match="visits_2"):
        one({"visits_2": 1.0}, {})
