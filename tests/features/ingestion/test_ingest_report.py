from __future__ import annotations

from features.ingestion.ingest_report import IngestReport, TableReport
from features.quality.shifts import Shift


def test_lines_say_what_was_read_refused_and_is_missing() -> None:
    table = TableReport("transactions", 1000, 990, 900, 10, {"amount: is missing": 10}, 1900, ("channel",))
    shift = Shift("transactions", "", "late", 0.0, 0.2, 0.05, "transactions: late")
    report = IngestReport(
        "shop", (table,), {"consents": "consent checks"}, ("mind the gap.",), changed=True, shifts=(shift,)
    )
    text = "\n".join(report.lines())
    for words in (
        "source shop: tables updated",
        "transactions: 1,000 rows read, 990 accepted, 900 new, 10 quarantined; 1,900 in the workspace",
        "quarantined 10: amount: is missing",
        "not given: channel",
        "without consents: no consent checks",
        "warning: mind the gap.",
        "warning: transactions: late",
    ):
        assert words in text


def test_lines_say_when_nothing_changed() -> None:
    assert IngestReport("shop", (), {}, (), changed=False).lines() == [
        "source shop: nothing new, nothing changed"
    ]
