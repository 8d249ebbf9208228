"""Prometheus counters of the service, beside BentoML's own, on the same /metrics page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import prometheus_client
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.metrics.prometheus import PrometheusClient


class OneProcess(PrometheusClient):
    """BentoML's metrics client without its files per process, for a service that runs in this process.

    A collector asked for twice is made once, so that a second application in the process (as in tests) works.
    """

    def __init__(self) -> None:
        super().__init__(multiproc=False)
        self._own = prometheus_client.CollectorRegistry()
        self._made: dict[str, Any] = {}

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
    """

    answers: Any
    degraded: Any
    unknown: Any
    refused: Any
    failed: Any
    lost: Any

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
        )
