"""The environment of a run: what decides a model beside data, code, setting and seed.

The same run elsewhere gives the same model only where these agree; when a reproduction differs, they say why.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Final

# Their arithmetic, sorting or random draws reach the model.
PACKAGES: Final = (
    "duckdb",
    "mlflow",
    "numpy",
    "optuna",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "sqlglot",
    "xgboost",
)
TAG: Final = "environment."


@cache
def facts() -> Mapping[str, str]:
    """Versions by name: python, the platform, this package and those that decide a model."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "nextbest": version("nextbest"),
        **{name: version(name) for name in PACKAGES},
    }


def tags() -> dict[str, str]:
    """The same as tags of a run."""
    return {f"{TAG}{name}": value for name, value in facts().items()}


def changes(then: Mapping[str, str]) -> list[str]:
    """What has changed since a run with these tags, as "name then -> now"; empty when nothing has."""
    now = tags()
    known = {name: value for name, value in then.items() if name.startswith(TAG)}
    return [
        f"{name.removeprefix(TAG)} {known[name]} -> {now.get(name, 'none')}"
        for name in sorted(known)
        if known[name] != now.get(name)
    ]
