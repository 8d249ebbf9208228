"""What is known of each reference, and since when: exact keys by their hashes, the rest as it was written.

A reference's record grows: on every day on which something new was seen there is a version with the latest of
each column, and two references are compared in all their versions. So a link has the day from which its
evidence stood, and later facts change nothing about the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from features.content import ALWAYS
from features.identity import keys
from features.identity.writings import WRITINGS
from features.pseudonyms import PREFIX
from features.session import literal, parquet

# hash: identifiers that identify nobody.
VOID: Final = "identity_void"
# reference, kind, hash, day: exact keys, each from the first day on which it counts.
KEYS: Final = "identity_keys"
# reference, day: every reference, and the day on which it was first seen.
REFERENCES: Final = "identity_references"
# record, reference, day, and a column for each of COLUMNS: the versions of all records.
RECORDS: Final = "identity_records"
COLUMNS: Final = (
    keys.NAME, keys.BIRTH_DATE, keys.BIRTH_YEAR, keys.EMAIL, keys.ADDRESS, keys.PHONE, keys.NATIONAL_ID,
    keys.SEX,
)  # fmt: skip
_DAY: Final = "greatest(day, known_day)"
_NOBODY: Final = (
    "unknown", "n a", "na", "none", "null", "nil", "test", "anonymous", "customer", "mr", "mrs", "ms", "x",
    "xx", "xxx", "未知", "无", "无名", "匿名", "测试", "客户", "先生", "女士", "小姐",
)  # fmt: skip
# Place, date of birth, serial number (odd for men) and check digit (GB 11643).
_RESIDENT: Final = "^[0-9]{6}((18|19|20)[0-9]{6})[0-9]{2}([0-9])[0-9x]$"
_NO_DATES: Final = ("0001-01-01", "1900-01-01", "1970-01-01")


def write(opened: duckdb.DuckDBPyConnection, tables: Mapping[str, Path]) -> None:
    """Make the tables `KEYS`, `REFERENCES` and `RECORDS` of a session.

    Args:
        opened: a session that has `WRITINGS` and `VOID`.
        tables: the Parquet files of the canonical tables there are.
    """
    _keys(opened, tables)
    _references(opened, tables)
    _records(opened, tables)


def _keys(opened: duckdb.DuckDBPyConnection, tables: Mapping[str, Path]) -> None:
    exact = ", ".join(map(literal, keys.EXACT))
    parts = []
    if "identities" in tables:
        kind = keys.kind("kind")
        parts.append(
            f"SELECT customer_id AS reference, {kind} AS kind, value AS hash, {_DAY} AS day "
            f"FROM {parquet(tables['identities'])} WHERE {kind} IN ({exact})"
        )
    if "vehicles" in tables:
        parts.append(
            f"SELECT customer_id, '{keys.PLATE}', plate, {ALWAYS} FROM {parquet(tables['vehicles'])}"
        )
    empty = f"SELECT '' AS reference, '' AS kind, '' AS hash, {ALWAYS} AS day WHERE false"
    opened.execute(f"CREATE OR REPLACE TEMP TABLE _key_rows AS {' UNION ALL '.join([empty, *parts])}")
    # A customer id that is itself a personal number is a key that this reference has always had.
    for name in sorted({"transactions", "customers", "identities"} & set(tables)):
        opened.execute(f"""
            INSERT INTO _key_rows
            SELECT DISTINCT t.customer_id, k.kind, k.hash, {ALWAYS}
            FROM (SELECT DISTINCT customer_id FROM {parquet(tables[name])}
                  WHERE starts_with(customer_id, '{PREFIX}')) AS t
            JOIN (SELECT DISTINCT kind, hash FROM _key_rows) AS k ON k.hash = t.customer_id""")
    strength = f"list_position([{exact}], kind)"
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE {KEYS} AS
        SELECT reference, arg_min(kind, (day, {strength})) AS kind, hash, min(day) AS day
        FROM _key_rows GROUP BY reference, hash""")
    opened.execute("DROP TABLE _key_rows")


