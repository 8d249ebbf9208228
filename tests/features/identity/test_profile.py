from __future__ import annotations

from features.canonical import Canonical
from features.identity.profile import ASKED, FactsReader, Vehicle, facts
from tests.features.identity.conftest import Identify, day


def test_one_fact_after_the_other(identify: Identify) -> None:
    files = {"customers.csv": "customer_id,birth_year\na,1980\n"}
    workspace = identify([("a", 4, "number plate", "京A12345"), ("a", 6, "surname", "Li")], files)
    canonical = Canonical.open(workspace)
    asked = [facts(canonical, "a", until=day(n)).ask_next for n in (4, 5, 7)]
    assert asked == ["plate", "name", "phone"]
    assert facts(workspace, "a").known == ("plate", "name", "birth_date")


def test_one_reader_tells_of_customers_and_days_in_any_order(identify: Identify) -> None:
    canonical = Canonical.open(identify([("a", 4, "number plate", "京A12345"), ("b", 6, "surname", "Li")]))
    reader = FactsReader(canonical)
    asked = [("a", day(5)), ("b", day(5)), ("b", day(7)), ("a", day(4)), ("b", None), ("a", None)]
    assert [reader.of(*each) for each in asked] == [facts(canonical, who, until=at) for who, at in asked]
    assert [reader.of(*each).known for each in asked] == [
        ("plate",),
        (),
        ("name",),
        (),
        ("name",),
        ("plate",),
    ]
    reader.close()
    assert reader.of("a").known == ("plate",)


def test_aliases_count_as_the_customer(identify: Identify) -> None:
    rows = [("a", 3, "phone", "13812345678"), ("b", 4, "phone", "13812345678"), ("b", 4, "plate", "京A12345")]
    consents = "customer_id,stated_at,purpose,granted\nb,2024-01-05,marketing,false\n"
    workspace = identify(rows, {"consents.csv": consents})
    assert facts(workspace, "a").known == ("plate", "phone", "consent")


def test_unknown_is_never_an_error(identify: Identify) -> None:
    workspace = identify([])
    assert facts(workspace, "stranger").missing == ASKED
    assert facts(workspace, "stranger").ask_next == "plate"


def test_who_it_is_and_what_is_driven_without_any_value(identify: Identify) -> None:
    rows = [
        ("a", 3, "phone", "13812345678"),
        ("b", 6, "phone", "13812345678"),
        ("b", 6, "wechat", "oX-9f_Aq"),
    ]
    rows += [("a", 8, "plate", "京A12345"), ("a", 3, "name", "Li Lei")]
    files = {
        "customers.csv": "customer_id,sex,birth_year,age_band,registered_at\na,f,1980,35-44,2024-01-03\n",
        "vehicles.csv": "customer_id,plate,kind,fuel,model_year\n"
        "a,京A12345,car,98 octane,2019\nb,京B54321,lorry,0 diesel,\n",
    }
    canonical = Canonical.open(identify(rows, files))
    first, later, last = (facts(canonical, "a", until=day(n)) for n in (3, 8, 9))
    assert (first.references, first.identifiers, first.vehicles, first.sex) == (1, (), (), None)
    # Of b's lorry no day is known: it is there as soon as b is.
    lorry, car = Vehicle("lorry", "0 diesel", None, None), Vehicle("car", "98 octane", None, 2019)
    assert (later.references, later.identifiers) == (2, ("open_id", "phone", "plate"))
    assert (later.sex, later.birth_year, later.age_band) == ("f", 1980, "35-44")
    assert later.vehicles == (lorry,)
    assert last.vehicles == facts(canonical, "a").vehicles == (car, lorry)
    said = str(last)
    assert not [value for _, _, _, value in rows if value in said]
    assert "hash_" not in said


def test_a_source_without_these_tables_says_nothing_of_them(identify: Identify) -> None:
    found = facts(identify([]), "nobody")
    assert (found.references, found.identifiers, found.vehicles) == (1, None, None)
    assert (found.sex, found.birth_year, found.age_band) == (None, None, None)
