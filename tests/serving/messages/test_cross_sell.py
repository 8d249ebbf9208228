from __future__ import annotations

from typing import get_args

from serving.messages import cross_sell, schemas
from serving.scoring import basket_reasons


def test_every_reason_may_be_given() -> None:
    assert get_args(cross_sell.ItemReason.model_fields["id"].annotation) == get_args(basket_reasons.Id)


def test_the_request_names_whom_it_is_about_or_nobody() -> None:
    nobody = schemas.CrossSellRequest.model_validate_json('{"basket": ["1"], "store": "7"}')
    assert (nobody.customer, nobody.basket, nobody.store) == (None, ["1"], "7")
    somebody = schemas.CrossSellRequest.model_validate_json('{"customer": {"plate": "A1"}}')
    assert somebody.customer is not None
    assert somebody.customer.identifier() == ("plate", "A1")


def test_an_answer_about_nobody_has_the_fields_of_one_about_a_customer() -> None:
    fields = cross_sell.CrossSellAnswer.model_json_schema()["properties"]
    assert {"type": "null"} in fields["customer_id"]["anyOf"]
    assert set(schemas.ItemsAnswer.model_json_schema()["properties"]) < set(fields)
