from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace

HEADER = "customer_id,occurred_at,amount\n"
GOOD = "".join(f"c{number},2017-01-02 08:00:00,1\n" for number in range(30))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def take(workspace: Workspace, lines: str) -> None:
    file = workspace.root.parent / "source" / "transactions.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEADER + lines, encoding="utf-8")
    ingest(workspace, str(file.parent))


def test_bad_rows_are_kept_with_file_row_reason_and_values(workspace: Workspace) -> None:
    take(workspace, GOOD + "c1,2017-01-02 08:00:00,free\n")
    ((file, row, reason, values),) = (
        duckdb.connect().sql(f"FROM '{workspace.quarantine}/transactions.parquet'").fetchall()
    )
    assert (file, row) == ("transactions.csv", 31)
    assert reason == "amount: 'free' is not an amount of money"
    assert json.loads(values) == {"customer_id": "c1", "occurred_at": "2017-01-02 08:00:00", "amount": "free"}


def test_quarantine_is_that_of_the_last_ingest(workspace: Workspace) -> None:
    take(workspace, GOOD + "c1,2017-01-02 08:00:00,free\n")
    take(workspace, GOOD)
    assert list(workspace.quarantine.iterdir()) == []


def test_over_the_share_is_refused_with_examples(workspace: Workspace) -> None:
    with pytest.raises(
        UserError, match=r"4 of 34 rows are bad, over the share of 0.1.*row 31.*row 33"
    ) as error:
        take(workspace, GOOD + "c1,2017-01-02 08:00:00,free\n" * 4)
    assert "row 34" not in str(error.value)
    assert not workspace.quarantine.exists()
