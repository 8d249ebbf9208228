from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features import session
from features.errors import ExitCode, UserError
from features.raw import Part, find, resolve

CSV = "customer_id,occurred_at,amount\n"


def test_files_parts_and_what_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("product_id\n1\n", encoding="utf-8")
    (tmp_path / "transactions").mkdir()
    for name in ("b.csv", "a.csv", "notes.txt"):
        (tmp_path / "transactions" / name).write_text(CSV, encoding="utf-8")
    (tmp_path / "custmers.csv").write_text("x\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("x\n", encoding="utf-8")
    with session.connect() as opened:
        found, warnings = find(opened, tmp_path)
    labels = {table.name: [part.label for part in table.parts] for table in found}
    assert labels == {
        "transactions": ["transactions/a.csv", "transactions/b.csv"],
        "products": ["products.csv"],
    }
    assert warnings == [
        "README.md is not read: it is no .parquet or .csv file.",
        "custmers.csv is not used: no canonical table has that name. Did you mean customers.csv?",
        "transactions/notes.txt is not read: it is no .parquet or .csv file.",
    ]


def test_the_truth_of_a_simulated_source_is_not_opened_nor_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "transactions.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "transactions.parquet").write_text("cannot be read", encoding="utf-8")
    with session.connect() as opened:
        found, warnings = find(opened, tmp_path)
    assert [part.label for table in found for part in table.parts] == ["transactions.csv"]
    assert warnings == []


def test_parts_in_sub_folders_and_suffixes_in_capitals(tmp_path: Path) -> None:
    query = f"COPY (SELECT 'a' AS customer_id, 'm' AS x) TO '{tmp_path}/transactions/month=1/a.PARQUET'"
    for table in ("transactions", "products"):
        for month in ("month=1", "month=2"):
            (tmp_path / table / month).mkdir(parents=True)
            (tmp_path / table / month / "b.csv").write_text(CSV + "a,2017-01-02\n", encoding="utf-8")
    duckdb.connect().sql(query)
    for name in ("transactions/.a.crc", "transactions/.tmp/c.csv", ".hidden", "source.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    (tmp_path / "customers.CSV").write_text("customer_id\na\n", encoding="utf-8")
    with session.connect() as opened:
        found, warnings = find(opened, tmp_path)
        tables = {table.name: table.parts for table in found}
        for part in [*tables["transactions"], *tables["products"], *tables["customers"]]:
            opened.execute(part.relation).fetchall()
            if "b.csv" in part.label:
                # Each file has its own list of lines that are no rows.
                assert opened.execute(f"SELECT count(DISTINCT line) FROM {part.rejects}").fetchone() == (1,)
                assert opened.execute(f"SELECT count(DISTINCT file_id) FROM {part.rejects}").fetchone() == (
                    1,
                )
    assert [part.label for part in tables["transactions"]] == [
        "transactions/month=1/a.PARQUET",
        "transactions/month=1/b.csv",
        "transactions/month=2/b.csv",
    ]
    # The folder's name is no column.
    assert set(tables["transactions"][0].types) == {"customer_id", "x"}
    assert [part.label for part in tables["customers"]] == ["customers.CSV"]
    assert len({part.rejects for part in tables["transactions"][1:] + tables["products"]}) == 4
    assert warnings == []


def test_every_file_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "transactions" / "old").mkdir(parents=True)
    (tmp_path / "transactions" / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "transactions" / "linked").symlink_to(tmp_path / "elsewhere")
    for name in (
        "transactions/old/a.csv.gz",
        "products.csv.gz",
        "Transactions.CSV",
        "stores.v2.csv",
        "customers",
    ):
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    with session.connect() as opened:
        found, warnings = find(opened, tmp_path)
    assert [part.label for table in found for part in table.parts] == ["transactions/a.csv"]
    assert [warning.split()[0] for warning in warnings] == [
        "Transactions.CSV", "customers", "elsewhere", "products.csv.gz", "stores.v2.csv",
        "transactions/linked", "transactions/old/a.csv.gz",
    ]  # fmt: skip
    assert "Did you mean transactions.csv?" in warnings[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "transactions.csv is empty"),
        (b"\n1,2\n", "has no header"),
        (b"a,b,A\n", "names column 'A' twice|names column 'a' twice"),
        ("顾客,b\n".encode("gbk"), "not UTF-8"),
    ],
)
def test_unreadable_csv(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "transactions.csv").write_bytes(content)
    with session.connect() as opened, pytest.raises(UserError, match=words) as error:
        find(opened, tmp_path)
    assert error.value.exit_code is ExitCode.BAD_DATA


def test_unreadable_parquet_and_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "transactions.parquet").write_bytes(b"PAR1 not really PAR1")
    with session.connect() as opened, pytest.raises(UserError, match=r"transactions.parquet cannot be read"):
        find(opened, tmp_path)
    (tmp_path / "transactions.parquet").unlink()
    (tmp_path / "transactions").mkdir()
    with (
        session.connect() as opened,
        pytest.raises(UserError, match=r"transactions/ has no .parquet or .csv"),
    ):
        find(opened, tmp_path)


def test_csv_as_people_write_it(tmp_path: Path) -> None:
    text = '\ufeffcustomer_id;"the; name";\r\n007;"x ""y""\r\nz";1\r\n\r\n8;;2\r\n'
    (tmp_path / "customers.csv").write_text(text, encoding="utf-8", newline="")
    with session.connect() as opened:
        found, _ = find(opened, tmp_path)
        (part,) = found[0].parts
        rows = opened.execute(f"FROM ({part.relation})").fetchall()
    assert list(part.types) == ["customer_id", "the; name", "column 3"]
    assert rows == [("007", 'x "y"\r\nz', "1", 1), ("8", None, "2", 2)]


def test_resolve_says_what_is_missing_and_what_is_near() -> None:
    part = Part("t.csv", "", {"customer_id": "VARCHAR", "occurred_at": "VARCHAR", "Amount": "VARCHAR"})
    with pytest.raises(UserError, match=r"no column 'amount'.*did you mean 'Amount'.*amount = \"Amount\""):
        resolve("transactions", part, {})
    assert resolve("transactions", part, {"amount": "Amount"})["amount"] == "Amount"
    with pytest.raises(UserError, match=r"column of t.csv for transactions.amount not found: 'amont'"):
        resolve("transactions", part, {"amount": "amont"})


def test_nested_columns_are_refused(tmp_path: Path) -> None:
    query = "SELECT 'a' AS customer_id, now() AS occurred_at, [1] AS amount"
    duckdb.connect().sql(f"COPY ({query}) TO '{tmp_path}/transactions.parquet'")
    with session.connect() as opened:
        found, _ = find(opened, tmp_path)
        with pytest.raises(UserError, match=r"column 'amount' is a INTEGER\[\]"):
            resolve("transactions", found[0].parts[0], {})
