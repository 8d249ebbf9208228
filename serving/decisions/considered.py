"""What a decision considered, told: in the answer, what was dropped and why; in the record, every pair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from serving.decisions import rules as said
from serving.decisions.contact_policy import Mask
from serving.decisions.decided import LARGEST, Decisions
from serving.decisions.rules import IDS, SENTENCES, Rule

# Under every other rule a pair's numbers decide nothing; those of a control group say what it goes without.
NUMBERED: Final = frozenset(
    {Rule.OFFERED, Rule.CAPACITY, Rule.HOLDOUT, Rule.CONTROL, Rule.NOT_ABOVE_ZERO, Rule.NOT_CREDIBLE}
)
_NUMBERED: Final = np.array([rule in NUMBERED for rule in Rule])
_FIELDS: Final = {
    Rule.NOT_ELIGIBLE: "eligible",
    Rule.NO_PROPENSITY: "propensity",
    Rule.NO_VALUE: "value_cents",
}


@dataclass(frozen=True)
class Dropped:
    """A pair, or a whole action (channel is None), that was considered and is not proposed, and why.

    Attributes:
        action_id: the action.
        channel: None when the reason holds whatever the channel.
        rule: id of the rule that dropped it; empty for one that a better one or the limit of the list did.
        reason: a sentence.
    """

    action_id: str
    channel: str | None
    rule: str
    reason: str


def dropped(decided: Decisions, row: int, limit: int | None = None, language: str = "en") -> list[Dropped]:
    """What was considered for one customer and is not in `ranked`, by action id and channel."""
    found = []
    listed = {choice.pair for choice in decided.ranked(row, limit)}
    rules = [Rule(value) for value in decided.rule[row].tolist()]
    owners = decided.offers.pair_action.tolist()
    for index, action in enumerate(decided.offers.actions):
        pairs = [pair for pair, owner in enumerate(owners) if owner == index]
        if len({rules[pair] for pair in pairs}) == 1 and rules[pairs[0]] not in NUMBERED - {Rule.CAPACITY}:
            rule = rules[pairs[0]]
            found.append(Dropped(action.id, None, rule.id, _sentence(decided, row, pairs[0], rule, language)))
            continue
        for pair in pairs:
            if pair not in listed:
                rule, channel = rules[pair], decided.offers.pair_channel[pair]
                sentence = (
                    _sentence(decided, row, pair, rule, language)
                    if rule
                    else _worse(decided, row, pair, limit, language)
                )
                found.append(Dropped(action.id, channel, rule.id, sentence))
    return found


def _worse(decided: Decisions, row: int, pair: int, limit: int | None, language: str) -> str:
    """Why a pair that no rule drops is not proposed."""
    value, index = int(decided.expected[row, pair]), int(decided.offers.pair_action[pair])
    channel, best = decided.offers.pair_channel[pair], int(decided.best_pair[row, index])
    shown = decided.order[row, : int(decided.chosen[row])]
    if decided.offers.actions[index].id in decided.bars and index not in shown:
        return said.NOT_FIRST.in_language(language).format(value=value)
    sentence = said.BETTER_CHANNEL if best != pair else said.BEYOND_LIMIT
    better = decided.offers.pair_channel[best]
    return sentence.in_language(language).format(value=value, channel=channel, better=better, limit=limit)


def _sentence(decided: Decisions, row: int, pair: int, rule: Rule, language: str) -> str:
    """What a rule says of a pair."""
    if rule not in _FIELDS:
        sentence = SENTENCES[rule].in_language(language)
        bar = decided.bars.get(decided.offers.actions[decided.offers.pair_action[pair]].id)
        score = float(decided.score[row, pair])
        if rule == Rule.CAPACITY and bar is not None and 0 < score <= bar.score < math.inf:
            return said.SHARED_OUT.in_language(language).format(score=score, bar=bar.score)
        if rule not in {Rule.NOT_ABOVE_ZERO, Rule.NOT_CREDIBLE}:
            return sentence
        value, spread = int(decided.expected[row, pair]), float(decided.spread[row, pair])
        return sentence.format(value=value, spread=spread)
    field = _FIELDS[rule]
    action = decided.offers.actions[decided.offers.pair_action[pair]]
    names = sorted(getattr(action, field).names & decided.columns.keys())
    unknown = ", ".join(name for name in names if _is_unknown(decided.columns[name][row]))
    if rule == Rule.NOT_ELIGIBLE:
        found = said.NOT_KNOWN if unknown else said.NOT_MET
    elif unknown:
        found = said.NOT_COMPUTED
    else:
        found = said.NO_PROBABILITY if rule == Rule.NO_PROPENSITY else said.NO_AMOUNT
    return found.in_language(language).format(field=field, names=unknown)


def _is_unknown(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and math.isnan(value))


def numbered(decided: Decisions, rows: slice = slice(None)) -> Mask:
    """Which pairs are recorded with their numbers: they are known, and no rule made them idle; n x k."""
    known = np.isfinite(decided.propensity[rows]) & (np.abs(decided.value_cents[rows]) <= LARGEST)
    return _NUMBERED[decided.rule[rows]] & known[:, decided.offers.pair_action]


def pairs(decided: Decisions, row: int) -> list[dict[str, Any]]:
    """Every (action, channel) pair of one customer with its numbers or its rule, for the decision record."""
    offers, found = decided.offers, []
    numbers = zip(
        offers.pair_action.tolist(),
        offers.pair_channel,
        decided.rule[row].tolist(),
        numbered(decided, slice(row, row + 1))[0].tolist(),
        (decided.propensity[row][offers.pair_action] * offers.reach).tolist(),
        decided.value_cents[row][offers.pair_action].tolist(),
        decided.expected[row].tolist(),
        decided.spread[row].tolist(),
        offers.weight.tolist(),
        decided.score[row].tolist(),
        strict=True,
    )
    for index, channel, code, with_numbers, propensity, value, expected, spread, weight, score in numbers:
        action = offers.actions[index]
        entry: dict[str, Any] = {"action_id": action.id, "channel": channel}
        if with_numbers:
            entry |= {
                "propensity": propensity,
                "value_cents": value,
                "expected_value_cents": expected,
                "spread_cents": spread,
                "weight": weight,
                "score": score,
                "value_basis": decided.believed.effects.basis(action),
                "multiplier": float(decided.believed.multiplier[index]),
            }
        if code:
            entry["dropped"] = IDS[code]
        found.append(entry)
    return found
