from pathlib import Path
from typing import Any

from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.api.metrics import Counters, OneProcess, show_data


def test_a_collector_asked_for_twice_is_one_and_processes_do_not_mix() -> None:
    client = OneProcess()
    first = client.Counter(namespace="n", name="seen", documentation="d", labelnames=["where"])
    again = client.Counter(namespace="n", name="seen", documentation="d", labelnames=["where"])
    assert first is again
    first.labels("till").inc(2)
    client.Gauge(namespace="n", name="now", documentation="d").set(3)
    client.Histogram(namespace="n", name="took", documentation="d").observe(0.1)
    client.Summary(namespace="n", name="size", documentation="d").observe(5)
    page = client.generate_latest().decode()
    for line in ('n_seen_total{where="till"} 2.0', "n_now 3.0", "n_took_count 1.0", "n_size_sum 5.0"):
        assert line in page
    assert "n_seen" not in OneProcess().generate_latest().decode()


def test_the_counters_of_a_process_are_made_once() -> None:
    assert Counters.make() is Counters.make()


def sales(folder: Path, days: range, amount: int) -> str:
    lines = "".join(f"c{n},2024-03-{day:02} 09:00:00,{amount + n % 3}\n" for day in days for n in range(60))
    (folder / "transactions.csv").write_text("customer_id,occurred_at,amount\n" + lines)
    return str(folder)


def test_the_state_of_the_tables_is_shown_and_follows_an_ingest(tmp_path: Path) -> None:
    client = OneProcess()

    def gauge(name: str, *labels: str) -> Any:
        return client.Gauge(namespace="n", name=name, documentation="d", labelnames=list(labels))

    gauges = gauge("fresh", "table"), gauge("shift", "table", "column", "what")
    workspace = Workspace(tmp_path / "workspace")
    client.before_page = lambda: show_data(workspace, *gauges)
    assert "n_fresh{" not in client.generate_latest().decode()
    ingest(workspace, sales(tmp_path, range(1, 15), 5))
    page = client.generate_latest().decode()
    assert 'n_fresh{table="transactions"} 0.0' in page
    assert "n_shift{" not in page
    ingest(workspace, sales(tmp_path, range(15, 18), 50))
    shifted = 'n_shift{column="amount_cents",table="transactions",what="mean"} 1.0'
    assert shifted in client.generate_latest().decode()
    ingest(workspace, sales(tmp_path, range(18, 21), 12))
    assert shifted not in client.generate_latest().decode()
