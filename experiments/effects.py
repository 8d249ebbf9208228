"""What actions do, measured: customers who were contacted beside those whom a control group held back.

A case is a customer for whom an action would have stood first. Whoever it was shown to is compared with
whoever a control group went without it; success is a visit within the action's horizon after the decision's
day or, for an action that names `sales`, the margin of what was spent then. Which group a customer is in is a
hash, so that the groups differ by the contact alone as long as what is shown does not depend on what the
customer would do anyway: where proposals are shown only to some of those for whom they were made, they have
to be chosen without regard to that, or be asked for where the contact is.

Two kinds of cases are compared apart and pooled by precision: those with nothing else to propose, held back
by the action's own control group or by the holdout; and those with something else, held back by the holdout
alone, for an action's own control group gets that something. A holdout goes without everything all the time:
what is measured is the action with whatever follows it within the horizon. Of a customer and an action the
first case counts, so that customers are independent; decisions whose first place chance gave to another
action count for none. See `serving.decisions.effects` for the formulas and the belief that comes of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.cases import Case, Visits
from features import clock
from features.canonical import Canonical
from features.workspace import Workspace
from serving.catalogue import actions
from serving.catalogue.actions import Action, Catalogue
from serving.contacts.standing import ACCEPTED, REDEEMED
from serving.decisions import effects
from serving.decisions.effects import Accepted, Belief, Effects, Measured
from serving.outcomes import joined
from serving.outcomes.joined import CONTROL_RULES
from serving.outcomes.store import Outcome, OutcomeStore
from serving.records.record import Record

_ANSWERED: Final = frozenset({ACCEPTED, REDEEMED})


@dataclass(frozen=True)
class Estimate:
    """What outcomes say of one action.

    Attributes:
        action: the action.
        effect: the assumption that they correct.
        prior: what the catalogue believes.
        measured: the comparisons, one for each kind of case that both groups have.
        posterior: what is believed after all outcomes of the effect.
        contacted: customers who were contacted and whose horizon has ended.
        control: customers who were held back and whose horizon has ended.
        kind: of the action: that of win-back actions is the success of winning back.
        came: share of the contacted who came within the horizon, of the kinds of cases that both groups have;
            None without any.
        came_control: share of the held back who did, the kinds of cases weighted as the contacted have them.
        spent_cents: mean money that the contacted spent within the horizon, likewise.
        spent_cents_control: that of the held back, likewise.
    """

    action: str
    effect: str
    prior: Belief
    measured: tuple[Measured, ...]
    posterior: Belief
    contacted: int
    control: int
    kind: str
    came: float | None
    came_control: float | None
    spent_cents: float | None
    spent_cents_control: float | None

    @property
    def estimate(self) -> Belief | None:
        """The outcomes alone, pooled: mean and standard error; None without any."""
        if not self.measured:
            return None
        weights = np.array([1 / one.error**2 for one in self.measured])
        mean = np.average([one.estimate for one in self.measured], weights=weights)
        return Belief(float(mean), float(weights.sum() ** -0.5), 1.0, self.contacted + self.control)


@dataclass
class Gathered:
    """What decisions with their outcomes show, before any visit is looked at.

    Attributes:
        cases: by action, the first of each customer.
        accepted: by action, contacts that were accepted.
        expected: by action, how many were expected to, by the expression alone.
    """

    cases: dict[str, dict[str, Case]] = field(default_factory=lambda: defaultdict(dict))
    accepted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    expected: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, record: Record, outcomes: Sequence[Outcome], customer: str) -> None:
        """Take in a decision."""
        worth = [pair for pair in record.considered if _could_stand(pair)]
        if not worth:
            return
        best = max(worth, key=lambda pair: float(pair["score"]))
        action, rule = str(best["action_id"]), best.get("dropped")
        others = {pair["action_id"] for pair in worth} - {action}
        kinds = {one.kind for one in outcomes if one.action_id == action}
        exposure = float(best["propensity"]) / float(best["multiplier"])
        if rule is None and (record.first[0] != action or not kinds):
            return
        if rule is None:
            self.accepted[action] += bool(kinds & _ANSWERED)
            self.expected[action] += exposure
        elif rule == "control" and others:
            return
        day = clock.to_day(clock.parse_date(record.as_of))
        value, multiplier = float(best.get("value_cents") or 0), float(best["multiplier"])
        # An action that had no effect then was recorded with 1, or a factor: no effect is believed to be 1.
        case = Case(action, customer, day, rule is None, not others, exposure, value, multiplier != 1)
        known = self.cases[action].get(customer)
        if known is None or case.day < known.day:
            self.cases[action][customer] = case


def _could_stand(pair: Any) -> bool:
    """Whether a pair was offered, or would have been but for a control group; old records do not say."""
    dropped = pair.get("dropped")
    numbered = (pair.get("score") or 0) > 0 and (pair.get("multiplier") or 0) > 0
    return numbered and (dropped is None or dropped in CONTROL_RULES)


def gather(
    decided: Iterable[tuple[Record, Sequence[Outcome]]], customers: dict[str, str] | None = None
) -> Gathered:
    """The cases of decisions.

    Args:
        decided: decisions with what came of them.
        customers: today's id of a customer by the one of then, where it has changed.
    """
    found = Gathered()
    for record, outcomes in decided:
        own = record.customer_id
        found.add(record, outcomes, own if customers is None else customers.get(own, own))
    return found


def estimate(catalogue: Catalogue, gathered: Gathered, visits: Visits) -> list[Estimate]:
    """What outcomes say of every action with an effect, by action id."""
    compared = {
        action.id: _compared(catalogue, action, [*gathered.cases.get(action.id, {}).values()], visits)
        for action in catalogue.actions
        if action.effect is not None
    }
    measured = [one for each in compared.values() for one in each.measured]
    prior, after = Effects.prior(catalogue), Effects.after(catalogue, measured, ())
    return [
        Estimate(
            action=action.id,
            effect=action.effect,
            prior=prior.beliefs[action.effect],
            measured=tuple(compared[action.id].measured),
            posterior=after.beliefs[action.effect],
            contacted=compared[action.id].contacted,
            control=compared[action.id].control,
            kind=action.kind,
            came=compared[action.id].came,
            came_control=compared[action.id].came_control,
            spent_cents=compared[action.id].spent,
            spent_cents_control=compared[action.id].spent_control,
        )
        for action in catalogue.actions
        if action.effect is not None
    ]


class _Compared(NamedTuple):
    """What `Estimate` says of one action's cases."""

    measured: list[Measured]
    contacted: int
    control: int
    came: float | None
    came_control: float | None
    spent: float | None
    spent_control: float | None


