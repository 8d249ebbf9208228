from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.ingestion.merge import Given
from features.workspace import Workspace

HEADER = "customer_id,occurred_at,amount\n"
A, B = "a,2017-01-02 08:00:00,1\n", "b,2017-01-02 08:00:00,1\n"
Take = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """`take({"1.csv": text, ...}, columns)`: ingest these parts of one table, and the rows there are then."""
    folders = iter(tmp_path / f"source{number}" for number in range(9))

    def go(
        parts: dict[str, str], columns: str = "customer_id", table: str = "transactions"
    ) -> list[tuple[Any, ...]]:
        folder = next(folders)
        (folder / table).mkdir(parents=True)
        if table != "transactions":
            (folder / "transactions.csv").write_text(HEADER + A, encoding="utf-8")
        for name, text in parts.items():
            (folder / table / name).write_text(text, encoding="utf-8")
        workspace = Workspace(tmp_path / "workspace")
        ingest(workspace, str(folder))
        with Canonical.open(workspace).connect() as opened:
            return opened.execute(f"SELECT {columns} FROM {table}").fetchall()

    return go


def test_identical_rows_of_one_file_are_separate(take: Take) -> None:
    assert take({"1.csv": HEADER + A + A}) == [("a",), ("a",)]


def test_across_files_the_larger_count_stands(take: Take) -> None:
    assert take({"1.csv": HEADER + A + A + B, "2.csv": HEADER + A + B}) == [("a",), ("a",), ("b",)]


def test_across_runs_the_larger_count_stands(take: Take) -> None:
    take({"1.csv": HEADER + A})
    assert take({"1.csv": HEADER + A + A}) == [("a",), ("a",)]
    assert take({"1.csv": HEADER + A + B}) == [("a",), ("a",), ("b",)]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=1, max_size=3))
def test_counts_are_the_largest_of_any_file(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]]
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("counts"))
    expected: Counter[str] = Counter("z")
    for number, names in enumerate(files):
        folder = workspace.root / f"source{number}"
        folder.mkdir()
        lines = "".join(A.replace("a,", f"{name},") for name in [*names, "z"])
        (folder / "transactions.csv").write_text(HEADER + lines, encoding="utf-8")
        ingest(workspace, str(folder))
        expected |= Counter(names)
    with Canonical.open(workspace).connect() as opened:
        rows = opened.execute("SELECT customer_id, count(*) FROM transactions GROUP BY ALL").fetchall()
    assert dict(rows) == dict(expected)


def test_event_id_counts_once_and_the_first_stands(take: Take) -> None:
    header = "customer_id,occurred_at,amount,event_id\n"
    first, second = "a,2017-01-02 08:00:00,1,e1\n", "a,2017-01-02 08:00:00,9,e1\n"
    other = "a,2017-01-02 08:00:00,1,e2\n"
    without = "a,2017-01-02 08:00:00,1,\n"
    assert take({"1.csv": header + first + other, "2.csv": header + second}, "amount_cents") == [
        (100,),
        (100,),
    ]
    assert take({"1.csv": header + second + without}, "amount_cents, event_id") == [
        (100, "e1"),
        (100, "e2"),
        (100, None),
    ]


def test_a_column_that_comes_later_makes_no_new_rows(take: Take) -> None:
    take({"1.csv": HEADER + A + A})
    rich = "customer_id,occurred_at,amount,channel\na,2017-01-02 08:00:00,1,app\n"
    assert take({"1.csv": rich}, "channel") == [("app",), (None,)]
    assert take({"1.csv": HEADER + A + A}, "channel") == [("app",), (None,)]


def test_a_row_sent_again_keeps_the_earlier_known_at(take: Take) -> None:
    header = "customer_id,occurred_at,amount,known_at\n"
    early, late = "a,2017-01-02 08:00:00,1,2017-01-03\n", "a,2017-01-02 08:00:00,1,2017-01-09\n"
    assert take({"1.csv": header + late}, "known_day - day") == [(7,)]
    assert take({"1.csv": header + early}, "known_day - day") == [(1,)]
    assert take({"1.csv": header + late}, "known_day - day") == [(1,)]


def test_things_the_later_file_and_the_later_ingest_win(take: Take) -> None:
    header = "product_id,name\n"
    parts = {"1.csv": header + "p,old\nq,only\n", "2.csv": header + "p,new\n"}
    assert take(parts, "product_id, name", "products") == [("p", "new"), ("q", "only")]
    assert take({"1.csv": header + "q,later\n"}, "product_id, name", "products") == [
        ("p", "new"),
        ("q", "later"),
    ]


def test_given_columns() -> None:
    given_columns = Given((frozenset("ab"), frozenset("abc")), frozenset("bcd"))
    assert given_columns.new == frozenset("abc")
    assert given_columns.all == frozenset("abcd")
    assert given_columns.common == frozenset("b")
    assert Given((frozenset("ab"),)).common == frozenset("ab")
