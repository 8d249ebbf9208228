"""Rows of events: what the world says happened, once each, and nothing that could not be."""

from __future__ import annotations

import duckdb
import pytest

from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written
from features.canonical import Canonical
from features.workspace import Workspace
from tests.experiments.simulator.test_registers import asked

FIRST = preset("fuel").first_day


def count(ingested: Workspace, query: str) -> tuple[object, ...]:
    with Canonical.open(ingested).connect(references=True) as opened:
        return opened.execute(query).fetchall()[0]


def test_money_is_conserved_from_the_world_to_the_workspace(written: Written, ingested: Workspace) -> None:
    totals = written.totals
    query = (
        "SELECT count(*), count(DISTINCT basket_id), sum(amount_cents), sum(discount_cents) FROM transactions"
    )
    assert count(ingested, query) == (
        totals["lines"], totals["baskets"], totals["spent_cents"], totals["discount_cents"],
    )  # fmt: skip
    paid = "SELECT count(*), sum(cost_cents) FROM exposures"
    assert count(ingested, paid) == (totals["contacts"], totals["contact_cents"])
    assert count(ingested, "SELECT count(*) FROM responses") == (totals["answers"],)


def test_exactly_the_damaged_rows_are_quarantined(written: Written, ingested: Workspace) -> None:
    with duckdb.connect() as opened:
        (bad,) = opened.execute(f"SELECT count(*) FROM '{ingested.quarantine}/*.parquet'").fetchall()[0]
    assert bad == written.totals["damaged"] > 0
    assert written.totals["damaged"] / written.totals["lines"] == pytest.approx(0.0015, abs=0.001)


def test_some_rows_come_late_and_none_early(ingested: Workspace) -> None:
    (late, early, share) = count(
        ingested,
        "SELECT count(*) FILTER (known_at > occurred_at), count(*) FILTER (known_at < occurred_at), "
        "avg(CAST(known_at > occurred_at AS INTEGER)) FROM transactions",
    )
    assert late
    assert early == 0
    assert share == pytest.approx(0.02, abs=0.01)


def test_all_happens_within_the_days_that_were_lived(written: Written, ingested: Workspace) -> None:
    for table in ("transactions", "exposures", "responses", "service_events"):
        first, last = count(ingested, f"SELECT min(day), max(known_day) FROM {table}")
        assert first >= FIRST
        assert last < FIRST + written.days


def test_a_basket_is_one_customers_at_one_instant_in_one_store(ingested: Workspace) -> None:
    mixed = (
        "SELECT count(*) FROM (SELECT basket_id FROM transactions GROUP BY basket_id HAVING "
        "count(DISTINCT (customer_id, occurred_at, store_id)) > 1)"
    )
    assert count(ingested, mixed) == (0,)


def test_contacts_and_answers_belong_to_a_campaign_that_runs(ingested: Workspace) -> None:
    for table in ("exposures", "responses"):
        at = "contacted_at" if table == "exposures" else "occurred_at"
        outside = (
            f"SELECT count(*) FROM {table} LEFT JOIN campaigns USING (campaign_id) "
            f"WHERE {at} BETWEEN starts_at AND ends_at IS NOT TRUE"
        )
        assert count(ingested, outside) == (0,)


def test_who_answers_was_asked_under_this_id_or_another_one(written: Written) -> None:
    """Money off is taken at a visit, under the id that is shown there."""
    unasked = (
        "SELECT count(*) FROM responses AS r JOIN truth AS a USING (customer_id) WHERE campaign_id IS NOT "
        "NULL AND occurred_at > TIMESTAMP '1971-01-01' AND NOT EXISTS (FROM exposures AS e JOIN truth AS b "
        "USING (customer_id) WHERE a.person = b.person AND e.campaign_id = r.campaign_id "
        "AND e.contacted_at <= r.occurred_at)"
    )
    assert asked(written, unasked) == [(0,)]


def test_propensities_are_chances_and_deadlines_lie_ahead(ingested: Workspace) -> None:
    (low, high, missing) = count(
        ingested, "SELECT min(propensity), max(propensity), count(*) - count(propensity) FROM exposures"
    )
    assert 0 < low <= high <= 1
    assert missing == 0
    (complaints, without, late) = count(
        ingested,
        "SELECT count(*), count(*) - count(deadline_at), count(*) FILTER (deadline_at <= occurred_at) "
        "FROM service_events WHERE kind = 'complaint'",
    )
    assert complaints
    assert without == 0
    assert late == 0


def test_ids_of_events_are_different_and_rise_with_nothing(written: Written) -> None:
    (rows, ids, follows) = asked(
        written,
        "SELECT count(*), count(DISTINCT event_id), corr(event_id, epoch_us(occurred_at)) FROM transactions "
        "WHERE amount IS NOT NULL AND discount >= 0 AND customer_id <> '' AND occurred_at > '1970-01-01'",
    )[0]
    assert rows == ids
    assert abs(follows) < 0.05


def test_contracts_are_bound_or_free_and_bound_ones_end(ingested: Workspace) -> None:
    (bound, open_ended) = count(
        ingested,
        "SELECT count(*), count(*) FILTER (ends_at IS NULL) FROM contracts WHERE kind = 'bound'",
    )
    assert bound
    assert open_ended == 0
