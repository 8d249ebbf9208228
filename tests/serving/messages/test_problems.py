import json

import pytest
from pydantic import ValidationError

from features.errors import UserError
from serving.messages import problems, schemas
from serving.messages.problems import ProblemError


def refused(body: str) -> ProblemError:
    with pytest.raises(ValidationError) as caught:
        schemas.DecisionRequest.model_validate_json(body)
    return problems.from_validation(caught.value, set(schemas.DecisionRequest.model_fields))


def test_a_problem_is_json_with_four_fields() -> None:
    response = ProblemError(404, "nobody is there.", "unknown-customer").response()
    assert response.status_code == 404
    assert response.media_type == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:nextbest:unknown-customer",
        "title": "Not found",
        "status": 404,
        "detail": "nobody is there.",
    }
    assert ProblemError(401, "who?").response().headers["www-authenticate"] == "Bearer"
    assert problems.from_user_error(UserError("not that day.")).status == 422


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            '{"customer": {"customer_id": "1"}, "plase": "x"}',
            "field not found: 'plase'. Hint: did you mean 'place'?",
        ),
        (
            '{"customer": {"customer_id": "1", "telephone": "2"}}',
            "field not found: 'customer.telephone'. Hint: did you mean 'customer.phone'?",
        ),
        (
            '{"customer": {"customer_ids": "1", "customer_id": "1"}}',
            "field not found: 'customer.customer_ids'. Hint: did you mean 'customer.customer_id'?",
        ),
        (
            '{"customer": {"custmer_id": "1"}}',
            "field not found: 'customer.custmer_id'. Hint: did you mean 'customer.customer_id'?",
        ),
        (
            '{"customer": {"customer_id": "1", "phone": "2"}}',
            "customer: give exactly one of customer_id, phone, card, plate and open_id.",
        ),
        ("{}", "customer is missing."),
        ("[]", "The body has to be a JSON object."),
        ('{"customer": 5}', "customer has to be a JSON object."),
        (
            '{"customer": {"customer_id": ""}}',
            "customer.customer_id: string should have at least 1 character, got ''.",
        ),
    ],
)
def test_the_first_complaint_is_a_sentence(body: str, sentence: str) -> None:
    assert str(refused(body)) == sentence


def test_a_long_value_is_shortened_and_broken_json_is_located() -> None:
    long = str(refused(json.dumps({"customer": {"customer_id": "1"}, "place": "x" * 5000})))
    assert len(long) < 200
    assert "line 1 column 2" in str(refused("{x"))
