"""Prometheus metrics of the service, beside BentoML's own, on the same /metrics page.

What the service counts, and the state of the workspace's tables: how fresh they are, and what shifted with
the last ingest. That state is looked up at every visit of the page, for an ingest goes on beside the service.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import prometheus_client
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.metrics.prometheus import PrometheusClient

from features.canonical import Canonical
from features.errors import UserError
from features.quality import profile, review
from features.quality.shifts import Shift
from features.workspace import Workspace


class OneProcess(PrometheusClient):
    """BentoML's metrics client without its files per process, for a service that runs in this process.

    A collector asked for twice is made once, so that a second application in the process (as in tests) works.
    """

    def __init__(self) -> None:
        super().__init__(multiproc=False)
        self._own = prometheus_client.CollectorRegistry()
        self._made: dict[str, Any] = {}
        self.before_page: Callable[[], None] | None = None

    def _collector(self, kind: type[Any], name: str, options: dict[str, Any]) -> Any:
        full = f"{options.get('namespace', '')}_{name}"
        if full not in self._made:
            self._made[full] = kind(name=name, registry=self._own, **options)
        return self._made[full]

    def Counter(self, *, name: str, **options: Any) -> Any:  # noqa: N802 - BentoML's name
        """A counter."""
        return self._collector(prometheus_client.Counter, name, options)

    def Gauge(self, *, name: str, **options: Any) -> Any:  # noqa: N802 - BentoML's name
        """A gauge."""
        return self._collector(prometheus_client.Gauge, name, options)

    def Histogram(self, *, name: str, **options: Any) -> Any:  # noqa: N802 - BentoML's name
        """A histogram."""
        return self._collector(prometheus_client.Histogram, name, options)

    def Summary(self, *, name: str, **options: Any) -> Any:  # noqa: N802 - BentoML's name
        """A summary."""
        return self._collector(prometheus_client.Summary, name, options)

    def generate_latest(self) -> bytes:
        """The page in Prometheus' text form."""
        if self.before_page:
            self.before_page()
        return prometheus_client.generate_latest(self._own)


@cache
def use_one_process() -> None:
    """Make BentoML count in this process, unless it runs several workers that share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        BentoMLContainer.metrics_client.set(OneProcess())


@dataclass(frozen=True)
class Counters:
    """What the service counts.

    Attributes:
        answers: answers by endpoint.
        degraded: answers that lack something, by endpoint.
        unknown: answers from priors, about a customer whom nobody has seen, by endpoint.
        refused: requests that got a 4xx, by endpoint.
        failed: requests that met a defect, by endpoint.
        lost: decision records that could not be written.
        unavailable: requests that found the customer store out of reach, by endpoint.
        events: posted events, by whether they were accepted, repeated or refused.
        stale: 1 while a part that was changed cannot be loaded and the last good one is in use, by part.
        outcomes: posted outcomes, by whether they were accepted, repeated, unmatched or refused.
        parity_checked: customers about whom the service was compared with the batch.
        parity_mismatch: those about whom the two did not agree.
    """

    answers: Any
    degraded: Any
    unknown: Any
    refused: Any
    failed: Any
    lost: Any
    unavailable: Any
    events: Any
    outcomes: Any
    stale: Any
    parity_checked: Any
    parity_mismatch: Any

    @classmethod
    @cache
    def make(cls) -> Counters:
        """The counters of this process."""
        use_one_process()
        client = BentoMLContainer.metrics_client.get()

        def counter(name: str, meaning: str, *labels: str) -> Any:
            return client.Counter(
                namespace="nextbest", name=name, documentation=meaning, labelnames=list(labels)
            )

        return cls(
            answers=counter("answers_total", "Answers given", "endpoint"),
            degraded=counter("degraded_answers_total", "Answers that lack something and say so", "endpoint"),
            unknown=counter("unknown_customers_total", "Answers from priors", "endpoint"),
            refused=counter("refused_requests_total", "Requests that got a 4xx", "endpoint"),
            failed=counter("failed_requests_total", "Requests that met a defect", "endpoint"),
            lost=counter("lost_records_total", "Decision records that could not be written"),
            unavailable=counter("store_unavailable_total", "Customer store out of reach", "endpoint"),
            events=counter("events_total", "Posted events", "status"),
            outcomes=counter("outcomes_total", "Posted outcomes", "status"),
            stale=client.Gauge(
                namespace="nextbest",
                name="stale",
                documentation="1 while a changed part cannot be loaded and the last good one is in use",
                labelnames=["part"],
            ),
            parity_checked=counter("parity_checked_total", "Customers compared with the batch"),
            parity_mismatch=counter("parity_mismatch_total", "Customers decided otherwise than by the batch"),
        )


def watch(workspace: Workspace) -> None:
    """Show the state of a workspace's tables from now on; with several workers, the state of now."""
    use_one_process()
    client = BentoMLContainer.metrics_client.get()
    gauges = _gauges()
    if isinstance(client, OneProcess):
        client.before_page = lambda: show_data(workspace, *gauges)
    else:
        show_data(workspace, *gauges)


@cache
def _gauges() -> tuple[Any, Any]:
    """The gauges of this process: days without rows, and shifts."""
    client = BentoMLContainer.metrics_client.get()
    return (
        client.Gauge(
            namespace="nextbest",
            name="data_freshness_days",
            documentation="Days without rows up to the workspace's clock",
            labelnames=["table"],
        ),
        client.Gauge(
            namespace="nextbest",
            name="data_shift",
            documentation="1 where rows of the last ingest are beyond a bound",
            labelnames=["table", "column", "what"],
        ),
    )


def show_data(workspace: Workspace, days: Any, shifted: Any) -> None:
    """Set the gauges of a workspace's tables."""
    try:
        canonical, profiles, shifts = _tables(workspace, workspace.tables.resolve())
        fresh = profile.freshness(profiles, canonical.clock_day)
    except (UserError, OSError, duckdb.Error):
        # An ingest is just replacing them: the page keeps what it showed, and the next visit sees the new.
        return
    days.clear()
    for table, count in fresh.items():
        days.labels(table).set(count)
    shifted.clear()
    for shift in shifts:
        shifted.labels(shift.table, shift.column, shift.what).set(1)


@lru_cache(maxsize=1)
def _tables(
    workspace: Workspace, folder: Path
) -> tuple[Canonical, dict[str, profile.TableProfile], tuple[Shift, ...]]:
    """One generation of tables, read once: it does not change, only the clock does."""
    return Canonical.open(workspace), profile.read(folder), review.last(folder)
