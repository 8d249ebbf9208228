from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from features.errors import UserError
from features.source import Source, read

FULL = """
name = "stations"
time_zone = "Asia/Shanghai"
currency = "CNY"
clock = "wall"
choices_until = 2024-06-30
naive_times = "local"
time_format = "%d/%m/%Y %H:%M"
plain_customer_ids = true
[ingest]
max_bad_share = 0.02
[quality]
gap_days = 30
[columns.transactions]
amount = "sales_value"
[labels.churn]
horizon_days = 35
"""


def declare(folder: Path, text: str) -> Path:
    (folder / "source.toml").write_text(text, encoding="utf-8")
    return folder / "source.toml"


def test_every_key(tmp_path: Path) -> None:
    declared = read(declare(tmp_path, FULL))
    source = declared.source
    assert (source.name, source.zone, source.currency, source.clock) == (
        "stations",
        "Asia/Shanghai",
        "CNY",
        "wall",
    )
    assert source.choices_until == date(2024, 6, 30)
    assert source.plain_customer_ids
    assert source.labels.churn.horizon_days == 35
    assert (declared.naive_times, declared.time_format) == ("local", "%d/%m/%Y %H:%M")
    assert declared.max_bad_share == pytest.approx(0.02)
    assert (declared.bounds.gap_days, declared.bounds.missing) == (30, 0.05)
    assert declared.columns == {"transactions": {"amount": "sales_value"}}


def test_no_file_means_defaults(tmp_path: Path) -> None:
    declared = read(tmp_path / "source.toml")
    assert not declared.stated
    assert (declared.source.zone, declared.source.currency) == ("UTC", "")


def test_a_source_survives_json(tmp_path: Path) -> None:
    for source in (Source(), read(declare(tmp_path, FULL)).source):
        assert Source.read(json.loads(json.dumps(source.plain()))) == source
        assert json.loads(json.dumps(source.plain())) == source.plain()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[quality]\nmissin = 0.1", "key of .quality. not found: 'missin'. Hint: did you mean 'missing'"),
        ("[quality]\nmean = -1", ".quality. mean is -1: it has to be a number above 0"),
        ("time_zone = ", "source.toml is not valid TOML"),
        (
            'time_zone = "Asia/Shangai"',
            "time zone not found: 'Asia/Shangai'. Hint: did you mean 'Asia/Shanghai'",
        ),
        ('timezone = "UTC"', "key not found: 'timezone'. Hint: did you mean 'time_zone'"),
        ('currency = "Yuan"', "currency is 'Yuan'.*CNY"),
        ('clock = "walls"', "did you mean 'wall'"),
        ('choices_until = "31.10.2017"', "choices_until is not a date"),
        ('naive_times = "here"', "value of naive_times not found"),
        ('time_format = "%H:%M"', "needs %Y"),
        ('name = ""', "name is ''"),
        ('plain_customer_ids = "no"', "has to be true or false"),
        ("[ingest]\nmax_bad_share = 1", "max_bad_share is 1"),
        ("[ingest]\nmax_bad = 0.1", "key of .ingest. not found: 'max_bad'"),
        (
            '[columns.transaction]\namount = "x"',
            "table of .columns. not found: 'transaction'.*'transactions'",
        ),
        (
            '[columns.transactions]\namuont = "x"',
            "canonical column of transactions not found: 'amuont'.*'amount'",
        ),
        ("[columns.transactions]\namount = 1", "columns.transactions.amount is 1"),
        ("columns = 1", "columns is 1: it has to be a section"),
        ("[labels.chrun]\nhorizon_days = 1", "did you mean 'churn'"),
    ],
)
def test_wrong_declarations_are_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        read(declare(tmp_path, text))
    assert str(error.value).startswith("source.toml")
