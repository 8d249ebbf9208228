from __future__ import annotations

import pytest
from pydantic import BaseModel

from serving.api import examples, openapi
from serving.api.door import EVENTS, OUTCOMES
from serving.messages.cross_sell import CrossSellAnswer
from serving.messages.outcomes import DecisionRecord, OutcomesAnswer
from serving.messages.schemas import (
    DecisionAnswer,
    EventsAnswer,
    ItemsAnswer,
    Portrait,
    Problem,
    ScoreAnswer,
)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v1/score", ScoreAnswer),
        ("/v1/next-best-action", DecisionAnswer),
        ("/v1/cross-sell", CrossSellAnswer),
        ("/v1/recommend", ItemsAnswer),
        (EVENTS, EventsAnswer),
        (OUTCOMES, OutcomesAnswer),
        ("/v1/customers/{customer_id}", Portrait),
        ("/v1/decisions/{decision_id}", DecisionRecord),
    ],
)
def test_every_question_shows_an_answer(path: str, answer: type[BaseModel]) -> None:
    (asked,) = openapi.document(needs_key=False)["paths"][path].values()
    shown = asked["responses"]["200"]["content"]["application/json"]["example"]
    # Nothing is left out of an example, and nothing in it has another name.
    assert answer.model_validate(shown).model_dump(mode="json") == shown


@pytest.mark.parametrize("path", ["/v1/score", "/v1/next-best-action", "/v1/cross-sell", OUTCOMES])
def test_the_main_questions_show_a_problem(path: str) -> None:
    responses = openapi.document(needs_key=False)["paths"][path]["post"]["responses"]
    problem = responses["400"]["content"]["application/problem+json"]["example"]
    assert Problem.model_validate(problem).model_dump(exclude_none=True) == problem == examples.PROBLEM
