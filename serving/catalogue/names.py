"""The names that expressions of a catalogue may read beside features and scores, and what each means.

Stage and tier say where the customer stands, place and basket are the question's, an open complaint and
consent come from the contact history, triggers from the catalogue itself. `serving.decisions.circumstances`
gives their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from features.errors import UserError, unknown
from features.expressions.expression import Expression
from features.expressions.nodes import Node
from features.life_cycle.rules import RULES
from serving.catalogue.file import CatalogueFile, Purpose
from serving.scoring.meanings import Meaning

STAGE: Final = "stage"
TIER: Final = "tier"
PLACE: Final = "place"
OPEN_COMPLAINT: Final = "open_complaint"
DISTANCE: Final = "next_tier_distance_cents"
BASKET: Final = "basket_items"
CONSENT: Final = "consent_"
TEXTS: Final = (STAGE, TIER, PLACE)
OF_THE_TIER: Final = frozenset({TIER, DISTANCE})


def meanings(file: CatalogueFile) -> dict[str, Meaning]:
    """The number columns that a file's expressions may read, with what each means."""
    return {
        OPEN_COMPLAINT: Meaning("open complaint (1) or none (0)", "有未结投诉(1 有, 0 无)", "flag"),
        DISTANCE: Meaning("money missing to the next tier", "距下一等级还差的金额", "cents"),
        BASKET: Meaning("products in the basket in hand", "手中购物篮的商品数", "products"),
        **{f"{CONSENT}{name}": _consent(name, purpose) for name, purpose in file.purposes.items()},
        **{
            name: Meaning(trigger.meaning.en, trigger.meaning.zh, "flag")
            for name, trigger in file.triggers.items()
        },
    }


def _consent(name: str, purpose: Purpose) -> Meaning:
    en, zh = (purpose.name.en, purpose.name.zh) if purpose.name else (name, name)
    return Meaning(f"consent to {en}: given (1) or refused (0)", f"是否同意{zh}(1 同意, 0 拒绝)", "flag")


def check_literals(expression: Expression, file: CatalogueFile) -> None:
    """Refuse a text that the column it is compared with never has.

    Raises:
        UserError: stage, tier or place is compared with something else.
    """
    values = {
        STAGE: [stage.id for stage in RULES.stages],
        TIER: RULES.tiers.levels,
        PLACE: file.places,
    }
    for column, text in _compared(expression.root):
        if text not in values[column]:
            raise UserError(f"expression {expression.text!r}: {unknown(column, text, values[column])}")


def _compared(node: Node) -> Iterator[tuple[str, str]]:
    """Each text column with each text that it is compared with."""
    if node.operation == "same_text":
        columns = [part.value for part in node.parts if part.operation == "column"]
        texts = [part.value for part in node.parts if part.operation == "constant"]
        yield from ((column, text) for column in columns for text in texts)
    for part in node.parts:
        yield from _compared(part)
