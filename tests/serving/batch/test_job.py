from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from features.build import open_store
from features.errors import UserError
from features.workspace import Workspace
from serving.batch.job import NOT_POSTED, BatchReport, by_count, open_job
from serving.batch.population import Population
from tests.features import posting


def test_places_stand_once_and_default_to_the_catalogues(slice_workspace: Workspace) -> None:
    job = open_job(slice_workspace, None, [], None, allow_future=False)
    assert job.places == ("campaign",)
    twice = open_job(slice_workspace, None, ["till", "app", "till"], None, allow_future=False)
    assert twice.places == ("till", "app")
    assert twice.settings == job.settings
    earlier = open_job(slice_workspace, "2017-09-01", [], None, allow_future=True)
    assert earlier.settings != job.settings


def test_an_as_of_before_the_data_is_refused(slice_workspace: Workspace) -> None:
    with pytest.raises(UserError, match="as-of 2016-01-01 is not after the first transaction"):
        open_job(slice_workspace, "2016-01-01", [], None, allow_future=True)


def test_posted_complaints_and_consents_count(slice_copy: Workspace, slice_customer: str) -> None:
    assert open_job(slice_copy, None, [], None, allow_future=False).applier is None
    about = {"customer_id": slice_customer, "occurred_at": "2017-12-30T10:00:00-05:00"}
    events = (
        {**about, "table": "service_events", "event_id": "1", "kind": "complaint"},
        {**about, "table": "consents", "event_id": "1", "purpose": "marketing", "granted": False},
    )
    assert all(posting.post(slice_copy, open_store(slice_copy), list(events)))
    job = open_job(slice_copy, None, [], None, allow_future=False)
    population = Population.open(job)
    row = population.matrix.customer_id.tolist().index(slice_customer)
    assert population.standings[job.catalogue.version].complaint_age[row] == 2
    assert population.standings[job.catalogue.version].consent_to("marketing", "sms")[row] == 0
    assert (~np.isnan(population.standings[job.catalogue.version].complaint_age)).sum() == 1
    # Without a build nobody knows which events the tables have.
    built = slice_copy.features.resolve()
    slice_copy.features.unlink()
    assert open_job(slice_copy, None, [], None, allow_future=False).missing == (NOT_POSTED,)
    slice_copy.features.symlink_to(built)


def test_a_report_reads_well() -> None:
    report = BatchReport(
        out=Path("out"),
        as_of="2018-01-01",
        customers=200,
        rows={},
        actions={"till": {"none": 150, "welcome": 50}},
        status={},
        seconds=2.0,
        customers_per_second=100.0,
        degraded=["churn: no champion yet"],
    )
    assert report.lines() == [
        "scored 200 customers as of 2018-01-01 in 2.0 s (100 a second): out",
        "best action at till: none 75%, welcome 25%",
        "degraded: churn: no champion yet",
    ]
    assert list(by_count(Counter({"b": 1, "a": 1, "c": 5}))) == ["c", "a", "b"]
