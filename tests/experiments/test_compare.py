"""Two runs on the same rows: planted differences, runs that cannot be compared, the page and the command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cli
from experiments.compare import Comparison, compare, forest_rows, join, write
from features.clock import to_date, to_day
from features.errors import UserError
from features.labels import LabelDefinitions
from features.workspace import Workspace
from training import tasks
from training.measuring.metrics import list_metrics
from training.registry import tracking

KEYS = ("customer_id", "as_of")
NOVEMBER, DECEMBER, JANUARY = (
    to_day(pd.Timestamp(d).date()) for d in ("2017-11-01", "2017-12-01", "2018-01-01")
)


def record(workspace: Workspace, task: str, frame: pd.DataFrame, folder: Path, as_of: int = JANUARY) -> str:
    """A finished training run that has only what a comparison reads."""
    (folder / "report").mkdir(parents=True)
    (folder / "model").mkdir()
    frame.to_parquet(folder / tracking.ROWS)
    meta = {"labels": LabelDefinitions().plain()}
    (folder / "model" / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    with tracking.new_run(workspace, task) as run_id:
        tags = {"task": task, "as_of": to_date(as_of), "seed": 0, "setting": "{}", "budget": "{}"}
        tracking.log(workspace, run_id, metrics={}, params={}, tags=tags)
        tracking.log_folder(workspace, run_id, folder)
    return run_id


def churn(noise: float, seed: int = 1) -> pd.DataFrame:
    """The same 900 customers at two cutoffs; the more noise, the worse the model."""
    truth = np.random.default_rng(0)
    logit = truth.normal(-2, 1.5, 1800)
    churned = (truth.random(1800) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    noisy = logit + np.random.default_rng(seed).normal(0, noise, 1800)
    return pd.DataFrame(
        {
            "customer_id": [f"h{i % 900:04d}" for i in range(1800)],
            "as_of": np.repeat(np.array([NOVEMBER, DECEMBER], dtype=np.int32), 900),
            "churned": churned,
            "model.probability": 1 / (1 + np.exp(-noisy)),
            "recency.score": noisy,
        }
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("compare")).create()


@pytest.fixture(scope="module")
def runs(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Runs by what they are."""
    folder = tmp_path_factory.mktemp("files")
    good = churn(0.1)
    shorter = good[(good["as_of"] == DECEMBER) & (good["customer_id"] > "h0100")]
    frames = {
        "poor": churn(2.0),
        "good": good,
        "twin": churn(0.1),
        "december": shorter.sample(frac=1, random_state=1),
        "earlier": good.assign(as_of=good["as_of"] - 90),
        "turned": good.assign(churned=1 - good["churned"]),
    }
    known = {name: record(workspace, "churn", frame, folder / name) for name, frame in frames.items()}
    days = good[["customer_id", "as_of"]].assign(
        days=3.0, **{"model.p7": 0.5, "model.p14": 0.5, "model.p28": 0.5, "model.days": 7.0}
    )
    return known | {"next": record(workspace, "next_purchase", days, folder / "next")}


def test_the_better_run_is_named_with_its_interval(workspace, runs):
    found = compare(workspace, runs["poor"], runs["good"], replicates=200)
    assert found.better == "B"
    assert found.rows == found.rows_a == found.rows_b == 1800
    difference = found.evaluation.difference("roc_auc", "A")
    assert difference.low > 0
    assert found.sentence == (
        f"B is better than A by {difference.value:.4f} ROC-AUC (95 % interval {difference.low:.4f} to "
        f"{difference.high:.4f}) on 1,800 rows as of 2017-11-01 and 2017-12-01."
    )


def test_turning_the_runs_round_turns_the_verdict(workspace, runs):
    there = compare(workspace, runs["poor"], runs["good"], replicates=200)
    back = compare(workspace, runs["good"], runs["poor"], replicates=200)
    assert back.better == "A"
    assert back.sentence == there.sentence.replace("B is better than A", "A is better than B")
    assert back.evaluation.difference("brier", "A").verdict == "worse"


