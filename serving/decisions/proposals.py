"""What was decided for one customer, in words: ranked actions with their numbers and reasons."""

from __future__ import annotations

import math

from serving.catalogue.actions import Action
from serving.decisions.decided import Choice, Decisions
from serving.messages import schemas
from serving.scoring import meanings, scores


def actions(
    decided: Decisions, limit: int | None, currency: str, language: str
) -> list[schemas.ActionAnswer]:
    """The ranked actions of the first customer, in words."""
    return [_action(decided, choice, currency, language) for choice in decided.ranked(0, limit)]


def reasons(
    decided: Decisions, action: Action, row: int, currency: str, language: str = "en"
) -> list[schemas.Reason]:
    """The numbers that an action's expressions read, with this customer's known values."""
    found, own = [], decided.offers.catalogue.meanings
    for name in action.evidence:
        value = float(decided.columns[name][row])
        # "Seen before: 1" is true of nearly all; that somebody was not seen is a reason.
        if math.isnan(value) or (name == scores.KNOWN and value == 1):
            continue
        found.append(
            schemas.Reason(
                feature=name,
                value=value,
                unit=(own.get(name) or meanings.meanings()[name]).unit,
                text=meanings.sentence(name, value, currency, language, own=own),
            )
        )
    return found


def _action(decided: Decisions, choice: Choice, currency: str, language: str) -> schemas.ActionAnswer:
    action, channel = choice.action, decided.offers.catalogue.channels[choice.channel]
    belief, quiet = decided.believed.effects.of(action), channel.quiet_hours
    return schemas.ActionAnswer(
        rank=choice.rank,
        action_id=action.id,
        kind=action.kind,
        name=action.name.in_language(language),
        text=action.text.in_language(language),
        channel=choice.channel,
        expected_value_cents=choice.expected_value_cents,
        propensity=choice.propensity,
        value_cents=round(choice.value_cents),
        cost_cents=channel.cost_cents,
        horizon_days=action.horizon_days,
        spread_cents=round(choice.spread_cents),
        score=choice.score,
        value_basis="assumed" if belief is None else belief.basis,
        effect=None
        if belief is None
        else schemas.EffectAnswer(
            name=str(action.effect),
            mean=belief.mean,
            spread=belief.spread,
            weight=belief.weight,
            outcomes=belief.outcomes,
        ),
        assumptions={name: decided.believed.assumptions[name] for name in action.assumptions},
        send_between=None if quiet is None else schemas.Between(begins=quiet.ends, ends=quiet.begins),
        reasons=reasons(decided, action, 0, currency, language),
        cross_sell=action.cross_sell,
    )
