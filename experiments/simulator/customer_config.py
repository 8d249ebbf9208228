"""The part of a world's configuration that is about customers: who they are, how they come and leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from experiments.simulator import limits
from experiments.simulator.codes import Stage
from features.errors import UserError

PERSON: Final = "person"
ORGANISATION: Final = "organisation"
WEEK: Final = 7
HOURS: Final = 24
MOST_DAYS: Final = 50 * 365
MOST_MONTHS: Final = 50 * 12
MOST_A_WEEK: Final = 28
"""Visits of a mean customer: one who comes oftener is no single customer."""


@dataclass(frozen=True)
class Joining:
    """When customers register.

    Attributes:
        before: share of all who had registered before the first day.
        history_days: how far back they had, evenly.
        within_days: the others register evenly over this many days from the first one.
        household: mean number of persons of a household (geometric).
        largest_household: no household is larger.
    """

    before: float = 0.85
    history_days: int = 1500
    within_days: int = 365
    household: float = 1.3
    largest_household: int = 5

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("joining: before", self.before)
        limits.whole("joining: history_days", self.history_days, least=1, most=MOST_DAYS)
        limits.whole("joining: within_days", self.within_days, least=1, most=MOST_DAYS)
        limits.number("joining: household", self.household, least=1, most=limits.MOST_FACTOR)
        limits.whole("joining: largest_household", self.largest_household, least=1)


@dataclass(frozen=True)
class Segment:
    """A group of customers who are alike in how they behave; each still differs from the others of it.

    Attributes:
        name: what it is called.
        share: of all customers.
        kind: `person` or `organisation`.
        visits_per_week: mean over those who are not dormant, in the stable stage.
        visits_shape: shape of the gamma distribution of that rate; smaller is more unequal.
        dormant: share who registered and never buy.
        regularity: mean shape of the gaps between visits: 1 comes at random, 3 like clockwork.
        anchor: category that most visits are for.
        anchor_share: chance that a visit has it.
        extras: mean number of other lines of a visit.
        extras_shape: shape of the gamma distribution of that mean between customers.
        spend: factor on the measured quantities (litres) of a line.
        spend_spread: standard deviation of the logarithm of that factor between customers.
        price_sensitivity: mean price elasticity of visits: 0.5 means 5 % fewer at a 10 % higher price.
        weekdays: seven weights, Monday first.
        hours: 24 weights of the local hours.
        vehicles: mean number of vehicles, 0 for none; above 1 every customer has one, and further ones are
            Poisson. Each has a plate of its own, which pools are told one by one (`outlet_config.Pool`).
        vehicle: what they are: car, lorry, motorcycle.
        bound: share with a contract that holds them for a term; where it is above 0, the others have a free
            one.
        billed: whether they get the monthly bills; who does, and has a contract, cancels it when leaving.
        taste: factor on the weight of a category, where it is not 1.
    """

    name: str
    share: float
    visits_per_week: float
    anchor: str
    kind: str = PERSON
    visits_shape: float = 1.0
    dormant: float = 0.0
    regularity: float = 1.0
    anchor_share: float = 0.9
    extras: float = 0.8
    extras_shape: float = 1.0
    spend: float = 1.0
    spend_spread: float = 0.3
    price_sensitivity: float = 0.3
    weekdays: tuple[float, ...] = (1.0,) * WEEK
    hours: tuple[float, ...] = (1.0,) * HOURS
    vehicles: float = 0.0
    vehicle: str = "car"
    bound: float = 0.0
    billed: bool = False
    taste: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        where = f"segment {self.name!r}"
        limits.known(f"kind of {where}", self.kind, (PERSON, ORGANISATION))
        for name in ("share", "dormant", "anchor_share", "bound"):
            limits.share(f"{where}: {name}", getattr(self, name))
        for name in ("visits_shape", "extras_shape"):
            limits.above(f"{where}: {name}", getattr(self, name), most=limits.MOST)
        limits.above(f"{where}: spend", self.spend, most=limits.MOST_FACTOR)
        limits.number(f"{where}: spend_spread", self.spend_spread, least=0, most=limits.MOST_SPREAD)
        for name in ("extras", "vehicles"):
            limits.number(f"{where}: {name}", getattr(self, name), least=0, most=limits.MOST_FACTOR)
        most = limits.MOST_ELASTICITY
        limits.number(f"{where}: price_sensitivity", self.price_sensitivity, least=0, most=most)
        limits.distinct(f"vehicle of {where}", [self.vehicle])
        limits.number(f"{where}: visits_per_week", self.visits_per_week, least=0, most=MOST_A_WEEK)
        limits.number(f"{where}: regularity", self.regularity, least=1, most=5)
        limits.weights(f"{where}: weekdays", self.weekdays, count=WEEK)
        limits.weights(f"{where}: hours", self.hours, count=HOURS)
        for category, factor in self.taste.items():
            limits.number(f"{where}: taste of {category!r}", factor, least=0, most=limits.MOST)


@dataclass(frozen=True)
class StageRule:
    """What a stage of the life cycle does to a customer.

    Attributes:
        visits: factor on the visit rate.
        moves: stage -> hazard of moving there, a day.
    """

    visits: float
    moves: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LifeCycle:
    """The stages (S6) and what raises or lowers the hazards of going down.

    Attributes:
        stages: name in small letters -> its rule; `gone` has none.
        frailty: standard deviation of the logarithm of each customer's own factor on the hazards downward.
        price: elasticity of the hazards downward in the price, times the customer's own sensitivity.
        grievance: added to a factor of 1 on the hazards downward on the day of a complaint or bad rating.
        grievance_days: half-life of that.
    """

    stages: Mapping[str, StageRule]
    frailty: float = 0.5
    price: float = 1.0
    grievance: float = 2.0
    grievance_days: float = 21.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        lived = [stage.name.lower() for stage in Stage if stage is not Stage.GONE]
        for name, rule in self.stages.items():
            limits.known("stage of the life cycle", name, lived)
            limits.number(f"stage {name!r}: visits", rule.visits, least=0, most=limits.MOST_FACTOR)
            for target, hazard in rule.moves.items():
                limits.known(
                    f"stage that {name!r} moves to", target, (*(x for x in lived if x != name), "gone")
                )
                limits.share(f"stage {name!r}: hazard of moving to {target!r}", hazard)
            if sum(rule.moves.values()) > 1:
                raise UserError(f"stage {name!r}: its hazards add up to more than 1 a day. Lower them.")
        if missing := [name for name in lived if name not in self.stages]:
            raise UserError(f"the life cycle has no stage {missing[0]!r}. Add it.")
        for name, most in (
            ("frailty", limits.MOST_SPREAD),
            ("price", limits.MOST_ELASTICITY),
            ("grievance", limits.MOST_FACTOR),
        ):
            limits.number(f"life_cycle: {name}", getattr(self, name), least=0, most=most)
        limits.above("life_cycle: grievance_days", self.grievance_days, most=limits.MOST)


@dataclass(frozen=True)
class ContractTerms:
    """Contracts of those whom a term binds (S31).

    Attributes:
        category: of the plan, whose price is the monthly fee: the customer's favourite in it; empty: no fee.
        months: the terms on offer, equally likely.
        renew: chance of renewal on the day of expiry; else the contract goes on unbound.
        bound: factor on the hazards downward while a term binds.
        window: the same for `window_days` after a term ended without renewal: the moment to leave.
        window_days: how long that moment lasts.
    """

    category: str = ""
    months: tuple[int, ...] = (12, 24)
    renew: float = 0.6
    bound: float = 0.2
    window: float = 3.0
    window_days: int = 45

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        if not self.months:
            raise UserError("no term of contracts is given; one or more are needed.")
        for months in self.months:
            limits.whole("contracts: a term of months", months, least=1, most=MOST_MONTHS)
        limits.share("contracts: renew", self.renew)
        for name in ("bound", "window"):
            limits.number(f"contracts: {name}", getattr(self, name), least=0, most=limits.MOST_FACTOR)
        limits.whole("contracts: window_days", self.window_days, least=1)
