from __future__ import annotations

import platform
from importlib.metadata import version

from training.registry import environment


def test_it_names_what_decides_a_model() -> None:
    facts = environment.facts()
    assert facts["python"] == platform.python_version()
    assert facts["xgboost"] == version("xgboost")
    assert {"platform", "machine", "nextbest", "numpy", "duckdb", "optuna"} <= set(facts)


def test_changes_are_those_of_the_run_s_own_tags() -> None:
    then = environment.tags()
    assert environment.changes(then | {"seed": "1"}) == []
    then = then | {"environment.xgboost": "1.0", "environment.gone": "2"}
    assert environment.changes(then) == ["gone 2 -> none", f"xgboost 1.0 -> {version('xgboost')}"]
