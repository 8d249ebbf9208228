from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from training.datasets import Snapshots
from training.response import Response

from .own_world import LABELS, contacts, written
from .world import World, make


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make(tmp_path_factory.mktemp("campaigns"))


@pytest.fixture(scope="session")
def rows(world: World) -> list[tuple[Any, ...]]:
    return contacts(world)


@pytest.fixture(scope="session")
def known(world: World, rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    plain = world.snapshots
    source = dataclasses.replace(plain.canonical.source, labels=LABELS)
    canonical = dataclasses.replace(plain.canonical, source=source)
    return Snapshots(
        canonical, plain.until, written(rows, tmp_path_factory.mktemp("own") / "contacts.parquet")
    )


@pytest.fixture(scope="session")
def task(known: Snapshots) -> Response:
    return Response().suited(known)
