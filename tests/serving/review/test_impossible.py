import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.expressions import expression
from serving.review.impossible import impossible
from serving.scoring import meanings

KNOWN = ("visits_28", "spend_28", "churn_probability", "known", "least_visits")


def left_without(text: str) -> str | None:
    parsed = expression.parse(text, KNOWN, kind="boolean", texts=("stage", "tier"))
    return impossible(parsed, {"least_visits": 5.0}, meanings.meanings())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("visits_28 > 5 AND visits_28 < 5", "visits_28"),
        ("visits_28 >= 5 AND visits_28 < 5", "visits_28"),
        ("visits_28 >= 5 AND visits_28 <= 5", None),
        ("5 > visits_28 AND visits_28 > 5", "visits_28"),
        ("visits_28 BETWEEN 5 AND 1", "visits_28"),
        ("visits_28 = 3 AND visits_28 = 4", "visits_28"),
        ("visits_28 < least_visits AND visits_28 >= 5", "visits_28"),
        ("visits_28 < -1 + least_visits AND visits_28 >= 4", "visits_28"),
        ("churn_probability >= 25", "churn_probability"),
        ("churn_probability > 1 AND visits_28 > 1", "churn_probability"),
        ("churn_probability >= 1", None),
        ("known = 2", "known"),
        ("stage = 'stable' AND tier = 'A' AND stage = 'lapsing'", "stage"),
        ("stage = 'stable' AND tier = 'A' AND 'stable' = stage", None),
        ("visits_28 > 5 OR visits_28 < 5 AND visits_28 > 6", None),
        ("visits_28 > 5 AND spend_28 < 5", None),
        ("visits_28 > spend_28 AND visits_28 < spend_28", None),
        ("spend_28 <= -5 AND spend_28 >= -10", None),
    ],
)
def test_what_leaves_no_value_is_found(text: str, name: str | None) -> None:
    assert left_without(text) == name


bound = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(-3, 3))


@settings(deadline=None, max_examples=200)
@given(st.lists(bound, min_size=1, max_size=4))
def test_it_agrees_with_trying_every_value(bounds: list[tuple[str, int]]) -> None:
    text = " AND ".join(f"visits_28 {operator} {value}" for operator, value in bounds)
    condition = expression.parse(text, KNOWN, kind="boolean")
    # Halves stand between whole bounds, so that every interval that is not empty holds one of these.
    met = any(condition.one({"visits_28": half / 2}) for half in range(-20, 21))
    assert (left_without(text) is None) == met
