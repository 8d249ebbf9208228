"""Against brute force on a small world, and against what chance alone would show."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.stats import chi2

from features.errors import UserError
from features.labels import LabelDefinitions
from training.datasets import Snapshots
from training.recommendation import associations
from training.recommendation.associations import LEVELS, Associations
from training.recommendation.ledger import Ledger

from .conftest import no_stores

T = 1000
MEMBERS = 24
Baskets = list[tuple[int, int, set[int]]]


def ledger_of(baskets: Baskets, members: int) -> Ledger:
    """Baskets (customer, day, products); product p is of type p // 2, and the last one may be no item."""
    baskets = sorted(baskets, key=lambda each: each[:2])
    rows = [(who, p, number, day) for number, (who, day, held) in enumerate(baskets) for p in sorted(held)]
    customer, product, basket, day = np.array(rows).T.astype(np.int32)
    types = [f"t{p // 2}" if p < members - 3 else "" for p in range(members)]
    return Ledger(
        LabelDefinitions(),
        np.array([f"c{who:03d}" for who in range(1 + customer.max())]),
        np.array([f"p{p:02d}" for p in range(members)]),
        np.array([["all", name, name] for name in types]),
        np.full((members, 2), ""),
        np.arange(members) < members - 1,
        customer,
        product,
        basket.astype(np.int64),
        day,
        day,
        np.full(len(rows), 100),
        np.zeros(len(rows), dtype=np.bool_),
        *no_stores(len(rows)),
    )


def random_baskets(number: int, members: int, sizes: tuple[int, ...], seed: int = 0) -> Baskets:
    """Every twelfth basket is of customer 3."""
    draw = np.random.default_rng(seed)
    return [
        (
            int(draw.integers(60)) if place % 12 else 3,
            int(draw.integers(T - 300, T + 5)),
            set(draw.choice(members, draw.choice(sizes))),
        )
        for place in range(number)
    ]


def planted(seed: int = 0) -> Baskets:
    """Products 0 and 5 go together, and so do 1 and 8; customer 3 alone always takes 2 and 9."""
    baskets = random_baskets(1500, MEMBERS, (1, 2, 3), seed)
    for number, (who, _, held) in enumerate(baskets):
        if number % 15 == 1:
            held |= {0, 5}
        if number % 23 == 1:
            held |= {1, 8}
        if who == 3:
            held |= {2, 9}
    return baskets


@pytest.mark.parametrize("level", ["product", "product_type"])
def test_every_number_is_that_of_brute_force(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associations, "BLOCK", 3)
    monkeypatch.setattr(associations, "OCCURRENCES", 500)
    monkeypatch.setattr(associations, "FALSE", 9.0)
    baskets = planted()
    found = Associations.at(ledger_of(baskets, MEMBERS), T, level, least=5)

    def name(p: int) -> str:
        return f"p{p:02d}" if level == "product" else f"t{p // 2}" if p < MEMBERS - 3 else ""

    known = [(who, held - {MEMBERS - 1}) for who, day, held in baskets if day < T]
    seen = [(who, {name(p) for p in held} - {""}) for who, held in known]
    n = sum(bool(held) for _, held in known)
    assert found.baskets == n
    pairs = {(a, b) for _, held in seen for a, b in combinations(sorted(held), 2)}
    sizes = np.array([len(held) for _, held in seen])
    chance = n * (sizes * (sizes - 1)).sum() / sizes.sum() ** 2
    assert found.chance == pytest.approx(max(1, chance))
    looked_at = sum(sum({a, b} <= held for _, held in seen) >= 5 for a, b in pairs)
    frame = found.to_pandas().set_index(["name", "with_name"])
    assert 0 < len(frame) < looked_at
    for a, b in sorted(pairs):
        both = [who for who, held in seen if {a, b} <= held]
        n_a, n_b = (sum(x in held for _, held in seen) for x in (a, b))
        lift = n * len(both) / (n_a * n_b)
        effective = len(both) ** 2 / sum(both.count(who) ** 2 for who in set(both))
        p = chi2.cdf(2 * effective * max(1, chance) / lift, 2 * effective)
        sure = len(both) >= 5 and p <= 9 / looked_at
        assert ((a, b) in frame.index) == ((b, a) in frame.index) == sure, (a, b)
        if sure:
            row = frame.loc[(a, b)]
            assert (row["baskets"], row["customers"]) == (len(both), len(set(both)))
            assert row["support"] == pytest.approx(len(both) / n)
            assert row["confidence"] == pytest.approx(len(both) / n_a)
            assert row["reverse"] == pytest.approx(len(both) / n_b)
            assert row["lift"] == pytest.approx(lift)
            assert row["lift_low"] == pytest.approx(lift * chi2.ppf(0.025, 2 * effective) / 2 / effective)


