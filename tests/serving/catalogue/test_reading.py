from pathlib import Path

import pytest

from features.errors import UserError
from serving.catalogue import file as catalogue_file
from serving.catalogue import reading as catalogue_yaml
from serving.catalogue.actions import PACKAGED
from tests.serving.catalogues import FULL, refusal


def test_the_line_of_broken_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "actions.yaml"
    file.write_text("default_place: till\nchannels: {a: [}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"actions\.yaml: line 2: not valid YAML"):
        catalogue_yaml.content(file)


def test_an_action_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "actions.yaml"
    text = PACKAGED.read_text(encoding="utf-8").replace("  - id: win_back_coupon\n    kind:", "  - kind:")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="action 'number 1': id: is missing"):
        catalogue_file.read(file)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("refused_days: 91", "refusd_days: 91", ["policy: ", "'refusd_days'", "did you mean 'refused_days'"]),
        ("begins: 21:00", "begin: 21:00", ["channels: cashier: quiet_hours: ", "did you mean 'begins'"]),
        ("arms: [long]}", "arm: [long]}", ["'one_more': experiment: ", "did you mean 'arms'"]),
        ("capacity: {contacts", "capacity: {contact", ["'one_more': capacity: ", "did you mean 'contacts'"]),
        ("zh: 春节}", "cn: 春节}", ["triggers: festival: meaning: ", "'cn'"]),
        ("control: {share: 0.02, salt: here}", "control: 0.02", ["control: has to be a mapping", "0.02"]),
    ],
)
def test_a_field_that_is_not_one_is_named_with_its_owner(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    assert old in FULL
    sentence = refusal(tmp_path, FULL.replace(old, new, 1))
    for word in words:
        assert word in sentence
