from __future__ import annotations

import json
from typing import Any

import pytest

from features.errors import UserError
from features.labels import LabelDefinitions


def test_defaults_are_those_of_the_protocol() -> None:
    labels = LabelDefinitions.read({})
    assert (labels.churn.horizon_days, labels.churn.window_days, labels.churn.minimum_visits) == (28, 91, 2)
    assert labels.decline.horizon_days == 56
    assert labels.next_purchase.horizons_days == (7, 14, 28)
    category = labels.category
    assert (category.names, category.window_days, category.minimum_days) == (("fuel",), 91, 2)
    assert category.horizons_days == (7, 14, 28)
    rhythm = labels.rhythm
    assert (rhythm.horizon_days, rhythm.window_days, rhythm.minimum_visits) == (14, 91, 6)
    assert (rhythm.variation_percent, rhythm.overdue_days) == (100, 3)
    recommendation = labels.recommendation
    assert (recommendation.minimum_item_baskets, recommendation.minimum_customer_baskets) == (10, 3)


def test_given_values_survive_json() -> None:
    given: dict[str, Any] = {
        "next_purchase": {"horizons_days": [10, 20]},
        "recommendation": {"excluded_departments": ["FUEL"], "require_product_type": True},
    }
    labels = LabelDefinitions.read(given)
    assert labels.next_purchase.horizons_days == (10, 20)
    assert labels.recommendation.excluded_departments == ("FUEL",)
    assert LabelDefinitions.read(json.loads(json.dumps(labels.plain()))) == labels


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"churns": {}}, "did you mean 'churn'"),
        ({"churn": {"horizon": 3}}, "did you mean 'horizon_days'"),
        ({"churn": 3}, "has to be a section"),
        ({"churn": {"horizon_days": 0}}, "labels.churn.horizon_days is 0"),
        ({"churn": {"horizon_days": True}}, "labels.churn.horizon_days is True"),
        ({"churn": {"horizon_days": 2.5}}, "whole number"),
        ({"next_purchase": {"horizons_days": [14, 7]}}, "rising list of days"),
        ({"next_purchase": {"horizons_days": []}}, "rising list of days"),
        ({"category": {"names": [1]}}, "labels.category.names is .* list of texts"),
        ({"rhythm": {"variation_percent": 0.8}}, "labels.rhythm.variation_percent is 0.8: .* whole number"),
        ({"recommendation": {"require_product_type": 1}}, "true or false"),
        ({"recommendation": {"excluded_departments": [1]}}, "list of texts"),
    ],
)
def test_wrong_values_are_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        LabelDefinitions.read(given)
