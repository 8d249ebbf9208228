"""The README says nothing that is not so: its tables, commands, answers and worked examples are tried."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cli
from features.errors import EXIT_MEANINGS, ExitCode
from features.workspace import Workspace
from serving.access import keys
from serving.api.door import EVENTS
from tests.conftest import Running, done, nextbest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
ASKED = re.compile(r"```sh\n(curl[^`]*?)```\n+```json\n(.*?)```", re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in CODE_BLOCK.findall(README) if kind == language]


def example(name: str) -> str:
    """A worked example of the README, by the name in the comment before it."""
    return dict(EXAMPLE.findall(README))[name]


def command_lines() -> list[str]:
    """Every `nextbest` command that the README tells the reader to type."""
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("nextbest ")]


def agrees(shown: Any, real: Any) -> bool:
    """Whether two answers have the same fields all the way down; of lists the first entries count."""
    if isinstance(shown, dict) and isinstance(real, dict):
        # Which assumptions an action names depends on the action, which models there are on the source, and
        # what a reason is proved by on the reason.
        kept = [key for key in shown if key not in {"assumptions", "models", "evidence"}]
        models = [of["models"] for of in (shown, real) if "models" in of]
        return (
            shown.keys() - {"assumptions"} == real.keys() - {"assumptions"}
            and all(agrees(shown[key], real[key]) for key in kept)
            and len({tuple(model) for of in models for model in of.values()}) <= 1
        )
    if isinstance(shown, list) and isinstance(real, list) and shown and real:
        return agrees(shown[0], real[0])
    return True


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the source, to be extended as the README says."""
    for name in ("features", "training", "serving", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cli.py", tmp_path)
    return tmp_path


def in_house(house: Path, *arguments: str, workspace: Workspace) -> str:
    """Run a command of the copied source."""
    command = [sys.executable, "-m", "cli", "--workspace", str(workspace.root), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(house)}
    return done(
        subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)
    )


def test_the_exit_codes_are_these() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", README, re.MULTILINE))
    assert rows == {str(int(code)): meaning for code, meaning in EXIT_MEANINGS.items()}
    assert set(EXIT_MEANINGS) == set(ExitCode)


def test_every_command_is_named() -> None:
    assert [name for name in cli.COMMANDS if f"nextbest {name}" not in README] == []


