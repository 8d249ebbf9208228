"""The two ways to a customer's day agree: plain Python for one, the tiles' SQL for all."""

from __future__ import annotations

import random

import duckdb
import pytest

from features.customer_store.history import History, Keyed, Rows
from features.customer_store.live import Day, Row, compute, replaced, upper
from features.facts import FACTS, PEOPLE
from features.measures import MEASURE_NAMES, PRODUCT_TEXTS, TOUCH_NAMES
from features.tables import TABLES
from features.tiles import FOREVER, relation_sql
from tests.features import posting

DAY = 17_000


def rows(seed: int) -> list[Row]:
    """Rows of one customer's day, among them some with every value missing."""
    chance = random.Random(seed)
    made = []
    for _ in range(30):
        table = chance.choice(posting.TABLES)
        values = posting.values(table, chance)
        for money in ("amount", "discount", "cost"):
            if money in values:
                given = values.pop(money)
                values[f"{money}_cents"] = None if given is None else round(float(given) * 100)
        if table == "transactions":
            values["hour"] = chance.randrange(24)
        made.append(Row(table, (DAY + chance.choice([0, 0, 2]), FOREVER), values))
    return made


def by_sql(made: list[Row], facts: frozenset[str]) -> dict[str, list[tuple]]:
    products = {name: texts for name, *texts in posting.PRODUCTS}
    with duckdb.connect() as connection:
        for table in posting.TABLES:
            stored = {**TABLES[table].stored, **({"hour": "INTEGER"} if table == "transactions" else {})}
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{c} {k}' for c, k in stored.items())})")
            for row in (row for row in made if row.table == table):
                given = {**row.values, "customer_id": "a", "day": DAY, "known_day": row.span[0]}
                marks = ", ".join("?" for _ in given)
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(given)}) VALUES ({marks})", list(given.values())
                )
        connection.execute(
            "CREATE TABLE products (product_id VARCHAR, department VARCHAR, category VARCHAR, brand VARCHAR)"
        )
        for name, texts in products.items():
            connection.execute("INSERT INTO products VALUES (?, ?, ?, ?)", [name, *texts])
        return {
            view: connection.execute(f"FROM ({relation_sql(view, facts)})").fetchall()
            for view in ("tiles", "touches", "purchases", "store_baskets")
        }


def described(made: list[Row]) -> list[Row]:
    texts = {
        name: dict(zip(PRODUCT_TEXTS, map(upper, rest), strict=True)) for name, *rest in posting.PRODUCTS
    }
    nothing = dict.fromkeys(PRODUCT_TEXTS)
    return [
        Row(row.table, row.span, {**row.values, **texts.get(row.values.get("product_id"), nothing)})
        for row in made
    ]


@pytest.mark.parametrize("absent", [(), ("products", "channel"), ("responses", "service_events")])
@pytest.mark.parametrize("seed", range(4))
def test_a_day_is_the_same_in_python_and_in_sql(seed, absent):
    facts = frozenset(FACTS) - set(absent)
    made = rows(seed)
    expected = by_sql(made, facts)
    found = compute(described(made), facts)

    def flat(tiles):
        return [("a", DAY, span[0], *measures) for span, measures in tiles]

    assert flat(found.visits) == expected["tiles"]
    assert flat(found.touches) == expected["touches"]
    for keyed, view in ((found.purchases, "purchases"), (found.stores, "store_baskets")):
        assert [("a", key, DAY, span[0], count) for key, span, count in keyed] == [
            row[:5] for row in expected[view]
        ]
    assert found.visits
    assert found.purchases


def test_a_row_may_count_for_a_while_only():
    line = {"amount_cents": 100, "hour": 9, "basket_id": "b", "store_id": "s"}
    spans = [(DAY, DAY + 9), (DAY + 9, FOREVER)]
    found = compute([Row("transactions", span, line) for span in spans], {PEOPLE})
    assert [span for span, _ in found.visits] == spans
    assert [measures[0] for _, measures in found.visits] == [1, 1], "each has the basket in its time"
    assert found.stores == [("s", spans[0], 1), ("s", spans[1], 1)]
    assert found.purchases == []


@pytest.mark.parametrize("text", ["straße", "naïve", " a b ", "ǆ", "ŉ", "İi", "ΐ", "喂", "\ta", "ﬁ"])
def test_upper_case_is_that_of_sql(text):
    with duckdb.connect() as connection:
        (expected,) = connection.execute("SELECT upper(trim(?))", [text]).fetchone()
    assert upper(text) == expected
    assert upper(None) is None


def day(value: int, key: str = "k") -> Day:
    span = (DAY, FOREVER)
    return Day(
        [(span, [value] * len(MEASURE_NAMES))],
        [(span, [value] * len(TOUCH_NAMES))],
        [(key, span, value)],
        [(key, span, value)],
    )


def test_a_days_rows_take_the_place_of_those_of_that_day_only():
    code = {"k": 1, "new": 0}.__getitem__
    before = History(
        "a",
        Rows.of([DAY - 1, DAY + 1], [DAY - 1, DAY + 1], [[5, 7]] * len(MEASURE_NAMES)),
        products=Keyed.of([1, 1], [DAY - 1, DAY + 1], [DAY - 1, DAY + 1], [5, 7]),
    )
    once = replaced(before, DAY, day(6), code, code)
    assert once.visits.day.tolist() == [DAY - 1, DAY, DAY + 1]
    assert once.visits.values[0].tolist() == once.products.baskets.tolist() == [5, 6, 7]
    assert once.touches.values[0].tolist() == once.stores.baskets.tolist() == [6]
    assert once.visits.until_day is None
    again = replaced(once, DAY, day(8, "new"), code, code)
    assert again.visits.values[0].tolist() == [5, 8, 7]
    assert again.products.keys.tolist() == [0, 1, 1]
    assert again.stores.key.tolist() == [0]
    nothing = replaced(again, DAY, Day([], [], [], []), code, code)
    assert nothing.visits.day.tolist() == before.visits.day.tolist()
    assert nothing.touches.day.tolist() == nothing.stores.day.tolist() == []
    assert replaced(before, DAY + 5, Day([], [], [], []), code, code).visits is before.visits
