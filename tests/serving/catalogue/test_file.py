from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.catalogue import file as catalogue_file
from serving.catalogue.actions import PACKAGED
from serving.catalogue.file import QuietHours, Text


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


def test_times_of_a_day_are_read_as_yaml_gives_them() -> None:
    # YAML 1.1 takes 21:30 for the number 21 x 60 + 30, and 09:00 for a text.
    assert QuietHours.model_validate({"begins": 21 * 60 + 30, "ends": "09:00"}).minutes == (1290, 540)
    for wrong in (1440, "9:00", True, -1, "24:00"):
        with pytest.raises(ValidationError):
            QuietHours.model_validate({"begins": wrong, "ends": "09:00"})
