import pytest
from pydantic import ValidationError

from serving.messages import schemas


def test_a_request_has_defaults_and_refuses_to_guess() -> None:
    request = schemas.DecisionRequest.model_validate_json('{"customer": {"customer_id": "1"}}')
    assert (request.place, request.as_of, request.limit, request.dry_run) == (None, None, None, False)
    assert request.language == "en"
    for body in ('{"customer": {"customer_id": 1}}', '{"customer": {"customer_id": "1"}, "limit": "3"}'):
        with pytest.raises(ValidationError):
            schemas.DecisionRequest.model_validate_json(body)


def test_every_field_of_an_answer_that_may_be_null_is_typed_so() -> None:
    score = schemas.ScoreAnswer.model_json_schema()["properties"]
    assert {"type": "null"} in score["churn_probability"]["anyOf"]
    assert schemas.ItemsAnswer.model_json_schema()["properties"]["items"]["type"] == "array"
