"""Kinds of identifiers, and the form in which two writings of one identifier are equal.

Sources name kinds as they like (`mobile`, `tel`, `phone`); an identifier's written form varies, too. Both are
brought to one form before anything is hashed or compared. A national id whose check digit is wrong, and a
number of which all digits are the same, identify nobody.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from features.pseudonyms import personal_number
from features.session import literal

PHONE, NATIONAL_ID, CARD, OPEN_ID, PLATE = "phone", "national_id", "card", "open_id", "plate"
NAME, EMAIL, BIRTH_DATE, ADDRESS, SEX = "name", "email", "birth_date", "address", "sex"
GIVEN_NAME, FAMILY_NAME, BIRTH_YEAR = "given_name", "family_name", "birth_year"
HOUSEHOLD: Final = "household"

# Kinds of which one value belongs to one person or one household, the surest first.
EXACT: Final = (NATIONAL_ID, OPEN_ID, CARD, PHONE, PLATE)

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    PHONE: ("mobile", "tel", "telephone", "cell", "cellphone", "mobile_phone", "phone_number", "msisdn"),
    NATIONAL_ID: ("id_card", "id_number", "identity_card", "identity_number", "ssn", "nin"),
    CARD: ("fuel_card", "loyalty_card", "bank_card", "member_card", "card_number", "card_no"),
    OPEN_ID: ("openid", "wechat", "wechat_openid", "wechat_open_id", "union_id", "unionid", "alipay"),
    PLATE: ("number_plate", "license_plate", "licence_plate", "plate_number", "registration"),
    NAME: ("full_name", "fullname", "customer_name"),
    GIVEN_NAME: ("first_name", "firstname", "forename"),
    FAMILY_NAME: ("last_name", "lastname", "surname"),
    EMAIL: ("e-mail", "e_mail", "mail", "email_address"),
    BIRTH_DATE: ("birthday", "birthdate", "dob", "date_of_birth"),
    BIRTH_YEAR: ("year_of_birth",),
    ADDRESS: ("street", "postal_address", "home_address"),
    SEX: ("gender",),
}

# A digit's place times its weight, summed, is 1 modulo 11 (ISO 7064, MOD 11-2); X stands for ten.
_CHECKED: Final = re.compile(r"[0-9]{17}[0-9X]")
_SAME_DIGITS: Final = re.compile(r"[+ ]*([0-9])(?:[ -]?\1){5,}")
_WIDE: Final = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW: Final = "".join(map(chr, range(0x21, 0x7F)))


def kind(column: str) -> str:
    """SQL of the canonical kind of a column of kinds; an unknown one is kept in lower case."""
    plain = f"replace(lower(trim({column})), ' ', '_')"
    cases = " ".join(
        f"WHEN {plain} IN ({', '.join(map(literal, names))}) THEN {literal(canonical)}"
        for canonical, names in ALIASES.items()
    )
    return f"CASE {cases} ELSE {plain} END"


def narrow(column: str) -> str:
    """SQL of a text with full-width letters, digits and signs replaced by the usual ones."""
    return f"replace(translate({column}, {literal(_WIDE)}, {literal(_NARROW)}), chr(12288), ' ')"


def written(kind_column: str, value_column: str) -> str:
    """SQL of an identifier as it is to be hashed: a plate without its dots, a card without its dashes."""
    plain = narrow(value_column)
    bare = f"upper(regexp_replace({plain}, '[\\s·.\\-]', '', 'g'))"
    return f"CASE WHEN {kind(kind_column)} IN ('{PLATE}', '{CARD}') THEN {bare} ELSE {plain} END"


def forms(given: str) -> tuple[str, ...]:
    """The forms in which an identifier that somebody typed may have been hashed, as `written` gives them."""
    plain = unicodedata.normalize("NFKC", given).strip()
    return tuple(dict.fromkeys((plain, re.sub(r"[\s·.\-]", "", plain).upper())))


def is_credible(kind_name: str, value: str) -> bool:
    """Whether an exact identifier can be one: its check digit is right, its digits are not all the same."""
    if _SAME_DIGITS.fullmatch(value.strip()):
        return False
    number = personal_number(value) if kind_name == NATIONAL_ID else None
    if number is None or not _CHECKED.fullmatch(number):
        return bool(value.strip())
    digits = [10 if digit == "X" else int(digit) for digit in number]
    return sum(digit * pow(2, 17 - place, 11) for place, digit in enumerate(digits)) % 11 == 1