def test_twins_cannot_be_told_apart(workspace, runs):
    found = compare(workspace, runs["good"], runs["twin"], replicates=100)
    assert found.better is None
    assert found.sentence.startswith("A and B cannot be told apart: ROC-AUC of B minus that of A is +0.0000")


def test_only_common_rows_are_compared_whatever_their_order(workspace, runs):
    found = compare(workspace, runs["good"], runs["december"], replicates=100)
    assert (found.rows_a, found.rows) == (1800, found.rows_b)
    assert found.evaluation.cutoffs == ("2017-12-01",)
    assert found.evaluation.difference("roc_auc", "A").value == 0
    assert "as of 2017-12-01." in found.sentence


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("next", "is of task churn and run .* of next_purchase: only runs of the same task"),
        (
            "earlier",
            "no report row in common: A reports on 2017-11-01, 2017-12-01, B on 2017-08-03, 2017-09-02",
        ),
        ("turned", "disagree on churned in 1,800 of 1,800 common rows"),
        ("good", "give two different runs"),
        (None, "run not found: 'nobody'"),
    ],
)
def test_runs_that_cannot_be_compared(workspace, runs, other, message):
    with pytest.raises(UserError, match=message):
        compare(workspace, runs["good"], runs[other] if other else "nobody", replicates=100)


def test_a_time_that_one_run_could_not_see_yet_is_taken_from_the_other():
    keys = {"customer_id": ["a", "b"], "as_of": [NOVEMBER, NOVEMBER]}
    early = pd.DataFrame({**keys, "days": [3.0, np.nan], "model.days": [2.0, 9.0]})
    late = pd.DataFrame({**keys, "days": [3.0, 40.0], "model.days": [3.0, 30.0], "bg_nbd.days": 1.0})
    both = join(early, late, "x", "y", KEYS)
    assert list(both.columns) == ["customer_id", "as_of", "days", "A.days", "B.days"]
    assert both["days"].tolist() == [3.0, 40.0]


def test_lists_have_no_label_but_must_agree_on_what_there_was_to_find():
    fields = {f"model.{metric.name}": [0.5, np.nan] for metric in list_metrics()}
    frame = pd.DataFrame({"customer_id": ["a", "b"], "as_of": [NOVEMBER, NOVEMBER], **fields})
    assert len(join(frame, frame, "x", "y", KEYS)) == 2
    other = frame.assign(**{"model.ndcg10_b_new": [0.5, 0.1]})
    with pytest.raises(UserError, match="disagree on ndcg10_b_new in 1 of 2 common rows"):
        join(frame, other, "x", "y", KEYS)


@pytest.mark.parametrize(
    ("task", "key", "label", "fields"),
    [
        ("response", "campaign_id", "responded", ["model.probability"]),
        ("category_purchase", "category", "days", ["model.p7", "model.p14", "model.p28", "model.days"]),
    ],
)
def test_two_rows_of_a_customer_and_day_are_two_rows(tmp_path, task, key, label, fields):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat([f"h{i:03d}" for i in range(100)], 2),
            "as_of": np.int32(NOVEMBER),
            key: np.tile(["one", "two"], 100),
            label: rng.integers(0, 2, 200).astype(np.int8)
            if task == "response"
            else rng.integers(1, 60, 200),
            **{name: rng.random(200) for name in fields},
        }
    )
    other = frame.assign(**{name: rng.random(200) for name in fields}).sample(frac=1, random_state=0)
    workspace = Workspace(tmp_path / "workspace").create()
    first, second = (
        record(workspace, task, rows, tmp_path / name) for name, rows in (("a", frame), ("b", other))
    )
    found = compare(workspace, first, second, replicates=50)
    assert (found.rows, found.rows_a, found.rows_b) == (200, 200, 200)
    both = join(frame, other, "a", "b", tasks.named(task).keys)
    pd.testing.assert_series_equal(
        both[f"A.{fields[0]}".replace("model.", "")], frame[fields[0]], check_names=False
    )


