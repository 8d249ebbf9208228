from pathlib import Path

import pytest

from features.errors import UserError
from serving import catalogue_file
from serving.actions import PACKAGED
from serving.catalogue_file import Text


def test_numbers_and_truths_of_yaml_are_read_as_expressions(tmp_path: Path) -> None:
    text = PACKAGED.read_text(encoding="utf-8").replace("propensity: welcome_rate", "propensity: 0.25")
    file = tmp_path / "actions.yaml"
    file.write_text(
        text.replace("eligible: visits_91 <= 1 AND visits_all >= 4", "eligible: true #"), encoding="utf-8"
    )
    entries = {entry.id: entry for entry in catalogue_file.read(file).actions}
    assert entries["welcome"].propensity == "0.25"
    assert entries["come_back"].eligible == "True"


def test_a_text_has_two_languages() -> None:
    text = Text(en="hello", zh="你好")
    assert (text.in_language("en"), text.in_language("zh")) == ("hello", "你好")


def test_the_line_of_broken_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "actions.yaml"
    file.write_text("default_place: till\nchannels: {a: [}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"actions\.yaml: line 2: not valid YAML"):
        catalogue_file.read(file)


def test_an_action_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "actions.yaml"
    text = PACKAGED.read_text(encoding="utf-8").replace("  - id: win_back_coupon\n    kind:", "  - kind:")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="action 'number 1': id: is missing"):
        catalogue_file.read(file)
