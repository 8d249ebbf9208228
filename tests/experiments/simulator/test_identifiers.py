"""Identifiers are of the forms that the platform knows, nobody's is another's, and a slip is one slip."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator import identifiers
from experiments.simulator.identifiers import texts
from features.identity.keys import is_credible
from features.pseudonyms import may_identify, personal_number

PERSON = np.arange(5000)
NOW = 19_723


@pytest.mark.parametrize(
    "made",
    [
        identifiers.phones(1, PERSON, np.zeros(5000, dtype=np.int64)),
        identifiers.cards(1, "card", PERSON),
        identifiers.open_ids(1, "wechat", PERSON),
        identifiers.plates(1, PERSON),
    ],
    ids=["phones", "cards", "open_ids", "plates"],
)
def test_nobody_has_the_number_of_another_and_numbers_say_nothing_of_the_order(
    made: identifiers.Letters,
) -> None:
    written = texts(made)
    assert len(set(written)) == len(written)
    # Spearman's rho of 5,000 permuted numbers has a standard deviation of 0.014.
    rank = np.argsort(np.argsort(written))
    assert abs(np.corrcoef(rank, PERSON)[0, 1]) < 0.06


def test_ids_of_customers_are_different_and_no_personal_numbers() -> None:
    ids = identifiers.customer_ids(PERSON * 6_000_000)
    assert len(set(ids)) == len(ids)
    assert not any(may_identify(one) for one in ids)


def test_phones_are_mobile_numbers_however_they_are_written() -> None:
    plain = identifiers.phones(1, PERSON, np.ones(5000, dtype=np.int64))
    written = texts(identifiers.as_written(plain, np.linspace(0.001, 0.999, 5000)))
    assert [personal_number(one) for one in written] == texts(plain).tolist()
    assert {one[0] for one in written} == {"1", "+"}
    assert any("-" in one for one in written)


def test_national_ids_hold_the_date_of_birth_the_sex_and_a_right_check_digit() -> None:
    born, male = identifiers.birth_days(1, PERSON, NOW), PERSON % 3 == 0
    written = texts(identifiers.national_ids(1, PERSON, born, male))
    assert all(is_credible("national_id", one) for one in written)
    dates = [f"{one[6:10]}-{one[10:12]}-{one[12:14]}" for one in written]
    assert dates == identifiers.dates(born).tolist()
    assert [int(one[16]) % 2 == 1 for one in written] == male.tolist()
    ages = (NOW - born) / 365.25
    assert ages.min() >= 18
    assert ages.max() <= 90
    assert np.median(ages) == pytest.approx(42, abs=1)


def test_families_share_a_name_and_firms_end_as_firms_do() -> None:
    male = np.ones(5000, dtype=bool)
    names = texts(identifiers.names(1, PERSON, male, PERSON // 4))
    family = [name[0] for name in names]
    assert all(len(set(family[at : at + 4])) == 1 for at in range(0, 5000, 4))
    assert {len(name) for name in names} == {2, 3}
    assert all(firm.endswith("有限公司") for firm in texts(identifiers.firms(1, PERSON)))


def test_a_slip_changes_one_letter_or_swaps_two_neighbours() -> None:
    right = identifiers.phones(1, PERSON, np.zeros(5000, dtype=np.int64))
    u = np.random.default_rng(0).random((5000, 3))
    wrong = identifiers.mistyped(right, u)
    differ = (right != wrong).sum(axis=1)
    swapped = u[:, 1] < 0.3
    assert set(differ[~swapped]) == {1}
    assert set(differ[swapped]) <= {0, 2}
    assert (np.sort(right[swapped]) == np.sort(wrong[swapped])).all()
    assert all(one.isdigit() for one in texts(wrong))


def test_a_slip_in_a_name_stays_within_the_name() -> None:
    right = identifiers.names(1, PERSON, np.zeros(5000, dtype=bool), PERSON)
    wrong = identifiers.mistyped(right, np.random.default_rng(1).random((5000, 3)))
    assert ((right > 0) == (wrong > 0)).all()


def test_made_up_numbers_are_few_and_some_are_known_to_be_none() -> None:
    written = texts(identifiers.invented_phones(np.linspace(0.01, 0.99, 100)))
    assert set(written) == set(identifiers.INVENTED)
    assert not all(is_credible("phone", one) for one in identifiers.INVENTED)


def test_letters_are_the_inverse_of_texts() -> None:
    given = np.array(["92", "王伟", "A-1"])
    assert texts(identifiers.letters(given)).tolist() == given.tolist()
