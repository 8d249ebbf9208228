import math

from features.catalogue import NAMES
from serving.scoring import meanings, scores


def test_every_feature_and_score_has_a_meaning_in_both_languages() -> None:
    found = meanings.meanings()
    assert set(found) == {*NAMES, *scores.NAMES, scores.KNOWN}
    for meaning in found.values():
        assert meaning.in_language("en") == meaning.en != meaning.in_language("zh") == meaning.zh


def test_values_are_written_as_people_read_them() -> None:
    assert meanings.quantity(123456.0, "cents", "USD") == "1234.56 USD"
    assert meanings.quantity(0.346, "probability", "USD") == "35 %"
    assert meanings.quantity(0.5, "share", "USD") == "50 %"
    assert meanings.quantity(1.5, "ratio", "USD") == "1.50"
    assert meanings.quantity(43.0, "days", "USD") == "43"
    assert meanings.quantity(2.26, "days", "USD") == "2.3"
    assert meanings.quantity(math.nan, "days", "USD") == "unknown"
    assert meanings.quantity(math.nan, "days", "USD", "zh") == "未知"


def test_a_sentence_names_the_meaning_and_the_value() -> None:
    assert meanings.sentence("days_since_visit", 43.0, "USD") == "Days since the last visit: 43"
    assert meanings.sentence("days_since_visit", 43.0, "USD", "zh") == "距最近一次到访天数\uff1a43"
