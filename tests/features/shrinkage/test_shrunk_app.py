from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from features import clock
from features.app import features
from features.errors import UserError
from features.shrinkage import shrunk
from features.shrinkage.shrunk_app import figures

T = 400
LINES = [
    {"customer_id": f"c{number}", "store_id": f"s{number % 3}", "day": T - day, "amount_cents": 100 * number}
    for number in range(9)
    for day in range(3, 60, 5 + number)
]
STORES = [{"store_id": f"s{number}", "area": "south"} for number in range(3)]
DATE = str(clock.to_date(T))


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace(LINES, None, tables={"stores": STORES})


def run(workspace, *arguments):
    options = ["--as-of", DATE, "--workspace", str(workspace.root)]
    return CliRunner().invoke(features, ["shrunk", *arguments, *options], catch_exceptions=False).stdout


def test_a_table_shows_the_weight_and_the_parent(workspace):
    for arguments, parent in ((("c4",), "segment"), (("s1", "--store"), "area")):
        text = run(workspace, *arguments)
        assert f"on {DATE}" in text
        assert "own" in text
        assert parent in text


def test_json_has_every_figure_and_null_for_what_is_unknown(workspace):
    answer = json.loads(run(workspace, "c4", "--json"))
    assert (answer["name"], answer["as_of"]) == ("c4", DATE)
    assert [each["name"] for each in answer["figures"]] == [figure.name for figure in shrunk.FIGURES]
    assert set(answer["figures"][0]) == {field.name for field in dataclasses.fields(shrunk.Shrunk)}
    fuel = answer["figures"][-1]
    assert (fuel["value"], fuel["own"], fuel["own_weight"]) == (None, None, 0.0)


def test_who_is_not_known_is_said_in_one_sentence(workspace):
    for name, store, word in (("nobody", False, "customer"), ("nowhere", True, "store")):
        with pytest.raises(UserError, match=f"{word} .*{DATE}"):
            figures(workspace, name, DATE, store=store)
    with pytest.raises(UserError, match="not known before"):
        figures(workspace, "c4", str(clock.to_date(T - 58)))