def _compared(catalogue: Catalogue, action: Action, cases: list[Case], visits: Visits) -> _Compared:
    """The comparisons of an action, and its cases whose horizon has ended."""
    ended = [case for case in cases if case.corrected and case.day + action.horizon_days < visits.clock_day]
    came, spent = visits.came(ended, action.horizon_days), visits.spent(ended, action.horizon_days)
    contacted = np.array([case.contacted for case in ended], dtype=np.bool_)
    alone = np.array([case.alone for case in ended], dtype=np.bool_)
    exposure = np.array([case.exposure for case in ended])
    margin: NDArray[np.float64] | None = None
    if action.sales is not None:
        margin = np.asarray(spent * catalogue.assumptions[action.sales.margin].value, dtype=np.float64)
        reward = 0.0 if action.sales.reward is None else catalogue.assumptions[action.sales.reward].value
        exposure = exposure * (np.array([case.value_cents for case in ended]) + reward)
    found, rates = [], []
    for kind in (alone, ~alone):
        treated, held = contacted & kind, ~contacted & kind
        if treated.any() and held.any():
            both = [float(values[group].mean()) for values in (came, spent) for group in (treated, held)]
            rates.append((int(treated.sum()), *both))
        gains = float(exposure[treated].mean()) if treated.any() else 0.0
        if margin is not None:
            one = effects.measure_sales(action, margin[treated], margin[held], gains)
        else:
            one = effects.measure(
                action,
                (int(came[treated].sum()), int(treated.sum())),
                (int(came[held].sum()), int(held.sum())),
                gains,
            )
        if one is not None:
            found.append(one)
    weights, *columns = zip(*rates, strict=True) if rates else ((), (), (), (), ())
    shares = [float(np.average(rate, weights=weights)) if rates else None for rate in columns]
    return _Compared(found, int(contacted.sum()), int((~contacted).sum()), *shares)


def run(workspace: Workspace, catalogue: Catalogue | None = None) -> list[Estimate]:
    """Measure the effects of a workspace's actions and keep what was found.

    Raises:
        UserError: the workspace has no tables, the catalogue is not valid, or records cannot be read.
    """
    canonical = Canonical.open(workspace)
    known = actions.load(actions.choose(workspace.root)) if catalogue is None else catalogue
    with closing(OutcomeStore.of(workspace).records) as records:
        gathered = gather(joined.pairs(OutcomeStore(records, workspace)), canonical.joined())
    found = estimate(known, gathered, Visits.read(canonical))
    accepted = [
        Accepted(action, gathered.accepted[action], expected)
        for action, expected in sorted(gathered.expected.items())
    ]
    measured = [one for each in found for one in each.measured]
    effects.keep(workspace.effects, canonical.clock_day, measured, accepted)
    return found
