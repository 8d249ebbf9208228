"""One action of a catalogue: its expressions compiled, and everything else it says, checked and typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from features import clock
from features.errors import UserError, together
from features.expressions import expression as expressions
from features.expressions.expression import Expression
from serving.catalogue import names as catalogue_names
from serving.catalogue.file import Arms, CatalogueFile, Entry, Limit, Sales, Text
from serving.scoring import meanings


@dataclass(frozen=True)
class Action:
    """One thing that can be proposed.

    Attributes:
        id: stable name, also the last tie-break of the ranking.
        kind: one of `KINDS`.
        name: short name.
        text: what to say to the customer.
        eligible: condition over features, scores, `known`, circumstances, assumptions; unknown counts as no.
        propensity: P(the customer does it because of the contact | the contact is noticed), in [0, 1].
        value_cents: gain in cents over `horizon_days` if so, before the contact's cost.
        horizon_days: the days over which the gain is counted.
        places: where it may be proposed.
        channels: through what.
        cross_sell: the answer lists products with it.
        evidence: numbers that its expressions read, the condition's first; reasons name them.
        reads: every column that its expressions read: the evidence and texts like the stage.
        assumptions: the stated assumptions that its expressions read.
        purpose: what the customer has to permit; None: nothing.
        limits: how often one customer is contacted with it.
        capacity: how often all customers together are; None: no bound.
        starts: first local day (days since 1970-01-01) on which it is offered; None: always was.
        ends: last local day on which it is offered; None: has no end.
        lever: weight in the ranking; never makes a bad action good.
        control_share: share of customers who do not get it, so that its effect can be measured.
        experiment: offered only to customers in these arms, while the experiment runs; None: to all.
        effect: the assumption that outcomes correct: what those who were contacted did within the horizon
            against what the control group did; None: where neither visits nor sales show who "does it".
        sales: measure the effect by the margin of what each customer spent; None: by who came at all.
        exempt: of the contact policy only consent, its own limits and capacity, and quiet hours hold it back,
            and no control group goes without it.
    """

    id: str
    kind: str
    name: Text
    text: Text
    eligible: Expression
    propensity: Expression
    value_cents: Expression
    horizon_days: int
    places: tuple[str, ...]
    channels: tuple[str, ...]
    cross_sell: bool
    evidence: tuple[str, ...]
    reads: frozenset[str]
    assumptions: tuple[str, ...]
    purpose: str | None
    limits: tuple[Limit, ...]
    capacity: Limit | None
    starts: int | None
    ends: int | None
    lever: float
    control_share: float
    experiment: Arms | None
    effect: str | None
    sales: Sales | None
    exempt: bool


def build(entry: Entry, parsed: CatalogueFile) -> Action:
    """Compile an entry of a file whose names have been checked.

    Raises:
        UserError: an expression is not valid, or its effect changes nothing; each sentence names the
            action.
    """
    parts = _expressions(entry, parsed)
    _check_probability(entry, parts["propensity"], parsed)
    if entry.effect is not None and entry.effect not in parts["propensity"].names:
        raise UserError(
            f"action {entry.id!r}: effect {entry.effect!r} is not read by its propensity "
            f"({entry.propensity}): outcomes would correct nothing. Name an assumption that is."
        )
    unique = tuple(
        dict.fromkeys(name for field in parts for name in _in_order(parts[field], getattr(entry, field)))
    )
    reads = tuple(name for name in unique if name not in parsed.assumptions)
    return Action(
        id=entry.id,
        kind=entry.kind,
        name=entry.name,
        text=entry.text,
        eligible=parts["eligible"],
        propensity=parts["propensity"],
        value_cents=parts["value_cents"],
        horizon_days=entry.horizon_days,
        places=tuple(entry.places),
        channels=tuple(dict.fromkeys(entry.channels)),
        cross_sell=entry.cross_sell,
        evidence=tuple(name for name in reads if name not in catalogue_names.TEXTS),
        reads=frozenset(reads),
        assumptions=tuple(name for name in unique if name in parsed.assumptions),
        purpose=entry.purpose or parsed.policy.purpose,
        limits=tuple(entry.limits),
        capacity=entry.capacity,
        starts=_day(entry.starts),
        ends=_day(entry.ends),
        lever=entry.lever,
        control_share=entry.control_share,
        experiment=entry.experiment,
        effect=entry.effect,
        sales=entry.sales,
        exempt=entry.kind in parsed.policy.exempt_kinds,
    )


def _day(when: date | None) -> int | None:
    return None if when is None else clock.to_day(when)


def _expressions(entry: Entry, parsed: CatalogueFile) -> dict[str, Expression]:
    """The three expressions of an action, checked."""
    known = {*meanings.meanings(), *catalogue_names.meanings(parsed), *parsed.assumptions}
    parts: dict[str, Expression] = {}
    kinds: dict[str, Literal["boolean", "number"]] = {
        "eligible": "boolean",
        "propensity": "number",
        "value_cents": "number",
    }
    wrong = []
    for field, kind in kinds.items():
        try:
            parts[field] = expressions.parse(
                getattr(entry, field), known, kind=kind, texts=catalogue_names.TEXTS
            )
            catalogue_names.check_literals(parts[field], parsed)
        except UserError as error:
            wrong.append(error.under(f"action {entry.id!r}: {field}"))
    if wrong:
        raise together(wrong)
    return parts


def _check_probability(entry: Entry, propensity: Expression, parsed: CatalogueFile) -> None:
    """A propensity that is the same for every customer is known now."""
    if not propensity.names <= parsed.assumptions.keys():
        return
    columns = {name: np.array([item.value]) for name, item in parsed.assumptions.items()}
    value = float(propensity.evaluate(columns)[0])
    if not 0 <= value <= 1:
        raise UserError(
            f"action {entry.id!r}: propensity: {entry.propensity} is {value:g}, not a probability. "
            "Give a number from 0 to 1."
        )


def _in_order(expression: Expression, text: str) -> list[str]:
    """The names of an expression as they first appear in its text."""
    words = re.findall(r"\w+", text.lower())
    return sorted(expression.names, key=lambda name: words.index(name) if name in words else len(words))