@pytest.mark.parametrize("line", command_lines())
def test_commands_exist(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line)[1:]
    path = words[:2] if words[0] in {"features", "experiments"} else words[:1]
    assert cli.run([*path, "--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    options = [word.split("=")[0] for word in words if word.startswith("--")]
    assert [option for option in options if option not in text] == []


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert named
    assert named <= targets


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_keys_shown_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(rf"`{keys.VARIABLE}=(\S+)`", README)
    (sent,) = re.findall(r"`Authorization: (Bearer \S+)`", README)
    monkeypatch.setenv(keys.VARIABLE, shown)
    assert keys.Keys.configured(tmp_path).who({"authorization": sent})
    assert f"at least {keys.SHORTEST} characters" in README


def test_there_are_questions() -> None:
    assert len(ASKED.findall(README)) >= 4


def asked(question: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of a question as curl sends it."""
    words = shlex.split(question.replace("\\\n", " "))
    path = re.sub(r"^http://[^/]+", "", next(word for word in words if word.startswith("http://")))
    return path, json.loads(words[words.index("-d") + 1])


@pytest.mark.parametrize(
    ("question", "answer"), [pair for pair in ASKED.findall(README) if asked(pair[0])[0] != EVENTS]
)
def test_questions_get_answers_of_this_shape(
    slice_service: Running, slice_customer: str, question: str, answer: str
) -> None:
    path, body = asked(question)
    if "customer" in body:
        body["customer"] = {"customer_id": slice_customer}
    real = slice_service.post(path, body).json()
    shown = json.loads(answer)
    assert list(shown) == list(real)
    assert agrees(shown, real)


@pytest.mark.slow
def test_the_forecourt_answers_as_shown(simulated_service: Running) -> None:
    pump, till = json.loads(example("forecourt"))
    for step in (pump, till):
        answer = simulated_service.post(step["path"], {**step["body"], "dry_run": True}).json()
        assert step["answer"].keys() <= answer.keys()
        assert answer["identified_by"] == "plate"
        (part,) = step["answer"].keys() & {"actions", "items"}
        assert len(answer[part]) == len(step["answer"][part])
        assert all(
            shown.keys() <= real.keys()
            for shown, real in zip(step["answer"][part], answer[part], strict=True)
        )
        assert step["answer"].get("vehicle", {}).items() <= (answer.get("vehicle") or {}).items()
        if part == "actions":
            assert {each["action_id"] for each in answer[part]} == {
                each["action_id"] for each in step["answer"][part]
            }
    world = "--preset fuel --customers 500 --days 300 --seed 1"
    assert f"nextbest simulate {world}" in README


def test_the_event_is_taken_in_as_shown(slice_copy: Workspace, serve: Callable[..., Running]) -> None:
    (pair,) = [pair for pair in ASKED.findall(README) if asked(pair[0])[0] == EVENTS]
    path, body = asked(pair[0])
    service = serve(slice_copy)
    assert service.post(path, body).json() == json.loads(pair[1])
    answer = service.post("/v1/score", {"customer": {"customer_id": body["customer_id"]}}).json()
    assert answer["as_of"] == "2018-01-03"


def test_the_source_example_is_taken_in(tmp_path: Path) -> None:
    source = tmp_path / "my-folder"
    source.mkdir()
    for name in ("source.toml", "transactions.csv"):
        (source / name).write_text(example(name), encoding="utf-8")
    workspace = Workspace(tmp_path / "stations")
    report = json.loads(done(nextbest("ingest", "--source", source, "--json", workspace=workspace)))
    assert [(table["table"], table["accepted"], table["quarantined"]) for table in report["tables"]] == [
        ("transactions", 3, 0)
    ]


def test_the_feature_example_is_computed(house: Path, slice_copy: Workspace) -> None:
    catalogue = house / "features" / "catalogue.yaml"
    text = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(text.replace("\nmoney:\n", f"\nmoney:\n{example('feature')}"), encoding="utf-8")
    shown = json.loads(in_house(house, "features", "show", "big_visits_91", "--json", workspace=slice_copy))
    assert shown["meaning"] == "Visits of 100.00 or more in the last 91 days"
    assert shown["quantiles"]["100%"] >= 1
    # What is declared beside them concerns no model; what they read does.
    catalogue.write_text(
        text.replace("column: age, unit: days", "column: age, unit: moons", 1), encoding="utf-8"
    )
    refused = subprocess.run(
        [sys.executable, "-m", "cli", "decide", "--customer", "1", "--workspace", str(slice_copy.root)],
        cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == ExitCode.NOT_BUILT
    assert "trained on other feature declarations" in refused.stderr


def test_the_action_example_is_considered(slice_copy: Workspace) -> None:
    packaged = (ROOT / "serving" / "catalogue" / "actions.yaml").read_text(encoding="utf-8")
    (slice_copy.root / "actions.yaml").write_text(
        packaged.rstrip() + "\n\n" + example("action"), encoding="utf-8"
    )
    report = json.loads(done(nextbest("score", "--place", "till", "--json", workspace=slice_copy)))
    assert report["actions"]["till"]["come_for_coffee"] >= 1


def with_the_task(house: Path) -> None:
    """Add the task of the example as the README says: a file and a line."""
    (house / "training" / "come_back.py").write_text(example("task"), encoding="utf-8")
    tasks = house / "training" / "tasks.py"
    (line,) = re.findall(r'`("training\.come_back:\w+",)`', README)
    text, first = tasks.read_text(encoding="utf-8"), '    "training.churn:Churn",\n'
    assert first in text
    tasks.write_text(text.replace(first, f"{first}    {line}\n"), encoding="utf-8")


def test_the_task_example_keeps_the_contract_of_every_task(house: Path) -> None:
    with_the_task(house)
    shutil.copytree(ROOT / "tests", house / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "come_back",
         "tests/training/test_task.py", "tests/training/test_tasks.py", "tests/training/test_dataset.py"],
        cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    passed = re.search(r"(\d+) passed", found.stdout)
    assert passed
    # Eight checks of the contract, three poor data sets, two of the registry, one of the data set.
    assert int(passed[1]) >= 14
    assert "skipped" not in found.stdout


def test_the_task_example_trains(house: Path, slice_copy: Workspace) -> None:
    with_the_task(house)
    options = ("--as-of", "2017-12-01", "--quick", "--trials", "1", "--json")
    report = json.loads(in_house(house, "train", "come_back", *options, workspace=slice_copy))
    assert report["trained"][0]["task"] == "come_back"
    assert 0 < report["trained"][0]["metrics"]["roc_auc"] < 1
    # The slice is small: whether such a model is good enough is the gate's to say.
    assert "come_back version 1 is " in in_house(house, "promote", "come_back", workspace=slice_copy)


def test_the_notebook_example_runs(slice_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    exec(example("notebook").replace(".nextbest", str(slice_workspace.root)), {})  # noqa: S102
    said = capsys.readouterr().out
    assert "bg_nbd_visit" in said
    assert "Days since the last visit" in said
