from __future__ import annotations

from serving.api.portrait_example import PORTRAIT
from serving.messages.schemas import Portrait


def test_the_example_is_a_whole_portrait_of_one_customer() -> None:
    # Nothing is left out of it, and nothing in it has another name.
    assert Portrait.model_validate(PORTRAIT).model_dump(mode="json") == PORTRAIT
    assert PORTRAIT["scores"]["customer_id"] == PORTRAIT["customer_id"]
    assert PORTRAIT["scores"]["as_of"] == PORTRAIT["as_of"] == PORTRAIT["data_as_of"]
    assert PORTRAIT["first_day"] <= PORTRAIT["last_day"] < PORTRAIT["as_of"]
