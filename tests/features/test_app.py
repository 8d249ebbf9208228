from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.app import features
from features.catalogue import NAMES
from features.clock import to_date
from features.errors import ExitCode, UserError

LINES = [
    {"customer_id": customer, "day": day, "amount_cents": 100, "product_id": "petrol"}
    for customer, day in [("a", 100), ("a", 110), ("b", 105)]
]


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace(LINES)


def run(*arguments):
    result = CliRunner().invoke(features, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_build_says_what_it_made(workspace):
    assert "2 customers, 3 tiles, 3 purchases of 1 products" in run("build", "--workspace", workspace.root)
    again = json.loads(run("build", "--workspace", workspace.root, "--json"))
    assert again["reused"] is True
    assert again["customers"] == 2


def test_list_has_every_feature():
    listed = json.loads(run("list", "--json"))
    assert [entry["name"] for entry in listed] == list(NAMES)
    text = run("list")
    for name in NAMES:
        assert re.search(rf"^  {name} +\S", text, re.MULTILINE), name


def test_show_gives_definition_sql_and_values(workspace):
    shown = json.loads(run("show", "visits_28", "--workspace", workspace.root, "--json"))
    assert shown["definition"] == "count, last 28 days"
    assert "CASE WHEN age <= 28 THEN 1" in shown["sql"]
    assert (shown["customers"], shown["known"], shown["as_of"]) == (2, 2, str(to_date(111)))
    assert shown["quantiles"]["100%"] == 2
    assert "days_since_visit" in run("show", "overdue_ratio", "--workspace", workspace.root)


def test_show_needs_no_tables(tmp_path):
    shown = json.loads(run("show", "overdue_ratio", "--workspace", tmp_path / "none", "--json"))
    assert shown["definition"] == "days_since_visit / mean_gap_all"
    assert shown["as_of"] is None
    assert shown["quantiles"] == {}


def test_export_writes_a_row_per_customer(workspace, tmp_path):
    out = tmp_path / "features.parquet"
    as_of = to_date(106)
    assert "2 customers" in run("export", "--as-of", as_of, "--out", out, "--workspace", workspace.root)
    frame = pd.read_parquet(out)
    assert list(frame.columns) == ["customer_id", "as_of", *NAMES]
    assert frame["days_since_visit"].tolist() == [6.0, 1.0]
    assert [file.name for file in tmp_path.iterdir()] == ["features.parquet"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "visits_9"), "did you mean 'visits_91'"),
        (("export", "--out", "x.parquet", "--as-of", "1970-01-05"), "not after the first transaction"),
        (("export", "--out", "x.parquet", "--as-of", "2100-01-01"), "after the workspace's clock"),
        (("export", "--out", "x.parquet", "--as-of", "5 June"), "Write it as YYYY-MM-DD"),
        (("export", "--out", "/nowhere/x.parquet"), "folder not found"),
    ],
)
def test_wrong_input_gets_one_sentence(workspace, arguments, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        run(*arguments, "--workspace", workspace.root)
    assert error.value.exit_code is ExitCode.USAGE


def test_ingest_is_the_command_around_ingest(tmp_path, slice_source):
    from features.app import ingest

    ingest(str(slice_source), tmp_path / "workspace")
    with pytest.raises(UserError, match="source not found"):
        ingest("nowhere", tmp_path / "workspace")
