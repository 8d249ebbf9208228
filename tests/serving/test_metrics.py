from serving.metrics import Counters, OneProcess


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
