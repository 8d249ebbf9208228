from pathlib import Path

import numpy as np
import pytest

from features.canonical import Canonical
from features.clock import parse_date, to_day
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.contacts.tables import ContactTables
from tests.features import posting

DAY = to_day(parse_date("2017-06-01"))


@pytest.fixture
def canonical(tmp_path: Path) -> Canonical:
    source = posting.write_source(tmp_path / "source", posting.stream(11, 300))
    workspace = Workspace(tmp_path / "workspace").create()
    ingest(workspace, str(source))
    return Canonical.open(workspace)


def test_a_row_takes_no_more_than_is_said(canonical: Canonical) -> None:
    tables = ContactTables.read(canonical)
    rows = len(tables.contacts.day)
    assert rows > 30
    per_customer = tables.ids.itemsize + 3 * 8
    few = 8 + 4 + 4 + 8 + 2 + 1 + 8
    others = len(tables.complaints.day) + len(tables.consents.day)
    assert tables.nbytes <= rows * 13 + others * few + (len(tables.ids) + 3) * per_customer


def test_places_of_one_and_of_many_are_the_same(canonical: Canonical) -> None:
    tables = ContactTables.read(canonical)
    names = ["d", "nobody", "a", "a-name-longer-than-any-that-is-stored", "", "é"]
    assert tables.places(names).tolist() == [int(tables.places([name])[0]) for name in names]
    assert [tables.ids[place].decode() for place in tables.places(names) if place >= 0] == ["d", "a"]


def test_visible_rows_of_one_and_of_many_are_the_same(canonical: Canonical) -> None:
    tables = ContactTables.read(canonical)
    names = ["b", "nobody", "a", "b", "c"]
    for part in (tables.contacts, tables.complaints, tables.consents):
        row, index = part.visible(tables.places(names), DAY)
        single = [part.visible(tables.places([name]), DAY)[1] for name in names]
        assert index.tolist() == np.concatenate(single).tolist()
        assert row.tolist() == [at for at, found in enumerate(single) for _ in found]
        assert len(row)


def test_a_source_without_these_tables_has_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "source.toml").write_text('name = "bare"\ntime_zone = "UTC"\n')
    (source / "transactions.csv").write_text("customer_id,occurred_at,amount\na,2017-01-01T00:00:00Z,1\n")
    workspace = Workspace(tmp_path / "workspace").create()
    ingest(workspace, str(source))
    tables = ContactTables.read(Canonical.open(workspace))
    assert (len(tables.ids), tables.consents_known) == (0, False)
    assert tables.places(["a", "b"]).tolist() == [-1, -1]
    assert [len(found) for found in tables.contacts.visible(tables.places(["a"]), DAY)] == [0, 0]
    assert [len(found) for found in tables.contacts.visible(tables.places(["a", "b"]), DAY)] == [0, 0]
