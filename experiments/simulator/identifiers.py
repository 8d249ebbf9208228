"""Identifiers as tills and hands write them: phones, cards, plates, names, and the slips of those who type.

Texts are matrices of letters (Unicode code points, a row each, 0 behind the last one), so that a million of
them are made, and spoiled, without a loop. Numbers are permuted, never counted up: nothing can be read from
their order, and two customers never have one by chance.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.draws import Floats, Ints

Letters = NDArray[np.uint32]

PHONES: Final = 7 * 10**9
INVENTED: Final = ("13800138000", "13888888888", "13912345678", "11111111111")
"""Numbers that are given when a form asks for one; all of one digit are known to be none."""
_CARDS: Final = 10**15
_OPEN_IDS: Final = 2**48
_PLATE_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PLATES: Final = 24 * len(_PLATE_LETTERS) ** 5
_PROVINCES: Final = "晋豫陕冀鲁京津蒙"
BASE32: Final = "0123456789abcdefghjkmnpqrstvwxyz"
# Common Chinese family names, roughly the most common first.
_FAMILIES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余"
_MEN: Final = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢阳建国志文博成康星天峰海东"
_WOMEN: Final = "芳娜敏静丽艳娟霞秀燕玲桂婷雪倩慧莹洁萍红玉兰英梅琳欣怡佳颖云莲真环爱妹月凤晶妍茜秋珊莎锦"
_FIRMS: Final = "华信达顺通恒盛泰安诚联合远兴隆瑞宏鑫源丰利德正大中金宝永康福"
_TRADES: Final = ("运输", "物流", "建材", "商贸", "工程", "机械")
_ONE_CHARACTER: Final = 0.18
_SWAPPED: Final = 0.3
_CHECK: Final = "10X98765432"


def texts(letters: Letters) -> NDArray[Any]:
    """The texts of letters, m of them."""
    return np.ascontiguousarray(letters).view(f"<U{letters.shape[1]}")[:, 0]


def letters(given: NDArray[Any]) -> Letters:
    """The letters of texts: the inverse of `texts`."""
    width = given.dtype.itemsize // 4
    return np.ascontiguousarray(given).view(np.uint32).reshape(len(given), width)


def customer_ids(number: Ints) -> NDArray[Any]:
    """Ids of customers, seven letters and digits behind a C, of numbers below 2**35."""
    return texts(np.column_stack([_alphabet("C")[np.zeros(len(number), int)], _based(number, 7)]))


def phones(seed: int, person: Ints, which: Ints) -> Letters:
    """Mobile numbers: `which` is 0 for a customer's own, 1 for their other one."""
    number = draws.permute(seed, "phone", person * 2 + which, PHONES)
    return _joined(len(person), "1", number // 10**9 + 3, _digits(number % 10**9, 9))


def invented_phones(u: Floats) -> Letters:
    """One of the numbers that nobody has, for each uniform number."""
    return letters(np.array(INVENTED)[(u * len(INVENTED)).astype(np.int64)])


def cards(seed: int, pool: str, number: Ints) -> Letters:
    """Numbers of the cards that a pool gives out."""
    return _joined(len(number), "9", _digits(draws.permute(seed, f"card/{pool}", number, _CARDS), 15))


def open_ids(seed: int, pool: str, number: Ints) -> Letters:
    """Ids that an app gives a follower or a payer."""
    return _joined(len(number), "o", _based(draws.permute(seed, f"open_id/{pool}", number, _OPEN_IDS), 10))


def plates(seed: int, vehicle: Ints) -> Letters:
    """Number plates: province, letter, five of letters and digits."""
    number = draws.permute(seed, "plate", vehicle, _PLATES)
    signs = _alphabet(_PLATE_LETTERS)
    base = len(_PLATE_LETTERS)
    rest = np.stack([number // base**place % base for place in range(5)], axis=1)
    u = draws.uniform(seed, "province of a plate", vehicle)
    far = np.where(u < 0.85, 0, u * len(_PROVINCES)).astype(np.int64)  # noqa: PLR2004 (most cars are from here)
    return np.column_stack([_alphabet(_PROVINCES)[far], signs[10 + number // base**5], signs[rest]])


def birth_days(seed: int, person: Ints, today: int) -> Ints:
    """Days of birth since 1970-01-01: adults, 42 years old in the middle."""
    years = np.clip(42 + 13 * draws.normal(draws.uniform(seed, "age", person)), 18, 90)
    return (today - years * 365.25).astype(np.int64)


def national_ids(seed: int, person: Ints, born: Ints, male: NDArray[np.bool_]) -> Letters:
    """Numbers of residents (GB 11643): place, date of birth, serial number (odd for men), check digit."""
    u = draws.uniform(seed, "national id", person[:, None], 0, np.arange(3))
    place = 140000 + (1 + (u[:, 0] * 11).astype(np.int64)) * 100 + 1 + (u[:, 1] * 30).astype(np.int64)
    serial = (u[:, 2] * 499).astype(np.int64) * 2 + 1 + ~male
    date = letters(dates(born))[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    first = np.column_stack([_digits(place, 6), date, _digits(serial, 3)])
    total = ((first.astype(np.int64) - ord("0")) * [pow(2, 17 - at, 11) for at in range(17)]).sum(axis=1)
    return np.column_stack([first, _alphabet(_CHECK)[total % 11]])


def dates(day: Ints) -> NDArray[Any]:
    """Days since 1970-01-01 as texts like 1980-05-01."""
    return np.datetime_as_string(day.astype("datetime64[D]"), unit="D")


def names(seed: int, person: Ints, male: NDArray[np.bool_], household: Ints) -> Letters:
    """Names of persons: the family's, and one or two characters of one's own."""
    family = _alphabet(_FAMILIES)
    weights = 1 / (np.arange(len(family)) + 4.0)
    own = draws.uniform(seed, "given name", person[:, None], 0, np.arange(3))
    given = np.where(
        male[:, None],
        _alphabet(_MEN)[(own[:, :2] * len(_MEN)).astype(np.int64)],
        _alphabet(_WOMEN)[(own[:, :2] * len(_WOMEN)).astype(np.int64)],
    )
    given[:, 1] *= own[:, 2] > _ONE_CHARACTER
    of = draws.choice(draws.uniform(seed, "family name", household), weights)
    return np.column_stack([family[of], given])


def firms(seed: int, person: Ints) -> Letters:
    """Names of organisations."""
    u = draws.uniform(seed, "firm", person[:, None], 0, np.arange(4))
    own = _alphabet(_FIRMS)[(u[:, :3] * len(_FIRMS)).astype(np.int64)]
    trade = letters(np.array(_TRADES))[(u[:, 3] * len(_TRADES)).astype(np.int64)]
    return _joined(len(person), own, trade, np.tile(letters(np.array(["有限公司"])), (len(person), 1)))


def mistyped(right: Letters, u: Floats) -> Letters:
    """Texts with one character wrong or, three times in ten, two neighbours swapped.

    Args:
        right: texts of two letters or more.
        u: which character, which of the two, and by what: float64[m, 3] between 0 and 1.
    """
    wrong, row = right.copy(), np.arange(len(right))
    length = (right > 0).sum(axis=1)
    swaps = u[:, 1] < _SWAPPED
    at = (u[:, 0] * (length - swaps)).astype(np.int64)
    wrong[row[swaps], at[swaps]] = right[row[swaps], at[swaps] + 1]
    wrong[row[swaps], at[swaps] + 1] = right[row[swaps], at[swaps]]
    other = ~swaps
    wrong[row[other], at[other]] = _slip(right[row[other], at[other]], u[other, 2])
    return wrong


def as_written(phone: Letters, u: Floats) -> Letters:
    """Phone numbers the way people write them: plain mostly, with the country's code, or with dashes."""
    written = np.zeros((len(phone), 14), dtype=np.uint32)
    written[:, :11] = phone
    abroad, dashed = u < 0.1, u > 0.85  # noqa: PLR2004 (how many write so)
    written[abroad] = np.column_stack([np.tile(_alphabet("+86"), (abroad.sum(), 1)), phone[abroad]])
    dash = np.full((dashed.sum(), 1), ord("-"), dtype=np.uint32)
    parts = (phone[dashed, :3], dash, phone[dashed, 3:7], dash, phone[dashed, 7:])
    written[dashed, :13] = np.column_stack(parts)
    written[dashed, 13] = 0
    return written


def _slip(letter: NDArray[np.uint32], u: Floats) -> NDArray[np.uint32]:
    """Another letter of the same kind: a digit for a digit, a capital for a capital, else a given name's."""
    given = _alphabet(_MEN + _WOMEN)[(u * len(_MEN + _WOMEN)).astype(np.int64)]
    result = given.copy()
    for first, size in ((ord("0"), 10), (ord("A"), 26), (ord("a"), 26)):
        inside = (letter >= first) & (letter < first + size)
        step = 1 + (u[inside] * (size - 1)).astype(np.uint32)
        result[inside] = first + (letter[inside] - first + step) % size
    return result


def _digits(number: Ints, width: int) -> Letters:
    places = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (number[:, np.newaxis] // places % 10 + ord("0")).astype(np.uint32)


def _based(number: Ints, width: int) -> Letters:
    shifts = 5 * np.arange(width - 1, -1, -1, dtype=np.int64)
    return np.asarray(_alphabet(BASE32)[number[:, np.newaxis] >> shifts & 31])


def _joined(count: int, *parts: Any) -> Letters:
    """Parts side by side: letters, numbers of one digit, or a text that all rows have."""
    columns = []
    for part in parts:
        if isinstance(part, str):
            columns.append(np.tile(_alphabet(part), (count, 1)))
        else:
            columns.append(part if part.ndim > 1 else _digits(part, 1))
    return np.column_stack(columns)


def _alphabet(signs: str) -> NDArray[np.uint32]:
    return np.array([ord(sign) for sign in signs], dtype=np.uint32)
