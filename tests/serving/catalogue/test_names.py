from pathlib import Path

import pytest

from features.errors import UserError
from features.expressions import expression
from serving.catalogue import file as catalogue_file
from serving.catalogue import names as catalogue_names
from serving.catalogue.actions import PACKAGED

KNOWN = ("visits_28",)


def test_every_own_name_is_explained_in_both_languages() -> None:
    found = catalogue_names.meanings(catalogue_file.read(PACKAGED))
    flags = {"open_complaint", "consent_partners", "fuel_price_rises"}
    assert {"basket_items", "next_tier_distance_cents", *flags} <= set(found)
    assert "营销信息" in found["consent_marketing"].zh
    assert all(meaning.en != meaning.zh for meaning in found.values())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("stage = 'stable' OR NOT tier IN ('VIP', 'B')", None),
        ("'till' = place AND stage <> 'lapsing'", None),
        ("stage = tier", None),
        ("stage IN ('stable', 'gone')", "gone"),
        ("visits_28 > 1 AND (tier <> 'vip' OR visits_28 < 9)", "vip"),
        ("'tills' = place", "tills"),
    ],
)
def test_a_text_that_a_column_never_has_is_refused(text: str, wrong: str | None) -> None:
    parsed = expression.parse(text, KNOWN, kind="boolean", texts=catalogue_names.TEXTS)
    file = catalogue_file.read(Path(PACKAGED))
    if wrong is None:
        catalogue_names.check_literals(parsed, file)
        return
    with pytest.raises(UserError, match=f"not found: '{wrong}'"):
        catalogue_names.check_literals(parsed, file)
