from pathlib import Path

import duckdb
import numpy as np
import pytest

from features.tables import TABLES
from features.workspace import Workspace
from serving.batch.job import open_job
from serving.batch.population import Population
from serving.catalogue.actions import PACKAGED, load
from serving.review import outlook, preview
from serving.review.outlook import NOTHING, Outlook
from tests.serving.catalogues import SMALL


@pytest.fixture(scope="module")
def seen(slice_workspace: Workspace) -> Outlook:
    job = open_job(slice_workspace, None, [], None, allow_future=False)
    (found,) = outlook.outlooks(Population.open(job), [job.catalogue], slice_workspace.effects)
    return found


def test_every_customer_is_counted_once_for_each_action_and_place(seen: Outlook) -> None:
    size = len(seen.customer_id)
    for place, here in seen.places.items():
        assert (here.rules.sum(axis=1) == size).all()
        assert (here.first == NOTHING).sum() == (here.offered == 0).sum()
        assert sum(count.first for count in here.counts) == (here.offered > 0).sum()
        assert sum(seen.winners(place).values()) == (here.offered > 0).sum()
        assert (here.expected[here.first != NOTHING] > 0).all()
        for count in here.counts:
            assert count.first <= count.offered <= count.eligible <= size
            assert count.offered + sum(count.dropped.values()) == size
    assert seen.without.sum() <= min((here.offered == 0).sum() for here in seen.places.values())


def test_chance_is_left_out(seen: Outlook) -> None:
    assert seen.catalogue.control.share == 0
    assert seen.catalogue.exploration.share == 0
    assert not {"holdout", "control"} & {
        rule for here in seen.places.values() for count in here.counts for rule in count.dropped
    }


def test_names_that_nobody_has_are_told(seen: Outlook) -> None:
    # The slice has purchases and products, no service events: what they would say is known to be nothing.
    assert "visits_91" not in seen.never_known
    assert "tier" not in seen.never_known


def test_two_catalogues_see_the_same_base(slice_workspace: Workspace, seen: Outlook, tmp_path: Path) -> None:
    file = tmp_path / "actions.yaml"
    file.write_text(SMALL, encoding="utf-8")
    job = open_job(slice_workspace, None, [], None, allow_future=False)
    other = load(file)
    both = outlook.outlooks(Population.open(job, other), [job.catalogue, other])
    assert both[0].customer_id.tolist() == both[1].customer_id.tolist()
    np.testing.assert_array_equal(both[0].places["till"].first, seen.places["till"].first)
    assert list(both[1].places) == ["till"]


def test_a_channel_by_another_name_changes_what_customers_have_refused(
    slice_copy: Workspace, tmp_path: Path
) -> None:
    """Everybody has refused texts: of a channel that nothing is known as that is a refusal of all."""
    columns = {
        "customer_id": "customer_id",
        "stated_at": "TIMESTAMP '2016-01-01'",
        "known_at": "TIMESTAMP '2016-01-01'",
        "day": "16801",
        "known_day": "16801",
        "purpose": "'marketing'",
        "granted": "false",
        "channel": "'text'",
    }
    cells = ", ".join(
        f"CAST({columns.get(name, 'NULL')} AS {kind}) AS {name}"
        for name, kind in TABLES["consents"].stored.items()
    )
    with duckdb.connect() as opened:
        seen = f"(SELECT DISTINCT customer_id FROM '{slice_copy.tables / 'transactions.parquet'}')"
        opened.execute(f"COPY (SELECT {cells} FROM {seen}) TO '{slice_copy.tables / 'consents.parquet'}'")
    content = PACKAGED.read_text(encoding="utf-8")
    file = tmp_path / "actions.yaml"
    file.write_text(content.replace("sms: {cost_cents: 7,", "sms: {cost_cents: 7, known_as: [text],"))
    job, other = open_job(slice_copy, None, [], None, allow_future=False), load(file)
    before, after = outlook.outlooks(Population.open(job, other), [job.catalogue, other])
    assert before.strange == {"text": len(before.customer_id)}
    assert after.strange == {}
    assert not before.winners("campaign")
    assert after.winners("campaign")
    report = preview.compare(before, after)
    assert any(total.changed for total in report.totals)
    assert any(change.action == "none" and change.lost for change in report.changes)
