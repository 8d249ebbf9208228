from pathlib import Path

import pytest
import yaml

from features.catalogue import NAMES
from features.errors import UserError
from serving.catalogue import actions
from serving.scoring import scores
from tests.serving.catalogues import SMALL, load, refusal


def test_the_packaged_catalogue_is_valid_and_names_both_languages() -> None:
    catalogue = actions.load(actions.PACKAGED)
    assert {action.kind for action in catalogue.actions} == set(actions.KINDS)
    assert [a.id for a in catalogue.actions] == sorted(a.id for a in catalogue.actions)
    assert {"forecourt", "till", "app", "phone", "campaign"} == set(catalogue.places)
    for action in catalogue.actions:
        assert action.text.in_language("en") != action.text.in_language("zh")
        assert action.assumptions, action.id
        assert set(action.evidence) <= {*NAMES, *scores.NAMES, scores.KNOWN, *catalogue.meanings}
        assert action.exempt == (action.kind == "service")
        # Nobody goes without an action for nothing: what their going without is compared to is named.
        assert action.effect is not None or not action.control_share, action.id
        # What keeps, brings or wins back a customer shows in visits; what sells something in sales.
        sells = action.kind in {"growth", "cross_sell"}
        assert (action.sales is not None) == sells, action.id
        assert action.effect is None or action.effect in action.assumptions, action.id
    assert "recommendation" in catalogue.tasks("till")
    assert "recommendation" not in catalogue.tasks("phone")


def test_a_small_catalogue_is_read_with_its_evidence_and_assumptions(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SMALL)
    action = catalogue.action("one_more")
    assert action.evidence == ("visits_28", "spend_28")
    assert action.assumptions == ("margin",)
    assert "recommendation" not in catalogue.tasks("till")
    assert catalogue.at("till").channels == ["cashier"]
    with pytest.raises(UserError, match="action not found: 'none_more'"):
        catalogue.action("none_more")


def test_the_version_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    first = load(tmp_path, SMALL).version
    assert load(tmp_path, yaml.safe_dump(yaml.safe_load(SMALL), allow_unicode=True)).version == first
    assert load(tmp_path, SMALL.replace("propensity: 0.1", "propensity: 0.2")).version != first


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("visits_28 >= 1", "visits_29 >= 1", ["'one_more'", "eligible", "visits_29", "did you mean"]),
        ("visits_28 >= 1", "spend_28", ["'one_more'", "eligible", "number"]),
        ("visits_28 >= 1", "visits_28 >=", ["'one_more'", "eligible"]),
        ("spend_28 * margin", "spend_28 * marginn", ["'one_more'", "value_cents", "margin"]),
        ("propensity: 0.1", "propensity: 0.1 > 0", ["'one_more'", "propensity", "boolean"]),
        ("propensity: 0.1\n", "propensity: [0.1]\n", ["'one_more'", "propensity"]),
        ("propensity: 0.1\n", "propensity: 1.5\n", ["'one_more'", "propensity: 1.5", "from 0 to 1"]),
        ("propensity: 0.1\n", "propensity: -0.1\n", ["'one_more'", "propensity: -0.1", "from 0 to 1"]),
        (
            "propensity: 0.1\n",
            "propensity: margin * 5\n",
            ["'one_more'", "margin * 5 is 1.25", "from 0 to 1"],
        ),
        ("propensity: 0.1\n", "propensity: margin / 0\n", ["'one_more'", "propensity", "from 0 to 1"]),
        ("    kind: growth", "    knid: growth", ["'one_more'", "'knid'", "did you mean 'kind'"]),
        ("actions:", "actoins:", ["'actoins'", "did you mean 'actions'"]),
        ("reach: 0.5", "raech: 0.5", ["channels: cashier", "'raech'", "did you mean 'reach'"]),
        (
            "{en: Come again., zh: 再来。}",
            "{en: Come again., hz: 再来。}",
            ["'one_more': text: ", "'hz'", "en, zh"],
        ),
        ("{cost_cents: 5, reach: 0.5}", "5", ["channels.cashier", "mapping"]),
        (
            "channels: [cashier]\n",
            "channels: [casheer]\n",
            ["'one_more'", "casheer", "did you mean 'cashier'"],
        ),
        ("places: [till]", "places: [til]", ["'one_more'", "til", "did you mean 'till'"]),
        ("kind: growth", "kind: growt", ["'one_more'", "did you mean 'growth'"]),
        ("id: one_more", "id: none", ["'none'", "reserved"]),
        ("id: one_more", "id: One More", ["'One More'", "id"]),
        ("    text: {en: Come again., zh: 再来。}\n", "", ["'one_more'", "text", "missing"]),
        ("{en: Come again., zh: 再来。}", "{en: Come again.}", ["'one_more'", "text.zh", "missing"]),
        ("cost_cents: 5", "cost_cents: -5", ["channels.cashier.cost_cents", "-5"]),
        ("cost_cents: 5", "cost_cents: 5.5", ["channels.cashier.cost_cents", "5.5"]),
        ("reach: 0.5", "reach: 1.5", ["channels.cashier.reach", "1.5"]),
        ("reach: 0.5", "reach: .nan", ["channels.cashier.reach"]),
        ("value: 0.25", "value: .inf", ["assumptions.margin.value"]),
        ("horizon_days: 28", "horizon_days: 0", ["'one_more'", "horizon_days"]),
        ("horizon_days: 28", "horizon: 28", ["'one_more'", "horizon"]),
        ("default_place: till", "default_place: tell", ["default_place", "did you mean 'till'"]),
        ("default_place: till", "default_place: till\ndefault_place: till", ["line 3", "twice"]),
        ("margin: {value", "visits_28: {value", ["visits_28", "already"]),
        ("channels: [cashier]}", "channels: [letter]}", ["'till'", "letter"]),
        ("actions:", "actions: {", ["YAML"]),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in SMALL
    sentence = refusal(tmp_path, SMALL.replace(old, new, 1))
    for word in words:
        assert word in sentence


