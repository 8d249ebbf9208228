from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from features import session
from features.checks import Reading
from features.errors import UserError
from features.ingestion import staging
from features.ingestion.staging import Staged
from features.pseudonyms import Pseudonyms
from features.raw import find
from features.workspace import Workspace

HEADER = "customer_id,occurred_at,amount\n"
Stage = Callable[..., tuple[Staged, list[tuple[Any, ...]]]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """`stage(text, table)`: read and check one CSV file; the result and the (row, reason) of bad rows."""

    def go(
        text: str | bytes, table: str = "transactions", zone: str = "UTC"
    ) -> tuple[Staged, list[tuple[Any, ...]]]:
        content = text.encode() if isinstance(text, str) else text
        (tmp_path / f"{table}.csv").write_bytes(content)
        reading = Reading(zone, "utc", "", datetime(2026, 1, 1))  # noqa: DTZ001
        with session.connect() as opened:
            found, _ = find(opened, tmp_path)
            done = staging.read(opened, found[0], {}, reading, Pseudonyms(Workspace(tmp_path / "w")))
            bad = opened.execute(
                f"SELECT _row, _reason FROM {staging.stage(done.table)} "
                "WHERE _reason IS NOT NULL ORDER BY _row"
            ).fetchall()
        return done, bad

    return go


def test_counts_and_general_reasons(stage: Stage) -> None:
    done, bad = stage(HEADER + "a,2017-01-02,1\na,2017-01-02,x\na,2017-01-02,y\n,2017-01-02,1\n")
    assert (done.read, done.bad) == (4, 3)
    assert done.reasons == {"amount: is not an amount of money": 2, "customer_id: is missing": 1}
    assert [row for row, _ in bad] == [2, 3, 4]


def test_only_ids_of_accepted_rows_count_as_hashed(stage: Stage) -> None:
    good = "07911123456,2017-01-02,1\n+44 7911 123456,2017-01-02,1\n00447911123456,2017-01-02,1\n"
    done, _ = stage(HEADER + good + "02087654321,2017-01-02,x\n")
    assert done.hashed
    assert done.warnings[0].startswith("transactions: 2 customer ids are phone")
    done, _ = stage(HEADER + "a,2017-01-02,1\n02087654321,2017-01-02,x\n")
    assert (done.hashed, done.warnings) == (False, ())


def test_lines_that_are_no_rows_are_bad_rows(stage: Stage) -> None:
    done, bad = stage(HEADER + "a,2017-01-02,1\nb,2017-01-02\nc,2017-01-02,1,9\nd,2017-01-02,1\n")
    assert (done.read, done.bad) == (4, 2)
    assert all("cannot be split into columns" in reason for _, reason in bad)
    assert [row for row, _ in bad] == [2, 3]


def test_an_open_quote_counts_every_line_it_swallows(stage: Stage) -> None:
    lines = "".join(f"a,2017-01-0{day},1\n" for day in range(1, 7))
    done, _ = stage(HEADER + 'a,2017-01-02,"1\n' + lines)
    assert (done.read, done.bad) == (7, 7)


def test_text_that_is_not_utf8_is_a_bad_row(stage: Stage) -> None:
    done, bad = stage((HEADER + "a,2017-01-02,1\n").encode() + "中文,2017-01-02,1\n".encode("gbk"))
    assert (done.read, done.bad) == (2, 1)
    assert "not utf-8" in bad[0][1]


def test_repeated_keys(stage: Stage) -> None:
    done, bad = stage("product_id,name\np,one\np,one\np,two\nq,one\n", "products")
    assert (done.read, done.bad) == (4, 1)
    assert bad == [(3, "product_id: 'p' comes again in this file with other values")]


def test_columns_that_are_not_used(stage: Stage) -> None:
    done, _ = stage("customer_id,occurred_at,amount,quantiti,phone\na,2017-01-02 08:00:00,1,1,1\n")
    assert done.warnings == ("transactions.csv: not used: quantiti (did you mean quantity?), phone.",)


def test_local_days_given_as_utc_are_warned_about(stage: Stage) -> None:
    midnights = HEADER + "a,2017-01-02 00:00:00,1\nb,2017-01-03 00:00:00,1\n"
    done, _ = stage(midnights, zone="America/New_York")
    assert any("naive_times" in warning for warning in done.warnings)
    assert stage(midnights, zone="UTC")[0].warnings == ()
    assert stage(midnights.replace("00:00:00", ""), zone="America/New_York")[0].warnings == ()


def test_a_missing_required_column(stage: Stage) -> None:
    with pytest.raises(UserError, match=r"no column 'amount'"):
        stage("customer_id,occurred_at\n")


def test_allowed_values_in_any_case(stage: Stage) -> None:
    header = "customer_id,occurred_at,kind\n"
    done, bad = stage(header + "a,2017-01-02,Complaint\na,2017-01-02,shouting\n", "service_events")
    assert (done.read, done.bad) == (2, 1)
    assert bad[0][1].startswith("kind: 'shouting' is not one of complaint")
