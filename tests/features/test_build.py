from __future__ import annotations

import pytest
from redis import Redis

from features.build import TABLES, build, built_from, files, open_store
from features.canonical import SOURCE_FILE, Canonical
from features.customer_store.choice import VARIABLE
from features.errors import ExitCode, UserError
from features.json_file import write_json
from features.source import Source
from features.workspace import Workspace

LINES = [
    {"customer_id": customer, "day": day, "amount_cents": 100, "product_id": product, "basket_id": basket}
    for customer, day, product, basket in [
        ("b", 100, "petrol", "1"),
        ("b", 100, "apple", "1"),
        ("b", 103, "apple", "2"),
        ("a", 101, "apple", "3"),
        ("c", 101, None, "4"),
    ]
]


def test_everything_is_built_and_published_together(make_workspace):
    workspace = make_workspace(LINES)
    made = build(workspace)
    assert (made.customers, made.tiles, made.purchases, made.products, made.reused) == (3, 4, 4, 2, False)
    assert {*files(), TABLES} <= {file.name for file in workspace.features.iterdir()}
    store = open_store(workspace)
    assert store.customers() == ["a", "b", "c"]
    assert store.products.tolist() == ["apple", "petrol"]
    history = store.get("b")
    assert history is not None
    assert history.day.tolist() == [100, 103]
    assert [part.tolist() for part in history.purchases(200)] == [[0, 0, 1], [100, 103, 100], [1, 1, 1]]
    without_products = store.get("c")
    assert without_products is not None
    assert without_products.purchase_day.tolist() == []
    store.close()


def test_a_chunk_of_customers_at_a_time_gives_the_same(make_workspace, monkeypatch):
    monkeypatch.setattr("features.customer_store.loading._CHUNK", 1)
    workspace = make_workspace(LINES)
    build(workspace)
    store = open_store(workspace)
    assert [(h.customer_id, len(h.day), len(h.purchase_day)) for h in store.histories()] == [
        ("a", 1, 1),
        ("b", 2, 3),
        ("c", 1, 0),
    ]
    store.close()


def test_the_same_tables_are_not_built_again(make_workspace):
    workspace = make_workspace(LINES)
    build(workspace)
    published = workspace.features.resolve()
    assert build(workspace).reused
    assert workspace.features.resolve() == published
    assert not build(workspace, force=True).reused
    assert workspace.features.resolve() != published


def test_a_build_is_of_its_tables_only(make_workspace, tmp_path):
    workspace = make_workspace(LINES)
    assert built_from(Canonical.open(workspace)) is None
    build(workspace)
    canonical = Canonical.open(workspace)
    assert built_from(canonical) == workspace.features.resolve()
    assert built_from(canonical.cut(102, tmp_path)) is None
    with workspace.publish(workspace.tables) as folder:
        for name in ("transactions.parquet", "products.parquet"):
            (folder / name).write_bytes((canonical.folder / name).read_bytes())
        write_json(folder / SOURCE_FILE, Source().plain())
        assert built_from(canonical) is not None
    assert built_from(Canonical.open(workspace)) is None


def test_a_failed_build_leaves_the_last_one(make_workspace, monkeypatch):
    workspace = make_workspace(LINES)
    build(workspace)
    published = workspace.features.resolve()

    def fail(*_arguments):
        raise OSError("disk full")

    monkeypatch.setattr("features.customer_store.choice.create", fail)
    with pytest.raises(OSError, match="disk full"):
        build(workspace, force=True)
    assert workspace.features.resolve() == published
    assert open_store(workspace).customers() == ["a", "b", "c"]


def test_without_tables_the_command_that_makes_them_is_named(tmp_path):
    with pytest.raises(UserError, match="nextbest ingest") as error:
        build(Workspace(tmp_path / "empty").create())
    assert error.value.exit_code is ExitCode.NOT_BUILT


@pytest.mark.parametrize("file", files())
def test_a_build_that_lost_a_file_is_made_again(make_workspace, file):
    workspace = make_workspace(LINES)
    build(workspace)
    (workspace.features / file).unlink()
    assert built_from(Canonical.open(workspace)) is None
    assert not build(workspace).reused
    assert (workspace.features / file).exists()


def test_the_tables_of_a_build_stay_with_it(make_workspace):
    workspace = make_workspace(LINES)
    build(workspace)
    kept, canonical = Canonical.read(workspace.features / TABLES), Canonical.open(workspace)
    assert kept.tables == canonical.tables
    assert kept.path("transactions").samefile(canonical.path("transactions")), "linked, not copied"


def test_a_file_system_without_links_gets_copies(make_workspace, monkeypatch):
    def refuse(*_arguments):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    workspace = make_workspace(LINES)
    build(workspace)
    assert Canonical.read(workspace.features / TABLES).last_day == 103


def test_a_redis_server_that_lost_the_customers_is_filled_again(make_workspace, monkeypatch, redis_url):
    workspace = make_workspace(LINES)
    build(workspace)
    monkeypatch.setenv(VARIABLE, redis_url)
    assert not build(workspace).reused, "the customers are not there"
    assert build(workspace).reused
    with Redis.from_url(redis_url) as client:
        client.flushdb()
    assert not build(workspace).reused
    assert open_store(workspace).customers() == ["a", "b", "c"]
