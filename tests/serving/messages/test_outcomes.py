from serving.contacts.standing import KINDS
from serving.messages.outcomes import DecisionRecord, Kind, OutcomeRequest
from serving.records.record import NAMES


def test_the_kinds_are_those_of_the_contact_history() -> None:
    assert Kind.__args__ == KINDS


def test_a_shown_record_has_every_field_of_a_record_and_its_outcomes() -> None:
    assert set(DecisionRecord.model_fields) == {*NAMES, "outcomes"}


def test_an_outcome_needs_its_decision_and_its_kind() -> None:
    required = [name for name, field in OutcomeRequest.model_fields.items() if field.is_required()]
    assert required == ["decision_id", "kind"]
