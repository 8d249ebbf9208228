from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.app import features
from features.errors import UserError


@pytest.fixture
def run(ingested_slice):
    def call(*arguments):
        command = [*map(str, arguments), "--workspace", str(ingested_slice.root)]
        result = CliRunner().invoke(features, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


@pytest.fixture
def customer(run, tmp_path):
    run("tiers", "--as-of", "2017-11-01", "--out", tmp_path / "tiers.csv")
    frame = pd.read_csv(tmp_path / "tiers.csv", dtype={"customer_id": str})
    return frame[(frame["tier"] == "A") & (frame["stage"] == "stable")].iloc[0]


def test_stage_says_why(run, customer):
    found = json.loads(run("stage", customer.customer_id, "--as-of", "2017-11-01", "--json"))
    assert (found["stage"], found["as_of"]) == ("stable", "2017-11-01")
    assert {item["feature"] for item in found["evidence"]} == {"tenure_days", "visits_91"}
    text = run("stage", customer.customer_id, "--as-of", "2017-11-01")
    assert "stable (稳定期)" in text
    assert found["rule"] in text


def test_tiers_of_the_base_and_of_one_customer(run, customer, tmp_path):
    found = json.loads(
        run(
            "tiers",
            "--as-of",
            "2017-11-01",
            "--json",
            "--out",
            tmp_path / "a.parquet",
            "--out",
            tmp_path / "b.png",
        )
    )
    assert [row["tier"] for row in found["tiers"]] == ["VIP", "A", "B", "C"]
    assert sum(row["customers"] for row in found["tiers"]) == len(pd.read_parquet(tmp_path / "a.parquet"))
    assert 0.4 < found["top_20_share"] == found["curve"]["20%"] < 0.8
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    assert "the best 20 %" in run("tiers", "--as-of", "2017-11-01")
    one = json.loads(run("tiers", customer.customer_id, "--as-of", "2017-11-01", "--json"))
    assert (one["tier"], one["value_cents"]) == ("A", customer.value_cents)
    assert one["next_tier_distance_cents"] == customer.next_tier_distance_cents
    assert "more make it VIP" in run("tiers", customer.customer_id, "--as-of", "2017-11-01")


def test_peers_say_which_group_and_which_ones_not(run, customer):
    found = json.loads(run("peers", customer.customer_id, "--as-of", "2017-11-01", "--json"))
    assert found["passed_over"][0] == "segment x area: the source says nobody's segment"
    assert {figure["feature"] for figure in found["figures"]} >= {"visits_91", "spend_91"}
    assert all(0 <= figure["percentile"] <= 100 for figure in found["figures"])
    assert "passed over: segment" in run("peers", customer.customer_id, "--as-of", "2017-11-01")


def test_transitions_as_text_json_table_and_picture(run, tmp_path):
    files = [tmp_path / "moves.csv", tmp_path / "moves.svg"]
    span = ("--from", "2017-06-01", "--to", "2017-09-01")
    found = json.loads(run("transitions", *span, "--json", "--out", files[0], "--out", files[1]))
    assert (found["start"], found["end"], len(found["months"])) == ("2017-06-01", "2017-09-01", 3)
    frame = pd.read_csv(files[0])
    assert frame["customers"].sum() == sum(map(sum, found["counts"]))
    assert "<svg" in files[1].read_text()
    text = run("transitions", *span, "--out", files[0])
    assert "moves between stages, 2017-06-01 to 2017-09-01" in text
    assert "written: " in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("stage", "nobody"), "customer 'nobody' is not known before 2018-01-01"),
        (("peers", "nobody", "--as-of", "2016-01-01"), "not after the first transaction"),
        (("tiers", "--out", "tiers.doc"), "does not say what to write"),
        (("transitions", "--from", "June"), "--from is not a date: 'June'"),
        (("transitions", "--to", "2019-01-01"), "beyond the data"),
    ],
)
def test_wrong_input_gets_one_sentence(run, arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        run(*arguments)