def test_an_id_may_stand_only_once(tmp_path: Path) -> None:
    entry = SMALL[SMALL.index("  - id") :]
    assert "'one_more': this id is there twice" in refusal(tmp_path, SMALL + entry)


def test_an_action_whose_channels_are_not_open_at_its_place_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace("  cashier: {", "  sms: {cost_cents: 7, reach: 0.4}\n  cashier: {", 1)
    sentence = refusal(tmp_path, text.replace("channels: [cashier]\n", "channels: [sms]\n"))
    assert "none of its channels (sms) is open at place 'till' (there: cashier)" in sentence


@pytest.mark.parametrize("content", [b"", b"[]", b"5", b"\xff\xfe\x00"])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "actions.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"actions\.yaml"):
        actions.load(file)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    assert "the file is empty" in refusal(tmp_path, "")
    assert "the file is empty" in refusal(tmp_path, "# nothing yet\n")
    assert "the file: has to be a mapping" in refusal(tmp_path, "[]")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        actions.load(tmp_path / "nothing.yaml")


def test_a_file_without_the_newer_fields_decides_as_before(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SMALL)
    (action,) = catalogue.actions
    assert (action.purpose, action.limits, action.capacity, action.starts, action.ends) == (
        None,
        (),
        None,
        None,
        None,
    )
    assert (action.lever, action.control_share, action.experiment, action.effect) == (1, 0, None, None)
    assert not action.exempt
    assert (catalogue.credibility, catalogue.control.share, catalogue.exploration.share) == (0.5, 0, 0)
    assert catalogue.policy.across == []
    assert catalogue.effect(action) is None
    assert catalogue.weight("till", "growth") == 1
    assert catalogue.circumstances("till") == frozenset()


def test_the_workspace_overrides_the_package_and_the_command_both(tmp_path: Path) -> None:
    assert actions.choose(tmp_path) == actions.PACKAGED
    own = tmp_path / "actions.yaml"
    own.write_text(SMALL, encoding="utf-8")
    assert actions.choose(tmp_path) == own
    assert actions.choose(tmp_path, tmp_path / "other.yaml") == tmp_path / "other.yaml"
