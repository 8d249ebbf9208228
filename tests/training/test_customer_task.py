"""What binds a model: every feature that it reads, as an input or beside its inputs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from training.customer_task import CustomerTask
from training.datasets import Snapshots
from training.tasks import TASKS

from .test_task import campaigns, frame, lines, made, products, train


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return made(
        tmp_path_factory.mktemp("world"), {"transactions": lines(), "products": products(), **campaigns()}
    )


@pytest.mark.parametrize(
    "name", sorted(name for name, task in TASKS.items() if isinstance(task, CustomerTask))
)
def test_every_feature_that_a_model_reads_binds_it_whatever_its_inputs(
    world: Snapshots, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = type(TASKS[name])(features=["days_since_visit"])
    trained = train(task, world)
    bound = trained.fitted.bound().meta["reads"]
    compute = offline.compute

    def mixed(*args: Any, **asked: Any) -> FeatureMatrix:
        """Every other feature is another row's."""
        found = compute(*args, **asked)
        other = [place for place, read in enumerate(found.names) if read not in bound]
        values = found.select(found.names)
        values[:, other] = values[::-1, other]
        return dataclasses.replace(found, values=values)

    monkeypatch.setattr(offline, "compute", mixed)
    again = train(task, Snapshots(world.canonical, world.until))
    assert again.fitted.digest() == trained.fitted.digest()
    said, before = (
        frame(each).filter(like="model.").filter(regex="^(?!.*(hit|outside)$)") for each in (again, trained)
    )
    assert len(before) > 20
    assert said.equals(before)
