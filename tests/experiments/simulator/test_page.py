"""docs/simulator.md says nothing that cannot be done: its commands, its Python and its worlds are tried."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import cli
from experiments.simulator import reality
from experiments.simulator.preset_file import load, preset
from experiments.simulator.treatment_config import Alignment, Effect
from experiments.simulator.truth_tables import ORDERS
from experiments.simulator.world import World

PAGE = (Path(__file__).parents[3] / "docs/simulator.md").read_text(encoding="utf-8")
FIXED = yaml.safe_load(Path(__file__).with_name("reality_tolerances.yaml").read_text(encoding="utf-8"))
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def rows(first: str) -> list[list[str]]:
    """Rows of the table whose head begins like that."""
    lines = PAGE[PAGE.index(f"\n| {first} |") + 1 :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_option_of_a_command_is_one() -> None:
    commands = [line.split("#")[0].split() for line in "\n".join(blocks("sh")).splitlines()]
    for _, name, *words in [words for words in commands if words and words[0] == "nextbest"]:
        known = {option for parameter in cli.load(name).params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for code in blocks("python"):
        exec(compile(code, "simulator.md", "exec"), names)  # noqa: S102 (our own page)
    gain, error = map(float, capsys.readouterr().out.split())
    assert names["gain"].shape == (1000,)
    assert abs(gain) < 1000
    assert 0 < error < 1000


@pytest.mark.parametrize("text", blocks("yaml"), ids=lambda text: text.split("\n", 1)[0])
def test_the_worlds_live(text: str, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(text, encoding="utf-8")
    world = World(load(file), 0, range(300))
    assert sum(len(world.step().lines) for _ in range(10)) > 0


def test_the_effects_shown_are_those_of_the_preset() -> None:
    """As the file states them, and as they come out on the mean of 5,000 who notice everything."""
    config = preset("fuel")
    noticed = tuple(replace(channel, attention=1.0) for channel in config.treatment.channels)
    heeding = replace(config, treatment=replace(config.treatment, channels=noticed))
    found = World(heeding, 0, range(5000)).treatment.effects()

    def effect(action: int, name: str) -> str:
        stated: Effect = getattr(config.treatment.actions[action], name)
        comes = getattr(found, name)[found.action == action].mean()
        text = f"{stated.mean:.2f} ({stated.adverse:.0%}: {comes:+.0%})".replace("%", " %")
        return text if stated.mean else ""

    told = [
        [
            action.name,
            *(effect(number, name) for name in ("visits", "spend", "hazard")),
            f"{action.half_life_days:g} days",
            str(action.alignment),
            f"{action.face_value:g} yuan" if action.face_value else "none",
        ]
        for number, action in enumerate(config.treatment.actions)
    ]
    assert rows("action | visits") == told


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_the_outcomes_shown_begin_with_the_effects_of_the_preset(name: str) -> None:
    """Means on the day after, and the share of customers for whom any of the three is for the worse."""
    table = rows("preset | action, channel")
    begins = {row[0]: place for place, row in enumerate(table) if row[0]}
    told = table[begins[name] : begins.get("telecom") if name == "fuel" else None]
    config = preset(name)
    found = World(config, 0, range(20_000)).treatment.effects()
    names, channels = zip(*(row[1].split(", ") for row in told), strict=True)
    assert list(names) == [action.name for action in config.treatment.actions]
    known = [channel.name for channel in config.treatment.channels]
    for number, row in enumerate(told):
        each = (found.action == number) & (found.channel == known.index(channels[number].lower()))
        visits, spend, hazard = (getattr(found, kind)[each] for kind in ("visits", "spend", "hazard"))
        means = [f"{kind.mean():+.1%}".replace("%", " %") for kind in (visits, spend, hazard)]
        assert row[2] == ", ".join("0" if mean[1:] == "0.0 %" else mean for mean in means)
        worse = (visits < 0) | (spend < 0) | (hazard > 0)
        assert row[3] == f"{worse.mean():.0%}".replace("%", " %")


def test_the_page_names_the_truth_the_alignments_and_the_tolerances() -> None:
    files = [row[0].strip("`") for row in rows("`truth/`")]
    assert sorted(files) == sorted(["world.json", *(f"{name}.parquet" for name in ORDERS)])
    assert [row[0].strip("`") for row in rows("alignment | factor")] == [str(kind) for kind in Alignment]
    allowed = {row[0]: float(row[-1]) for row in rows("measure")}
    titles = reality.MEASURES
    assert allowed == {titles[name]: one["tolerance"] for name, one in FIXED["tested"].items()}
