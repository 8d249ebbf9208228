"""What leaves a world: impossible pools, errors and rows are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.simulator.outlet_config import Dirt, Errors, Outlet, Pool
from experiments.simulator.preset_file import preset, presets
from features.errors import UserError


@pytest.mark.parametrize(
    ("make", "given", "sentence"),
    [
        (Pool, {"name": "card", "persons": 1.2}, "pool 'card': persons is 1.2"),
        (Pool, {"name": "card", "use": 0}, "pool 'card': use is 0"),
        (Pool, {"name": "card", "facts": {"fone": 1.0}}, "did you mean 'phone'"),
        (Pool, {"name": "card", "facts": {"phone": 2}}, "pool 'card': phone is 2"),
        (Pool, {"name": "card", "facts": {"phone": 1.0}, "told": {"name": 2}}, "kind of its facts"),
        (Pool, {"name": "card", "facts": {"phone": 1.0}, "told": {"phone": 0}}, "the visit at which phone"),
        (Errors, {"mistyped": -0.1}, "errors: mistyped is -0.1"),
        (Dirt, {"late_days": 0}, "dirt: late_days is 0"),
        (Dirt, {"damaged": 1.5}, "dirt: damaged is 1.5"),
        (Outlet, {"pools": ()}, "no pool is given"),
        (Outlet, {"pools": (Pool("card"), Pool("card"))}, "pool 'card' is given twice"),
        (Outlet, {"pools": tuple(Pool(str(n)) for n in range(17))}, "there are 17 pools"),
        (Outlet, {"roles": {"cashier": -1}}, "role 'cashier'"),
        (Outlet, {"labels": {"churn": {"horizon": 28}}}, "did you mean 'horizon_days'"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make(**given)


@pytest.mark.parametrize("name", presets())
def test_presets_have_several_pools_that_know_different_things(name: str) -> None:
    pools = preset(name).outlet.pools
    assert len(pools) >= 3
    assert len({frozenset(pool.facts) for pool in pools}) == len(pools)
