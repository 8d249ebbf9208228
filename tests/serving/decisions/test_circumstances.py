from dataclasses import replace
from pathlib import Path

import numpy as np

from features.clock import parse_date, to_day
from features.life_cycle.tiers import Assigned
from serving.contacts.standing import Standing
from serving.decisions import circumstances
from tests.serving.catalogues import FULL, SMALL, load

DAY = to_day(parse_date("2018-02-16"))


def texts(*values: str | None) -> np.ndarray:
    return np.array(values, dtype=object)


def standing() -> Standing:
    return replace(
        Standing.empty(2),
        complaint_age=np.array([3.0, np.nan]),
        consent={("marketing", ""): np.array([1.0, 0.0])},
        consents_known=True,
    )


def test_only_what_is_read_is_made(tmp_path: Path) -> None:
    assert circumstances.columns(load(tmp_path, SMALL), "till", DAY, 2) == {}


def test_each_column_has_its_value(tmp_path: Path) -> None:
    text = FULL.replace("spend_28 * margin", "next_tier_distance_cents * margin")
    catalogue = load(
        tmp_path, text.replace("tier IN ('VIP', 'A')", "tier IN ('VIP', 'A') AND place = 'till'")
    )
    tiers = Assigned(texts("VIP", None), texts("person", "person"), np.array([np.nan, 500.0]))
    found = circumstances.columns(
        catalogue, "till", DAY, 2, stage=texts("stable", None), tiers=tiers, standing=standing()
    )
    assert set(found) == catalogue.circumstances("till")
    assert found["stage"].tolist() == ["stable", None]
    assert found["tier"].tolist() == ["VIP", None]
    assert found["place"].tolist() == ["till", "till"]
    assert found["open_complaint"].tolist() == [1, 0]
    assert found["consent_marketing"].tolist() == [1, 0]
    assert found["festival"].tolist() == [1, 1]
    np.testing.assert_array_equal(found["next_tier_distance_cents"], [np.nan, 500])


def test_the_basket_counts_where_one_is_in_hand(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SMALL.replace("visits_28 >= 1", "basket_items BETWEEN 1 AND 3"))
    assert circumstances.columns(catalogue, "till", DAY, 2)["basket_items"].tolist() == [0, 0]
    assert circumstances.columns(catalogue, "till", DAY, 1, basket=3)["basket_items"].tolist() == [3]


def test_a_trigger_counts_on_its_days_only_and_silence_is_unknown(tmp_path: Path) -> None:
    catalogue = load(tmp_path, FULL)
    tiers = Assigned(texts("A"), texts("person"), np.array([1.0]))
    found = circumstances.columns(catalogue, "till", DAY + 1, 1, stage=texts("stable"), tiers=tiers)
    assert found["festival"].tolist() == [0]
    assert found["open_complaint"].tolist() == [0]
    assert np.isnan(found["consent_marketing"]).all()