def test_what_goes_together_is_found_and_the_habit_of_one_customer_is_not() -> None:
    found = Associations.at(ledger_of(planted(), MEMBERS), T)
    once = found.to_pandas(found.best())
    assert {*zip(once["name"], once["with_name"], strict=True)} == {("p00", "p05"), ("p01", "p08")}
    assert found.to_pandas(found.best("p05"))["with_name"].tolist() == ["p00"]
    # The habit is in more baskets than what goes together.
    habit = [who for who, day, held in planted() if {2, 9} <= held and day < T]
    assert len(habit) > once["baskets"].max()


def test_large_baskets_alone_make_no_pair() -> None:
    # Unrelated products in baskets of 1 to 40 of them: plain lifts are far above 1.
    found = Associations.at(ledger_of(random_baskets(1500, 60, (1, 2, 40), 2), 60), T)
    assert found.chance > 1.2
    assert not len(found)
    assert found.best().tolist() == []
    assert found.explain(np.array([0]), np.array([1, 2])).tolist() == [-1, -1]


def test_a_suggestion_is_explained_by_the_surest_pair_with_the_basket() -> None:
    baskets = planted()
    found = Associations.at(ledger_of(baskets, MEMBERS), T, least=5)
    names = ["p00", "p99", "p08", "p05"]
    suggested = found.codes(["p05", "p01", "p07", "nobody's"])
    places = found.explain(found.codes(names), suggested)
    assert places[2:].tolist() == [-1, -1]
    assert found.names[found.first[places[:2]]].tolist() == ["p00", "p08"]
    assert found.names[found.second[places[:2]]].tolist() == ["p05", "p01"]
    every = found.to_pandas(found.best("p05"))
    expected = every["lift"][every["with_name"].tolist().index("p00")]
    assert found.lift[places[0]] == pytest.approx(expected)
    assert found.explain(np.empty(0, np.int64), suggested).tolist() == [-1] * 4


def test_lists_are_ranked_by_the_lower_end_of_the_lift() -> None:
    found = Associations.at(ledger_of(planted(), MEMBERS), T, "product_type", least=5)
    listed = found.listed(2)
    for name, rows in listed.groupby("name"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert all(a >= b for a, b in pairwise(rows["lift_low"]))
        assert rows["lift_low"].max() == found.lift_low[found.best(str(name), 1)[0]]
    assert (found.lift_low <= found.lift).all()


def test_arrays_make_the_same_associations_again() -> None:
    found = Associations.at(ledger_of(planted(), MEMBERS), T)
    again = Associations.of(found.arrays())
    assert (again.level, again.baskets, again.chance) == (found.level, found.baskets, found.chance)
    assert again.to_pandas().equals(found.to_pandas())


def test_a_year_counts_and_nothing_from_the_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    baskets = [(who, day, {0, 1}) for who in range(30) for day in (T - 400, T - 365, T - 1, T)]
    found = Associations.at(ledger_of(baskets, 5), T)
    assert found.baskets == 60
    assert found.held.tolist() == [60, 60]
    monkeypatch.setattr(associations, "WINDOW_DAYS", 500)
    assert Associations.at(ledger_of(baskets, 5), T).baskets == 90


@pytest.mark.parametrize("level", LEVELS)
def test_tables_cut_at_the_day_give_the_same(shop: Snapshots, cut_shop: Snapshots, level: str) -> None:
    whole, cut = (Associations.at(Ledger.read(each), cut_shop.until, level) for each in (shop, cut_shop))
    assert whole.to_pandas().equals(cut.to_pandas())
    assert whole.baskets == cut.baskets > 0


def test_what_is_not_there_is_said() -> None:
    found = Associations.at(ledger_of(planted(), MEMBERS), T)
    with pytest.raises(UserError, match=r"product in 20 or more baskets not found: 'p0'\. Hint"):
        found.best("p0")
    with pytest.raises(UserError, match="did you mean 'category'"):
        Associations.at(ledger_of(planted(), MEMBERS), T, "catgory")
    nothing = Associations.at(ledger_of(planted(), MEMBERS), 0)
    assert (len(nothing), nothing.baskets, len(nothing.to_pandas())) == (0, 0, 0)
