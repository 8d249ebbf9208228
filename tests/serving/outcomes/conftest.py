"""The stores of outcomes, shared by the tests of what is read from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.outcomes.store import OutcomeStore
from serving.records import store as record_store
from tests.serving.recorded import store


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OutcomeStore:
    """Outcomes in a store of each kind, empty."""
    if request.param == "postgresql":
        monkeypatch.setenv(record_store.VARIABLE, request.getfixturevalue("postgres_database"))
    return store(tmp_path)
