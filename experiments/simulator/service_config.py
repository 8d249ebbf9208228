"""What goes wrong between a business and its customers, and what they say about it."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.simulator import limits
from experiments.simulator.codes import Reason
from features.errors import UserError


@dataclass(frozen=True)
class Complaints:
    """How often visits end in a complaint, and how it is settled (S27).

    Attributes:
        chance: of a visit, for a customer of mean touchiness in a store of mean quality.
        touchiness_shape: shape of the gamma distribution of touchiness; smaller is more unequal.
        stores_spread: standard deviation of the logarithm of the stores' own factors.
        deadline_hours: until which a complaint has to be settled, by its level, the most urgent first.
        levels: weights of the levels.
        reasons: weights of what complaints are about, in the order of `codes.Reason`.
        in_time: chance that it is settled by a member of staff before its deadline; else it is a week later.
    """

    chance: float = 0.002
    touchiness_shape: float = 0.5
    stores_spread: float = 0.5
    deadline_hours: tuple[int, ...] = (24, 48, 72)
    levels: tuple[float, ...] = (0.1, 0.3, 0.6)
    reasons: tuple[float, ...] = (0.2, 0.15, 0.5, 0.15)
    in_time: float = 0.85

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        for name in ("chance", "in_time"):
            limits.share(f"complaints: {name}", getattr(self, name))
        limits.above("complaints: touchiness_shape", self.touchiness_shape, most=limits.MOST)
        limits.number("complaints: stores_spread", self.stores_spread, least=0, most=limits.MOST_SPREAD)
        for hours in self.deadline_hours:
            limits.whole("complaints: a number of deadline_hours", hours, least=1)
        limits.weights("complaints: levels", self.levels, count=len(self.deadline_hours))
        limits.weights("complaints: reasons", self.reasons, count=len(Reason))


@dataclass(frozen=True)
class Ratings:
    """How visits are rated, from 1 to `best`.

    Attributes:
        chance: that a visit is rated.
        best: highest score.
        mean: of the scores of content customers.
        customers_spread: standard deviation between customers.
        visits_spread: standard deviation between visits of one customer.
        stores: taken off where complaints are e times as frequent as in a mean store.
        sore: taken off while a complaint is not settled, and half of it afterwards.
    """

    chance: float = 0.02
    best: int = 5
    mean: float = 4.2
    customers_spread: float = 0.5
    visits_spread: float = 0.7
    stores: float = 0.3
    sore: float = 2.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("ratings: chance", self.chance)
        limits.whole("ratings: best", self.best, least=2)
        limits.number("ratings: mean", self.mean, least=1, most=self.best)
        for name in ("customers_spread", "visits_spread", "stores", "sore"):
            limits.number(f"ratings: {name}", getattr(self, name), least=0, most=limits.MOST_FACTOR)


@dataclass(frozen=True)
class Surveys:
    """Who says, some days after having left, why (S9).

    A reason is given in proportion to its weight below, times what is true of the customer: that of price by
    the sensitivity to prices, that of service by complaints.

    Attributes:
        chance: that a customer who has left is reached and answers.
        after_days: days after leaving, from and until.
        price: weight of price and promotion.
        brand: weight of a brand or value that is not accepted.
        service: weight of the service on site.
        convenience: weight of not being convenient.
        complained: added to a factor of 1 on the weight of service for each complaint.
        disappointed: taken off the score, compared with a rating of a visit.
    """

    chance: float = 0.15
    after_days: tuple[int, int] = (7, 30)
    price: float = 0.4
    brand: float = 0.2
    service: float = 0.15
    convenience: float = 0.25
    complained: float = 4.0
    disappointed: float = 1.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("surveys: chance", self.chance)
        if len(self.after_days) != len(("from", "until")):
            days = list(self.after_days)
            raise UserError(f"surveys: after_days is {days}; it has to be two numbers, from and until.")
        first, last = self.after_days
        limits.whole("surveys: the first of after_days", first, least=1)
        limits.whole("surveys: the last of after_days", last, least=first)
        limits.weights("surveys: weights of the reasons", self.weights)
        for name in ("complained", "disappointed"):
            limits.number(f"surveys: {name}", getattr(self, name), least=0, most=limits.MOST_FACTOR)

    @property
    def weights(self) -> tuple[float, float, float, float]:
        """Of the reasons, in the order of `codes.Reason`."""
        return (self.price, self.brand, self.service, self.convenience)


@dataclass(frozen=True)
class ServiceConfig:
    """Complaints, ratings, exit surveys and referrals.

    Attributes:
        complaints: how often, and how they are settled.
        ratings: how visits are rated.
        surveys: why customers left, as they say.
        referrals: chance that a new customer names who of the cohort brought them; it counts if that is a
            customer (S23).
    """

    complaints: Complaints = Complaints()
    ratings: Ratings = Ratings()
    surveys: Surveys = Surveys()
    referrals: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("service: referrals", self.referrals)
