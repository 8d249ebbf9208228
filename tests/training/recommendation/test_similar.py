from __future__ import annotations

import numpy as np
import pytest

from features.errors import UserError
from training.recommendation.assortment import Assortment
from training.recommendation.examples import Collector
from training.recommendation.similar import Similar


@pytest.fixture(scope="module")
def assortment(collector: Collector) -> Assortment:
    return collector.assortment(collector.until)


def test_similar_products_are_of_the_same_camp(assortment: Assortment) -> None:
    similar = Similar.of(assortment)
    assert len(similar.names) == 28
    for name in ("red03", "blue07"):
        near = similar.nearest(name, 5)
        assert (near["name"] == name).all()
        assert name not in near["with_name"].tolist()
        assert {other[:-2] for other in near["with_name"]} == {name[:-2]}
        assert near["rank"].tolist() == [1, 2, 3, 4, 5]
        assert near["cosine"].is_monotonic_decreasing
        assert near["cosine"].between(0, 1 + 1e-6).all()


def test_cosine_of_the_factors(assortment: Assortment) -> None:
    factors = assortment.collaborative.factors[0].write.astype(np.float64)
    similar = Similar.of(assortment)
    row = similar.nearest("red03", 1).iloc[0]
    a, b = (factors[np.searchsorted(similar.names, row[name])] for name in ("name", "with_name"))
    assert row["cosine"] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-5)


def test_the_list_of_all_is_the_list_of_each(assortment: Assortment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.recommendation.similar.CHUNK", 5)
    similar = Similar.of(assortment)
    listed = similar.listed(4)
    assert listed["name"].nunique() == 28
    for name, rows in listed.groupby("name"):
        alone = similar.nearest(str(name), 4)
        assert rows["with_name"].tolist() == alone["with_name"].tolist()
        assert rows["cosine"].to_numpy() == pytest.approx(alone["cosine"].to_numpy(), abs=1e-5)


def test_a_product_without_factors_is_said(assortment: Assortment) -> None:
    with pytest.raises(UserError, match="not among the 28 best selling"):
        Similar.of(assortment).nearest("green01", 3)
