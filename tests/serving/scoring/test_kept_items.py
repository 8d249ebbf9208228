"""What a batch knew of customers gives the answers that are given without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.customer_store.rows import Baskets, Keyed
from features.workspace import Workspace
from serving.answering.cross_selling import cross_sell
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.messages import schemas
from serving.messages.problems import ProblemError
from serving.scoring import kept_items
from serving.scoring.beside import Buyer
from serving.scoring.kept_items import FILE, KeptItems
from training.recommendation.beforehand import Beforehand


@pytest.fixture(scope="module")
def folder(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kept") / "scores"
    batch.score(slice_workspace, out=out)
    return out


@pytest.fixture(scope="module")
def kept(folder: Path) -> KeptItems:
    found = KeptItems.read(folder)
    assert found is not None
    return found


def made_from(engine: Engine, buyer: Buyer | None, as_of: int) -> bytes:
    assert buyer is not None
    assert engine.beside is not None
    assert engine.recommender is not None
    return kept_items.key(engine.recommender.model, as_of, buyer.bought(engine.beside._items, as_of))


def buyer_of(engine: Engine, customer: str) -> Buyer:
    found = engine.buyer(customer, engine.stored(customer)[1], engine.clock_day)
    assert found is not None
    return found


def test_answers_are_the_same_to_the_last_character(
    engine: Engine, kept: KeptItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All customers of the slice, with and without a basket and a store."""
    held, found = replace(engine, kept_items=kept), list[bool]()
    plain = KeptItems.find

    def noted(self: KeptItems, key: bytes) -> Beforehand | None:
        known = plain(self, key)
        found.append(known is not None)
        return known

    monkeypatch.setattr(KeptItems, "find", noted)
    assert engine.beside is not None
    items, shelves = engine.beside._items, engine.beside._shelved.at(engine.clock_day)
    stores = sorted(shelves.place, key=lambda store: -shelves.of(store).baskets)[:5]
    sold, draw = items.product_id[items.popular[:400]], np.random.default_rng(0)
    asked = 0
    for number, customer in enumerate(engine.store.customers()):
        basket = draw.choice(sold, number % 7, replace=False).tolist()
        for store in (None, stores[number % len(stores)]):
            request = schemas.CrossSellRequest(
                customer=schemas.Customer(customer_id=customer),
                basket=basket,
                store=store,
                language="zh" if number % 2 else "en",
                limit=30 if number % 5 == 0 else 10,
            )
            try:
                expected = cross_sell(replace(engine, kept_items=None), request, None)
            except ProblemError:
                continue
            asked += 1
            assert cross_sell(held, request, None).model_dump_json() == expected.model_dump_json()
    assert asked > 400
    assert np.mean(found) > 0.95


def test_what_is_not_the_same_is_not_found(engine: Engine, kept: KeptItems) -> None:
    assert engine.recommender is not None
    assert engine.beside is not None
    day, model = engine.clock_day, engine.recommender.model
    for customer in engine.store.customers()[:20]:
        buyer = buyer_of(engine, customer)
        bought = buyer.bought(engine.beside._items, day)
        if not len(bought.item):
            continue
        assert kept.find(made_from(engine, buyer, day)) is not None
        for other in (day - 1, day + 1):
            assert kept.find(made_from(engine, buyer, other)) is None
        for newer in (replace(model, version=model.version + 1), replace(model, run_id="another")):
            assert kept.find(kept_items.key(newer, day, bought)) is None
        more = bought._replace(baskets=bought.baskets + np.eye(1, len(bought.item), dtype=np.int64)[0])
        assert kept.find(kept_items.key(model, day, more)) is None


def test_a_purchase_since_is_found_as_nothing(engine: Engine, kept: KeptItems, customer: str) -> None:
    history = engine.stored(customer)[1]
    assert history is not None
    assert engine.beside is not None
    items, day, old = engine.beside._items, engine.clock_day, history.products
    place = {product: code for code, product in enumerate(engine.products.tolist())}
    code = place[str(items.product_id[items.popular[0]])]
    keys = np.append(old.keys, code)
    order = np.argsort(keys, kind="stable")
    columns = [np.append(each, last) for each, last in ((old.day, day - 1), (old.known_day, day - 1))]
    added = Keyed.of(keys[order], *(each[order] for each in columns), np.append(old.baskets, 1)[order])
    newer = history._replace(baskets=Baskets.of(added, history.stores))
    assert kept.find(made_from(engine, engine.buyer(customer, history, day), day)) is not None
    assert kept.find(made_from(engine, engine.buyer(customer, newer, day), day)) is None


def test_without_a_batch_nothing_is_kept(folder: Path, tmp_path: Path) -> None:
    assert KeptItems.read(tmp_path) is None
    for broken in (b"", b"no table", (folder / FILE).read_bytes()[:1000]):
        (tmp_path / FILE).write_bytes(broken)
        assert KeptItems.read(tmp_path) is None


def test_what_is_damaged_is_found_as_nothing(folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / FILE).read_bytes())
    # The rows of the first part lie between the schema before it and what is after it.
    begin, end = len(data) // 3, len(data) // 2
    data[begin:end] = bytes(255 - byte for byte in data[begin:end])
    (tmp_path / FILE).write_bytes(data)
    whole, damaged = KeptItems.read(folder), KeptItems.read(tmp_path)
    assert whole is not None
    assert damaged is not None
    keys = [np.array(pair, np.uint64).tobytes() for pair in zip(whole.first, whole.second, strict=True)]
    lost = 0
    for key in keys:
        there, found = whole.find(key), damaged.find(key)
        assert there is not None
        lost += found is None
        assert found is None or found.pack() == there.pack()
    assert 0 < lost < len(keys)
    with pa.ipc.new_file(tmp_path / FILE, pa.schema([("a", pa.int64())])) as other:
        other.write(pa.record_batch([[1]], names=["a"]))
    assert KeptItems.read(tmp_path) is None


def test_the_engine_reads_what_the_last_batch_kept(engine: Engine) -> None:
    assert engine.kept_items is not None
    assert len(engine.kept_items.first) == len(engine.kept_items.place)
