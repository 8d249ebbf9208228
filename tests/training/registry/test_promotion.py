"""Promotion among hand-made versions, whose validation rows are chosen so that the verdict is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.training.conftest import AS_OF
from tests.training.versions import BLIND, CUTOFFS, GOOD, LUCKY, SQUARED, UNLUCKY, WRONG, register, rows
from training.churn import Churn
from training.fitted import Fitted
from training.recommendation.declarations import DECLARED
from training.registry import champions, models_app, promotion, registry, tracking
from training.registry.promotion import Verdict


@pytest.fixture
def workspace(workspace_with_store: Workspace) -> Workspace:
    return workspace_with_store


def promote(workspace: Workspace, run_id: str | None = None) -> Verdict:
    return promotion.promote(workspace, "churn", run_id)


def test_beyond_chance_decides_and_the_registry_says_why(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="model churn is not registered") as refused:
        promote(workspace)
    assert refused.value.exit_code is ExitCode.NOT_BUILT

    register(workspace, rows(BLIND, *CUTOFFS[:2]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.champion_version, verdict.champion_value) == (True, 1, None)
    assert "churn version 1 is champion: there was none before; its calibration error" in verdict.sentence
    again = promote(workspace)
    assert not again.promoted
    assert again.sentence == "churn version 1 is already champion."
    assert registry.version_tags(workspace, "churn", 1)["verdict"] == verdict.sentence

    # Better on the one cutoff they share: AUC (100 x 180 + 100 x 100 / 2 + 20 x 180 / 2) / (120 x 280).
    good = register(workspace, rows(GOOD, CUTOFFS[1], CUTOFFS[2]), warnings="logistic_all is better.")
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.rows, verdict.champion_version) == (True, 400, 2)
    assert verdict.champion_value == 0.5
    assert verdict.challenger_value == pytest.approx((18000 + 5000 + 1800) / (120 * 280))
    assert verdict.low is not None
    assert verdict.low > 0
    assert "version 2 takes the place of version 1: ROC-AUC" in verdict.sentence
    assert "better beyond chance" in verdict.sentence
    champion = registry.champion(workspace, "churn")
    assert champion is not None
    assert (champion.version, champion.run_id, champion.as_of) == (2, good, AS_OF)
    tags = registry.version_tags(workspace, "churn", 2)
    assert tags["verdict"] == verdict.sentence
    assert float(tags["verdict.low"]) == verdict.low
    assert (tags["verdict.gate"], tags["verdict.promoted"], tags["verdict.against"]) == (
        "passed",
        "True",
        "1",
    )
    assert tags["verdict.warnings"] == verdict.warnings == "logistic_all is better."

    # The worse one does not come back, fresher or not.
    worse = register(workspace, BLIND, as_of=AS_OF + 28)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.version, verdict.champion_version) == (False, 3, 2)
    assert "is not promoted, version 2 stays champion" in verdict.sentence
    assert "worse beyond chance" in verdict.sentence
    assert promote(workspace, worse).sentence == verdict.sentence
    with pytest.raises(UserError, match="was made by run 'nosuchrun'"):
        promote(workspace, "nosuchrun")


def test_undecided_fresher_data_decide_unless_the_number_is_worse(workspace: Workspace) -> None:
    register(workspace, GOOD)
    promote(workspace)
    register(workspace, LUCKY)
    verdict = promote(workspace)
    assert not verdict.promoted
    assert "better, which may be chance" in verdict.sentence
    assert "no fresher data speak for it" in verdict.sentence
    register(workspace, UNLUCKY, as_of=AS_OF + 7)
    verdict = promote(workspace)
    assert not verdict.promoted
    assert "worse, which may be chance" in verdict.sentence
    register(workspace, LUCKY, as_of=AS_OF + 7)
    verdict = promote(workspace)
    assert verdict.promoted
    assert "fresher data decide" in verdict.sentence
    # The same setting a week later makes the same predictions.
    register(workspace, LUCKY, as_of=AS_OF + 14)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.difference) == (True, 0.0)
    assert ", equal (difference" in verdict.sentence


def test_probabilities_that_are_off_do_not_get_past_the_gate(workspace: Workspace) -> None:
    register(workspace, BLIND)
    promote(workspace)
    register(workspace, SQUARED, as_of=AS_OF + 7)
    verdict = promote(workspace)
    assert verdict.difference is not None
    assert verdict.difference > 0.2
    assert (verdict.promoted, verdict.gate, verdict.champion_version) == (False, "failed", 1)
    assert verdict.calibration_error == pytest.approx(0.17)
    assert "may not be multiplied by money" in verdict.sentence
    assert registry.version_tags(workspace, "churn", 2)["verdict.gate"] == "failed"


def test_an_error_that_the_task_lets_be_passes(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Churn, "gate_bound", 0.2)
    register(workspace, SQUARED)
    verdict = promote(workspace)
    assert (verdict.gate, verdict.calibration_bound) == ("passed", 0.2)
    assert "WARNING" not in verdict.sentence


def test_where_nobody_serves_one_that_is_off_does_so_with_a_warning(workspace: Workspace) -> None:
    register(workspace, WRONG)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.champion_version) == (False, None)
    assert "there is no champion" in verdict.sentence
    assert "no more than the mean rate" in verdict.sentence
    register(workspace, SQUARED)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate) == (True, "failed")
    assert "WARNING: its calibration error is 0.1700" in verdict.sentence
    # It keeps nobody out who is no worse, and gives way to one that is calibrated.
    register(workspace, 0.9 * SQUARED, as_of=AS_OF + 7)
    assert not promote(workspace).promoted
    register(workspace, SQUARED, as_of=AS_OF + 7)
    verdict = promote(workspace)
    assert verdict.promoted
    assert "fresher data decide" in verdict.sentence
    assert "WARNING: its calibration error is 0.1700" in verdict.sentence
    said = models_app.standing(workspace, "churn")
    assert said.gate == "failed"
    assert "WARNING" in (said.verdict or "")
    table, *_ = models_app._lines([said])
    assert list(table.columns[4].cells) == ["FAILED"]
    register(workspace, GOOD)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate) == (True, "passed")
    assert "it is calibrated, the champion is not (0.1700)" in verdict.sentence


def days_rows(*off: float) -> pd.DataFrame:
    """Of two halves 80 % and 20 % come within 7 days, 80 % and 40 % within 14; so much more is said."""
    came = np.resize([3.0, 3.0, 3.0, 3.0, np.nan, 3.0, 10.0, np.nan, np.nan, np.nan], 400)
    often = np.resize([True] * 5 + [False] * 5, 400)
    said = {7: np.where(often, 0.8, 0.2), 14: np.where(often, 0.8, 0.4), 28: np.where(often, 0.8, 0.4)}
    columns = {f"model.p{days}": p + by for (days, p), by in zip(said.items(), off, strict=True)}
    keys = rows(GOOD, CUTOFFS[1])[["customer_id", "as_of"]]
    return keys.assign(days=came, **columns, **{"model.days": 10.0})


def test_every_horizon_has_to_get_past_the_gate(workspace: Workspace) -> None:
    task = "next_purchase"
    register(workspace, days_rows(0.0, 0.1, 0.0), task=task)
    verdict = promotion.promote(workspace, task)
    assert (verdict.promoted, verdict.gate, verdict.calibration_of) == (True, "failed", "within 14 days")
    assert "WARNING: its calibration error within 14 days is 0.1000" in verdict.sentence
    # Better by the metric that decides, where the champion is off; worse where it is not.
    register(workspace, days_rows(-0.2, 0.0, 0.0), as_of=AS_OF + 7, task=task)
    verdict = promotion.promote(workspace, task)
    assert verdict.difference is not None
    assert verdict.difference < 0
    assert (verdict.promoted, verdict.gate, verdict.calibration_of) == (False, "failed", "within 7 days")
    assert "its calibration error within 7 days is 0.2000" in verdict.sentence
    register(workspace, days_rows(0.0, 0.0, 0.0), as_of=AS_OF + 7, task=task)
    verdict = promotion.promote(workspace, task)
    assert (verdict.promoted, verdict.gate) == (True, "passed")


def test_lists_have_to_get_past_the_gate(workspace: Workspace) -> None:
    def listed(promised: float, quality: float) -> pd.DataFrame:
        bought = np.resize([0.2, 0.4], 400)
        columns = {"model.promised10_b_all": promised, "model.bought10_b_all": bought}
        columns |= {"model.ndcg10_b_all": quality + 0.01 * bought}
        return rows(GOOD, CUTOFFS[1])[["customer_id", "as_of"]].assign(**columns)

    task, fitted = "recommendation", Fitted("recommendation", {}, {}, {"declared": dict(DECLARED)})
    register(workspace, listed(0.3, 0.4), fitted=fitted, task=task)
    assert promotion.promote(workspace, task).gate == "passed"
    register(workspace, listed(0.5, 0.6), fitted=fitted, task=task)
    verdict = promotion.promote(workspace, task)
    assert (verdict.promoted, verdict.calibration_of) == (False, "of the items listed")
    assert "may not be multiplied by money" in verdict.sentence


def test_amounts_are_of_use_where_the_probability_is_of_none(workspace: Workspace) -> None:
    constant = rows(np.full(400, 0.9), CUTOFFS[1])
    register(workspace, constant.rename(columns={"churned": "visited"}), task="value")
    register(workspace, constant)
    told, alone = promotion.promote(workspace, "value"), promote(workspace)
    assert (told.promoted, told.gate, alone.promoted, alone.gate) == (True, "failed", False, "failed")
    assert "WARNING: its calibration error is" in told.sentence
    assert "worth no more than the mean rate" in alone.sentence


def test_without_a_row_in_common_the_champion_stays(workspace: Workspace) -> None:
    register(workspace, rows(BLIND, CUTOFFS[1]))
    promote(workspace)
    register(workspace, rows(GOOD, CUTOFFS[0]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.rows, verdict.challenger_value) == (False, 0, None)
    assert "no row in common" in verdict.sentence
    assert registry.version_tags(workspace, "churn", 2)["verdict"] == verdict.sentence


def test_models_of_two_definitions_are_not_compared(workspace: Workspace) -> None:
    register(workspace, rows(BLIND, *CUTOFFS[:2]))
    promote(workspace)
    other = register(workspace, rows(GOOD, *CUTOFFS[:2]), labels={"churn": {"horizon_days": 42}})
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.rows, verdict.difference) == (False, 0, None)
    said = (
        "version 1 stays champion: where its label is defined, horizon_days is 42, but 28 in the source now."
    )
    assert said in verdict.sentence
    # A champion from when the source said so gives way to who learnt what it says now.
    champions.crown(workspace, "churn", registry.challenger(workspace, "churn", other)[0])
    register(workspace, rows(SQUARED, *CUTOFFS[:2]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate, verdict.champion_version) == (False, "failed", 2)
    register(workspace, rows(LUCKY, *CUTOFFS[:2]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.rows, verdict.champion_version) == (True, 0, 4)
    said = (
        "because where its label is defined, horizon_days is 28, but 42 for version 2; its calibration error"
    )
    assert said in verdict.sentence


def test_what_counts_more_is_judged_by_the_gate_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a model of own records beside that of campaign history, trained as of the same day."""
    register(workspace, rows(GOOD, CUTOFFS[1]))
    promote(workspace)
    monkeypatch.setattr(Churn, "supersedes", lambda *_: "it has learned from more")
    register(workspace, rows(SQUARED, CUTOFFS[0]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate, verdict.champion_version) == (False, "failed", 1)
    assert "version 1 stays champion: it has learned from more, but its calibration error" in verdict.sentence
    assert "row in common" not in verdict.sentence
    register(workspace, rows(GOOD, CUTOFFS[0]).iloc[:0])
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate) == (False, "none")
    assert "it has no validation rows to be judged by. Train it again" in verdict.sentence
    register(workspace, rows(LUCKY, CUTOFFS[0]))
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate, verdict.champion_version) == (True, "passed", 4)
    assert "takes the place of version 1, because it has learned from more" in verdict.sentence


