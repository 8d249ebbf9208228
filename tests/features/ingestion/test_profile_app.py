from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from features.app import features
from features.errors import ExitCode, UserError
from features.ingestion.ingest import ingest
from features.ingestion.profile_app import profiled
from features.quality.profile import PROFILE_FILE
from features.quality.review import HISTORY_FILE
from features.workspace import Workspace


def run(workspace: Workspace, *arguments: str) -> str:
    command = ["profile", "--workspace", str(workspace.root), *arguments]
    result = CliRunner().invoke(features, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def workspace(ingested_slice: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(ingested_slice.root, tmp_path / "copy", symlinks=True)
    return Workspace(tmp_path / "copy")


def test_the_profile_is_printed_with_every_table_and_column_that_has_values(workspace: Workspace) -> None:
    said = run(workspace)
    for words in ("transactions", "products", "campaigns", "amount_cents", "no shifts"):
        assert words in said
    assert "payment" not in said
    found = json.loads(run(workspace, "--json"))
    assert list(found["tables"]) == ["transactions", "products", "campaigns"]
    assert found["freshness_days"] == {"transactions": 0}
    assert found["tables"]["products"]["whole"]["columns"]["brand"]["shares"].keys() == {
        "National",
        "Private",
    }
    assert (found["shifts"], found["validated"]) == ([], [])


def test_shifts_of_the_last_ingest_are_printed(
    workspace: Workspace, slice_source: Path, tmp_path: Path
) -> None:
    lines = "".join(f"c{number},2019-01-01 09:00:00,1\n" for number in range(20))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "transactions.csv").write_text("customer_id,occurred_at,amount\n" + lines)
    shutil.copy(slice_source / "source.toml", tmp_path / "source")
    report = ingest(workspace, str(tmp_path / "source"))
    assert [shift.what for shift in report.shifts] == ["gap_days"]
    assert f"warning: {report.shifts[0].says}" in run(workspace)
    assert profiled(workspace).shifts == report.shifts


def test_validation_says_so_and_refuses_what_somebody_changed(workspace: Workspace) -> None:
    said = run(workspace, "--validate")
    assert "every row keeps the contract of its table: transactions, products, campaigns" in said
    file = workspace.tables / "products.parquet"
    duckdb.connect().execute(
        f"CREATE TABLE p AS FROM '{file}'; UPDATE p SET price_cents = -1; COPY p TO '{file}' (FORMAT parquet)"
    )
    with pytest.raises(
        UserError, match=r"products: the stored table breaks its contract: price_cents"
    ) as error:
        run(workspace, "--validate")
    assert error.value.exit_code is ExitCode.BAD_DATA


def test_tables_of_an_older_version_have_no_profile(workspace: Workspace, tmp_path: Path) -> None:
    for name in (PROFILE_FILE, HISTORY_FILE):
        (workspace.tables / name).unlink()
    assert "have no profile" in run(workspace)
    with pytest.raises(UserError, match="Run `nextbest ingest` first"):
        run(Workspace(tmp_path / "none"))
