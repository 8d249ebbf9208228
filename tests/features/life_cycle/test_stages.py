"""Stages against customers whose stage is obvious, and the rule that everybody has exactly one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from features.canonical import Canonical
from features.catalogue import NAMES
from features.clock import to_day
from features.evaluators import offline
from features.life_cycle.rules import RULES
from features.life_cycle.stages import STAGES, assign, explain

NAN = float("nan")
READ = ("days_since_visit", "overdue_ratio", "visits_all", "visits_91", "tenure_days")


def customers(**columns):
    size = len(next(iter(columns.values())))
    full = {name: np.full(size, NAN) for name in NAMES}
    return full | {name: np.array(values, dtype=float) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("values", "stage"),
    [
        ((1, 0.3, 80, 20, 300), "stable"),
        ((40, 5.0, 80, 12, 300), "lapsing"),
        ((40, 1.9, 20, 6, 300), "stable"),
        ((27, 9.0, 80, 12, 300), "stable"),
        ((56, 1.1, 9, 4, 300), "lapsing"),
        ((90, NAN, 1, 1, 90), "lapsing"),
        ((5, 1.0, 6, 6, 40), "forming"),
        ((5, 1.0, 30, 5, 300), "forming"),
        ((5, 1.0, 3, 3, 60), "exploring"),
        ((5, 1.0, 30, 2, 300), "exploring"),
        ((3, NAN, 1, 1, 3), "exploring"),
    ],
)
def test_an_obvious_customer_is_in_the_obvious_stage(values, stage):
    columns = customers(**{name: [value] for name, value in zip(READ, values, strict=True)})
    assert assign(columns).tolist() == [stage]
    assert explain({name: float(column[0]) for name, column in columns.items()}).stage == stage


def test_everybody_with_a_history_has_a_stage_and_nobody_without():
    rng = np.random.default_rng(7)
    visits = rng.integers(1, 60, 500)
    columns = customers(
        days_since_visit=rng.integers(1, 300, 500),
        overdue_ratio=np.where(rng.random(500) < 0.2, NAN, rng.random(500) * 5),
        visits_all=visits,
        visits_91=rng.integers(0, visits + 1),
        tenure_days=rng.integers(1, 365, 500),
    )
    assert set(assign(columns)) == {stage.id for stage in STAGES}
    assert assign(customers(visits_all=[0.0, NAN])).tolist() == [None, None]
    assert explain(dict.fromkeys(NAMES, NAN)) is None


def test_a_stage_shows_the_rule_and_what_it_read():
    values = {**dict.fromkeys(NAMES, NAN), "days_since_visit": 70.0, "visits_all": 9.0, "visits_91": 2.0}
    found = explain(values)
    assert (found.stage, found.name_zh) == ("lapsing", "流失期")
    assert found.rule == next(stage for stage in STAGES if stage.id == "lapsing").rule.text
    assert [(item.feature, item.unit) for item in found.evidence] == [
        ("days_since_visit", "days"),
        ("overdue_ratio", "ratio"),
    ]
    assert found.evidence[0].value == 70
    assert np.isnan(found.evidence[1].value)
    assert found.evidence[0].meaning_zh == "距最近一次到访天数"


def test_stages_are_in_the_order_of_their_risk_on_real_households(ingested_slice):
    canonical = Canonical.open(ingested_slice)
    firsts = [to_day(date(2017, month, 1)) for month in (6, 7, 8, 9, 10)]
    matrix = offline.compute(canonical, [*firsts, *(day + 28 for day in firsts)], names=(*READ, "visits_28"))
    later = {
        (customer, as_of): visits == 0
        for customer, as_of, visits in zip(
            matrix.customer_id, matrix.as_of, matrix.column("visits_28"), strict=True
        )
    }
    now = matrix.take(np.isin(matrix.as_of, firsts))
    stage = assign(now.columns())
    silent = np.array([later[key, day + 28] for key, day in zip(now.customer_id, now.as_of, strict=True)])
    risk = {name: silent[stage == name].mean() for name in RULES.journey}
    assert risk["stable"] < 0.10 < risk["forming"] < 0.35 < min(risk["exploring"], risk["lapsing"])
    assert np.mean(stage == "stable") > 0.5
