from __future__ import annotations

from features.canonical import Canonical
from features.identity.profile import ASKED, facts
from tests.features.identity.conftest import Identify, day


def test_one_fact_after_the_other(identify: Identify) -> None:
    files = {"customers.csv": "customer_id,birth_year\na,1980\n"}
    workspace = identify([("a", 4, "number plate", "京A12345"), ("a", 6, "surname", "Li")], files)
    canonical = Canonical.open(workspace)
    asked = [facts(canonical, "a", until=day(n)).ask_next for n in (4, 5, 7)]
    assert asked == ["plate", "name", "phone"]
    assert facts(workspace, "a").known == ("plate", "name", "birth_date")


def test_aliases_count_as_the_customer(identify: Identify) -> None:
    rows = [("a", 3, "phone", "13812345678"), ("b", 4, "phone", "13812345678"), ("b", 4, "plate", "京A12345")]
    consents = "customer_id,stated_at,purpose,granted\nb,2024-01-05,marketing,false\n"
    workspace = identify(rows, {"consents.csv": consents})
    assert facts(workspace, "a").known == ("plate", "phone", "consent")


def test_unknown_is_never_an_error(identify: Identify) -> None:
    workspace = identify([])
    assert facts(workspace, "stranger").missing == ASKED
    assert facts(workspace, "stranger").ask_next == "plate"