def _references(opened: duckdb.DuckDBPyConnection, tables: Mapping[str, Path]) -> None:
    parts = [f"SELECT reference, day FROM {KEYS}"]
    if "identities" in tables:
        parts.append(f"SELECT customer_id AS reference, {_DAY} AS day FROM {parquet(tables['identities'])}")
    if "customers" in tables:
        parts.append(
            f"SELECT customer_id AS reference, {ALWAYS} AS day FROM {parquet(tables['customers'])} "
            "WHERE household_id IS NOT NULL"
        )
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE {REFERENCES} AS
        SELECT reference, min(day) AS day FROM ({" UNION ALL ".join(parts)}) GROUP BY reference""")


def _records(opened: duckdb.DuckDBPyConnection, tables: Mapping[str, Path]) -> None:
    opened.execute(f"CREATE OR REPLACE TEMP TABLE _facts AS {_facts(tables)}")
    if "customers" in tables:
        # The table of customers has no days: what it says has always been so.
        file = parquet(tables["customers"])
        known = f"WHERE customer_id IN (SELECT reference FROM {WRITINGS})"
        for kind, value in ((keys.BIRTH_YEAR, "CAST(birth_year AS VARCHAR)"), (keys.SEX, "sex")):
            opened.execute(
                f"INSERT INTO _facts SELECT customer_id, '{kind}', {value}, {ALWAYS} FROM {file} {known} "
                f"AND {value} IS NOT NULL"
            )
    kinds = (*COLUMNS, keys.GIVEN_NAME, keys.FAMILY_NAME)
    daily = ", ".join(f"max({_form(kind)}) FILTER (kind = '{kind}') AS {kind}" for kind in kinds)
    latest = ", ".join(f"last_value({kind} IGNORE NULLS) OVER seen AS {kind}" for kind in kinds)
    parts = f"nullif(trim(concat_ws(' ', {keys.GIVEN_NAME}, {keys.FAMILY_NAME})), '')"
    name = _sorted(f"coalesce({keys.NAME}, {parts})")
    number = keys.NATIONAL_ID
    born = f"try_strptime(regexp_extract({number}, '{_RESIDENT}', 1), '%Y%m%d')"
    date = f"coalesce({keys.BIRTH_DATE}, CAST(CAST({born} AS DATE) AS VARCHAR))"
    odd = f"TRY_CAST(regexp_extract({number}, '{_RESIDENT}', 3) AS INTEGER) % 2"
    sex = f"coalesce({keys.SEX}, CASE {odd} WHEN 1 THEN 'm' WHEN 0 THEN 'f' END)"
    year = f"coalesce(CAST(left({date}, 4) AS INTEGER), TRY_CAST({keys.BIRTH_YEAR} AS INTEGER))"
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE {RECORDS} AS
        SELECT row_number() OVER (ORDER BY reference, day) AS record, reference, day, {name} AS {keys.NAME},
               {date} AS {keys.BIRTH_DATE}, {year} AS {keys.BIRTH_YEAR}, {sex} AS {keys.SEX},
               {keys.EMAIL}, {keys.ADDRESS}, {keys.PHONE}, {keys.NATIONAL_ID}
        FROM (SELECT reference, day, {latest}
              FROM (SELECT reference, day, {daily} FROM _facts WHERE kind IN ({_list(kinds)})
                    GROUP BY reference, day)
              WINDOW seen AS (PARTITION BY reference ORDER BY day ROWS UNBOUNDED PRECEDING))""")
    opened.execute("DROP TABLE _facts")


def _facts(tables: Mapping[str, Path]) -> str:
    """Query of everything written, in its plain form, from the first day on which it counts."""
    if "identities" not in tables:
        return f"SELECT reference, kind, value, {ALWAYS} AS day FROM {WRITINGS}"
    plain = f"trim(regexp_replace(lower(strip_accents({keys.narrow('w.value')})), '\\s+', ' ', 'g'))"
    return f"""
        SELECT w.reference, w.kind, {plain} AS value, min({_DAY}) AS day
        FROM {WRITINGS} AS w JOIN (
            SELECT customer_id AS reference, {keys.kind("kind")} AS kind, value AS hash, day, known_day
            FROM {parquet(tables["identities"])}) USING (reference, kind, hash)
        WHERE hash NOT IN (SELECT hash FROM {VOID})
        GROUP BY w.reference, w.kind, {plain}"""


def _form(kind: str) -> str:
    """SQL of the form in which a value of a kind is compared; null when it says nothing."""
    value = "value"
    match kind:
        case keys.BIRTH_DATE:
            formats = ("%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y")
            tries = ", ".join(f"CAST(try_strptime({value}, '{form}') AS DATE)" for form in formats)
            date = f"CAST(coalesce(TRY_CAST({value} AS DATE), {tries}) AS VARCHAR)"
            return f"CASE WHEN {date} NOT IN ({_list(_NO_DATES)}) THEN {date} END"
        case keys.SEX:
            return (
                f"CASE WHEN left({value}, 1) IN ('m', '男') THEN 'm' "
                f"WHEN left({value}, 1) IN ('f', 'w', '女') THEN 'f' END"
            )
        case keys.PHONE:
            return f"nullif(right(regexp_replace({value}, '[^0-9]', '', 'g'), 10), '')"
        case keys.NATIONAL_ID:
            return f"nullif(regexp_replace({value}, '[^0-9a-z]', '', 'g'), '')"
        case keys.NAME | keys.GIVEN_NAME | keys.FAMILY_NAME | keys.ADDRESS:
            words = f"trim(regexp_replace({value}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"
            # A Chinese name is written without a space behind the family name.
            parts = f"regexp_replace({words}, '^(\\p{{Han}})(\\p{{Han}}{{1,2}})$', '\\1 \\2')"
            told = parts if kind == keys.NAME else words
            return f"CASE WHEN {words} NOT IN ('', {_list(_NOBODY)}) THEN {told} END"
        case _:
            return f"nullif({value}, '')"


def _sorted(words: str) -> str:
    """SQL of a text's words in order: given and family name swapped are the same name."""
    return f"list_aggregate(list_sort(string_split({words}, ' ')), 'string_agg', ' ')"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(map(literal, words))