def test_a_champion_that_cannot_serve_gives_way(workspace: Workspace) -> None:
    old = Fitted("churn", {}, {}, {"reads": [], "declarations_hash": "0" * 64})
    register(workspace, GOOD, fitted=old)
    assert "other feature declarations" in promote(workspace).sentence
    champions.crown(workspace, "churn", 1)
    with pytest.raises(UserError, match="other feature declarations"):
        registry.champion(workspace, "churn")
    # Its stored rows are better, which helps nobody.
    second = register(workspace, BLIND)
    verdict = promote(workspace)
    assert verdict.promoted
    assert "takes the place of version 1, which can no longer be loaded" in verdict.sentence
    tracking.artifact(workspace, second, tracking.CHOICE).unlink()
    register(workspace, BLIND)
    verdict = promote(workspace)
    assert verdict.promoted
    assert "its files are gone" in verdict.sentence


def damage(workspace: Workspace, run_id: str, file: str) -> None:
    """Change a file of a run as somebody with an editor might."""
    place = tracking.artifact(workspace, run_id, tracking.MODEL).parent / file
    if file.endswith("meta.json"):
        place.write_text(place.read_text(encoding="utf-8").replace('"task"', '"less": 1, "task"'))
    else:
        place.write_bytes(b"x" * 100)