@pytest.fixture(scope="module")
def written(workspace: Workspace, runs: dict[str, str]) -> Comparison:
    return write(workspace, compare(workspace, runs["poor"], runs["good"], replicates=100))


def test_page_and_picture_need_no_network(written):
    assert written.picture.read_bytes().startswith(b"\x89PNG")
    page = written.page.read_text(encoding="utf-8")
    assert written.sentence in page
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "http" not in re.sub(r"data:image/png;base64,[^\"]*", "", page)


def test_picture_has_all_rows_and_each_cutoff(written):
    rows = forest_rows(written.evaluation)
    assert [name for name, _ in rows[written.evaluation.metric("roc_auc")]] == [
        "all",
        "2017-11-01",
        "2017-12-01",
    ]


def test_one_cutoff_is_listed_once(workspace, runs):
    found = write(workspace, compare(workspace, runs["good"], runs["december"], replicates=100))
    page = found.page.read_text(encoding="utf-8")
    assert page.count("<td>ROC-AUC") == page.count("<td>2017-12-01</td>") / 6 == 1
    assert "<td>all</td>" not in page
    rows = forest_rows(found.evaluation)
    assert [[name for name, _ in items] for items in rows.values()] == [["2017-12-01"]] * 6


def test_page_states_the_horizon_and_lists_every_cutoff_of_several(written):
    page = written.page.read_text(encoding="utf-8")
    assert "<h1>No visit within 28 days: two runs compared</h1>" in page
    assert page.count("<td>ROC-AUC") == 3
    assert "<td>2018-01-01</td>" in page


def test_command_prints_the_verdict_as_text_and_as_json(workspace, runs, capsys):
    command = ["experiments", "compare", runs["poor"], runs["good"], "--replicates", "100"]
    place = ["--workspace", str(workspace.root)]
    assert cli.run([*command, *place, "--strict"]) == 0
    assert "B is better than A by" in capsys.readouterr().out
    assert cli.run([*command, *place, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["better"] == "B"
    assert answer["rows"] == 1800
    assert (answer["as_of_a"], answer["as_of_b"]) == ("2018-01-01", "2018-01-01")
    assert Path(answer["page"]).exists()
    assert {each["cutoff"] for each in answer["evaluation"]["values"]} == {"all", "2017-11-01", "2017-12-01"}

    # A single cutoff is all of them: its numbers are given once, `rows` says which it is.
    command[3] = runs["december"]
    assert cli.run([*command, *place, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["evaluation"]
    assert {each["cutoff"] for each in (*found["values"], *found["differences"])} == {"all"}
    assert set(found["rows"]) == {"all", "2017-12-01"}


def test_strict_command_ends_with_the_verdict_code_when_b_is_not_better(workspace, runs, capsys):
    command = ["experiments", "compare", runs["good"], runs["twin"], "--replicates", "100"]
    assert cli.run([*command, "--workspace", str(workspace.root), "--strict"]) == 3
    assert "cannot be told apart" in capsys.readouterr().out


def test_command_words_its_errors(workspace, runs, capsys):
    assert (
        cli.run(["experiments", "compare", runs["good"], "nobody", "--workspace", str(workspace.root)]) == 2
    )
    assert "run not found: 'nobody'" in capsys.readouterr().err


def test_rows_are_told_apart_by_the_keys_of_the_task(tmp_path: Path, workspace: Workspace) -> None:
    one = churn(1.0).rename(columns={"churned": "responded"})
    twice = pd.concat([one.assign(campaign_id=name) for name in ("first", "second")], ignore_index=True)
    runs = [record(workspace, "response", twice, tmp_path / name) for name in ("a", "b")]
    assert compare(workspace, *runs, replicates=20).rows == 2 * len(one)
