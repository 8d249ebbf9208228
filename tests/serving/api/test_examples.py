from __future__ import annotations

import pytest
from pydantic import BaseModel

from serving.api import examples, openapi
from serving.api.door import OUTCOMES
from serving.messages.cross_sell import CrossSellAnswer
from serving.messages.outcomes import OutcomesAnswer
from serving.messages.schemas import DecisionAnswer, Problem, ScoreAnswer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v1/score", ScoreAnswer),
        ("/v1/next-best-action", DecisionAnswer),
        ("/v1/cross-sell", CrossSellAnswer),
        (OUTCOMES, OutcomesAnswer),
    ],
)
def test_the_main_questions_show_an_answer_and_a_problem(path: str, answer: type[BaseModel]) -> None:
    responses = openapi.document(needs_key=False)["paths"][path]["post"]["responses"]
    shown = responses["200"]["content"]["application/json"]["example"]
    # Nothing is left out of an example, and nothing in it has another name.
    assert answer.model_validate(shown).model_dump(mode="json") == shown
    problem = responses["400"]["content"]["application/problem+json"]["example"]
    assert Problem.model_validate(problem).model_dump(exclude_none=True) == problem == examples.PROBLEM
