"""`nextbest affinities` on a shop in which bread and butter go together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.errors import ExitCode, UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.associations_app import FILES, LISTED, affinities

from .conftest import make, visits

OTHERS = {f"food {number}": f"SHELF {number // 3}" for number in range(12)}
FOODS = {"bread": "BAKERY", "butter": "DAIRY", "milk": "DAIRY", "tea": "DRINKS", **OTHERS}
commands = typer.Typer()
commands.command("affinities")(affinities)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    draw = np.random.default_rng(4)
    rows = []
    for number in range(900):
        held = set(draw.choice(list(FOODS), 2))
        if held & {"bread", "butter"} and draw.random() < 0.9:
            held |= {"bread", "butter"}
        day = pd.Timestamp("2017-01-01 12:00") + pd.Timedelta(days=number // 5)
        rows += [(f"c{number % 70}", day, f"b{number}", f"{food}-1", 1.0, 1) for food in held]
    names = ["customer_id", "occurred_at", "basket_id", "product_id", "amount", "quantity"]
    root = tmp_path_factory.mktemp("foods")
    source = root / "source"
    source.mkdir()
    pd.DataFrame(rows, columns=names).to_parquet(source / "transactions.parquet", index=False)
    products = pd.DataFrame({"product_id": [f"{food}-1" for food in FOODS], "product_type": list(FOODS)})
    products.assign(category=list(FOODS.values())).to_parquet(source / "products.parquet", index=False)
    (source / "source.toml").write_text('name = "foods"\ntime_zone = "UTC"\n', encoding="utf-8")
    made = Workspace(root / "workspace").create()
    ingest(made, str(source))
    return made


def call(workspace: Workspace, *arguments: str) -> str:
    result = CliRunner().invoke(commands, [*arguments, "--workspace", str(workspace.root)])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_all_pairs_then_those_of_a_product(workspace: Workspace) -> None:
    every = json.loads(call(workspace, "--json"))
    assert (every["as_of"], every["baskets"], every["name"]) == ("2017-06-30", 900, None)
    pair = every["together"][0]
    assert (pair["name"], pair["with_name"], pair["what"]) == ("bread-1", "butter-1", ["bread", "butter"])
    assert every["similar"] == []

    bread = json.loads(call(workspace, "bread-1", "--top", "3", "--json"))
    together = bread["together"][0]
    assert together["with_name"] == "butter-1"
    assert together["baskets"] / 900 == pytest.approx(together["support"])
    assert together["confidence"] > 0.7
    assert 1 < together["lift_low"] < together["lift"]
    assert len(bread["similar"]) <= 3
    text = call(workspace, "bread-1")
    assert "Bought together with bread-1: product, 900 baskets before 2017-06-30" in text
    assert "butter-1" in text


def test_a_level_may_be_asked_by_a_product_of_it(workspace: Workspace) -> None:
    by_name = json.loads(call(workspace, "BAKERY", "--level", "category", "--json"))
    assert by_name["together"][0]["with_name"] == "DAIRY"
    assert json.loads(call(workspace, "bread-1", "--level", "category", "--json")) == by_name
    # Nothing goes with tea.
    assert "nothing beyond chance" in call(workspace, "tea-1", "--level", "product_type")


def test_only_what_was_known_counts(workspace: Workspace) -> None:
    early = json.loads(call(workspace, "--as-of", "2017-03-01", "--json"))
    assert early["baskets"] == 59 * 5


def test_files_hold_the_best_of_every_level(workspace: Workspace, tmp_path: Path) -> None:
    answer = json.loads(call(workspace, "--out", str(tmp_path / "new"), "--json"))
    together, similar = (pd.read_parquet(tmp_path / "new" / name) for name in FILES)
    assert [Path(file).name for file in answer["files"]] == [*FILES]
    assert set(together["level"]) == {"product", "product_type", "category"}
    assert together["rank"].between(1, LISTED).all()
    assert set(similar) == {"name", "with_name", "rank", "cosine"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [*FILES]


def test_what_cannot_be_answered_is_said(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'butter-1'"):
        call(workspace, "buter-1")
    with pytest.raises(UserError, match="2018-01-01 is after the workspace's clock, 2017-06-30"):
        call(workspace, "--as-of", "2018-01-01")
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="is no folder to write to"):
            call(workspace, "--out", str(folder))
    with pytest.raises(UserError, match="level not found: 'types'"):
        call(workspace, "--level", "types")
    with pytest.raises(UserError, match="this source has none") as refusal:
        call(make(tmp_path, visits()))
    assert refusal.value.exit_code == ExitCode.BAD_DATA