@pytest.mark.parametrize("file", ["model/meta.json", "model/arrays.npz", tracking.CHOICE])
def test_a_damaged_challenger_is_refused_whoever_serves(workspace: Workspace, file: str) -> None:
    damage(workspace, register(workspace, GOOD), file)
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.champion_version) == (False, None)
    assert "churn version 1 is not promoted, there is no champion: it cannot be used: " in verdict.sentence
    assert verdict.refused is not None
    assert "damaged" in verdict.refused
    assert registry.version_tags(workspace, "churn", 1)["verdict"] == verdict.sentence

    register(workspace, BLIND)
    assert promote(workspace).promoted
    third = register(workspace, GOOD, as_of=AS_OF + 7)
    damage(workspace, third, file)
    for run_id in (None, third):
        verdict = promote(workspace, run_id)
        assert (verdict.promoted, verdict.champion_version) == (False, 2)
        assert "version 2 stays champion: it cannot be used: " in verdict.sentence
        assert verdict.sentence.endswith("or run `nextbest train churn` and `nextbest promote churn`.")


def test_nothing_stays_of_an_earlier_verdict(workspace: Workspace) -> None:
    run_id = register(workspace, GOOD)
    file = tracking.artifact(workspace, run_id, tracking.MODEL).parent / "model/meta.json"
    whole = file.read_bytes()
    damage(workspace, run_id, "model/meta.json")
    promote(workspace)
    assert "damaged" in registry.version_tags(workspace, "churn", 1)["verdict.refused"]
    file.write_bytes(whole)
    assert promote(workspace).promoted
    assert "verdict.refused" not in registry.version_tags(workspace, "churn", 1)


def test_a_champion_that_was_damaged_since_is_said(workspace: Workspace) -> None:
    run_id = register(workspace, GOOD)
    promote(workspace)
    damage(workspace, run_id, "model/meta.json")
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.champion_version) == (False, 1)
    assert "churn version 1 is already champion, but it cannot be used: it is damaged" in verdict.sentence
    assert verdict.refused is not None


def test_a_run_without_validation_rows_is_let_in_where_there_is_nobody(workspace: Workspace) -> None:
    register(workspace, rows(GOOD, CUTOFFS[0]).iloc[:0])
    verdict = promote(workspace)
    assert (verdict.promoted, verdict.gate) == (True, "none")
    assert verdict.sentence == "churn version 1 is champion: there was none before."
