import numpy as np
import pytest

from features.workspace import Workspace
from serving.batch import population
from serving.batch.job import open_job
from serving.batch.population import Population
from serving.catalogue.actions import PACKAGED, load


def test_every_customer_is_in_one_chunk_with_what_expressions_read(
    slice_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = open_job(slice_workspace, None, [], None, allow_future=False)
    monkeypatch.setattr(population, "CHUNK", 100)
    found = Population.open(job, load(PACKAGED))
    chunks = list(found.chunks(kinds=("new",), items=1))
    assert [len(chunk.rows) for chunk in chunks[:-1]] == [100] * (len(chunks) - 1)
    names = [name for chunk in chunks for name in chunk.matrix.customer_id.tolist()]
    assert names == found.matrix.customer_id.tolist() == sorted(set(names))
    assert len(found) == len(names)
    for chunk in chunks:
        columns = chunk.columns(job.catalogue, "till")
        here = [action for action in job.catalogue.actions if "till" in action.places]
        assert frozenset().union(*(action.reads for action in here)) <= columns.keys()
        assert {len(column) for column in columns.values()} == {len(chunk.rows)}
        assert chunk.standings[job.catalogue.version].customers == len(chunk.rows)
        assert columns["tier"].tolist() == chunk.tiers.tier.tolist()


def test_lists_are_made_only_when_they_are_wanted(slice_workspace: Workspace) -> None:
    job = open_job(slice_workspace, None, [], None, allow_future=False)
    (chunk,) = Population.open(job).chunks(products=False)
    assert chunk.lists is None
    columns = chunk.columns(job.catalogue, "till")
    assert np.isnan(columns["new_item_probability"]).all()
    assert population.reads_products([job.catalogue])
