"""What a simulated world is made of: typed and frozen, and checked, so that an impossible world is refused.

Nothing here knows of fuel or telecom: a preset (`presets/*.yaml`, read by `preset_file`) says what customers
there are, what they buy and how often, and a third business is one more file. Money is in currency units
unless a name ends in `_cents`. A hazard is per day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from experiments.simulator import limits
from experiments.simulator.customer_config import ContractTerms, Joining, LifeCycle, Segment
from experiments.simulator.offer_config import Basket, Bills, Category, Network, Promotion
from experiments.simulator.outlet_config import Outlet
from experiments.simulator.service_config import ServiceConfig
from experiments.simulator.treatment_config import TreatmentConfig
from features.clock import to_date, to_day
from features.errors import UserError
from features.labels import LabelDefinitions
from features.source import currency_code

MONTHS: Final = 12
_EARLIEST: Final = 1
"""A day after the first that tables hold, which by UTC may be the day before."""


@dataclass(frozen=True)
class Festival:
    """Days on which customers behave otherwise.

    Attributes:
        name: what it is called.
        days: first day of each time.
        length: days that it lasts.
        visits: factor on visits.
        taste: factor on the weight of a category.
    """

    name: str
    days: tuple[date, ...]
    length: int = 1
    visits: float = 1.0
    taste: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.whole(f"festival {self.name!r}: length", self.length, least=1)
        limits.number(f"festival {self.name!r}: visits", self.visits, least=0, most=limits.MOST_FACTOR)
        for day in self.days:
            limits.day(f"festival {self.name!r}: a day", day)
        for category, factor in self.taste.items():
            limits.above(f"festival {self.name!r}: taste of {category!r}", factor, most=limits.MOST)


@dataclass(frozen=True)
class Calendar:
    """What is the same for everybody on a day.

    Attributes:
        months: twelve factors on visits.
        festivals: days apart from the others.
        noise: standard deviation of the logarithm of a factor of the day (weather), shared by all.
    """

    months: tuple[float, ...] = (1.0,) * MONTHS
    festivals: tuple[Festival, ...] = ()
    noise: float = 0.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.weights("calendar: months", self.months, count=MONTHS)
        limits.number("calendar: noise", self.noise, least=0, most=limits.MOST_SPREAD)


@dataclass(frozen=True)
class WorldConfig:
    """A world.

    Attributes:
        name: what it is called.
        start: first day that is lived.
        segments: groups of customers; their shares make 1.
        life_cycle: stages and hazards.
        categories: what can be bought.
        basket: how baskets are put together.
        zone: IANA time zone of all local days and hours.
        currency: code of the currency.
        joining: when customers register, and households.
        calendar: seasons, festivals, weather.
        promotions: discounts that come again.
        contracts: None: nobody has any.
        bills: None: there are none.
        network: stores and districts.
        treatment: what can be done to customers, and how they take it.
        service: what goes wrong, and what customers say about it.
        outlet: what of the world is written down, and how well.
    """

    name: str
    start: date
    segments: tuple[Segment, ...]
    life_cycle: LifeCycle
    categories: tuple[Category, ...]
    basket: Basket
    zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    joining: Joining = field(default_factory=Joining)
    calendar: Calendar = field(default_factory=Calendar)
    promotions: tuple[Promotion, ...] = ()
    contracts: ContractTerms | None = None
    bills: Bills | None = None
    network: Network = field(default_factory=Network)
    treatment: TreatmentConfig = field(default_factory=TreatmentConfig)
    service: ServiceConfig = field(default_factory=ServiceConfig)
    outlet: Outlet = field(default_factory=Outlet)

    def __post_init__(self) -> None:
        """Refuses parts that do not fit each other.

        Raises:
            UserError: a name is unknown or stands twice, or shares do not make 1.
        """
        limits.day("start", self.start)
        limits.time_zone(self.zone)
        limits.distinct("world", [self.name])
        limits.distinct("currency", [self.currency])
        currency_code(self.currency)
        limits.distinct("segment", [segment.name for segment in self.segments])
        limits.distinct("category", [category.name for category in self.categories])
        limits.whole_of("the shares of the segments", (segment.share for segment in self.segments))
        names = [category.name for category in self.categories]
        for what, name in self._named_categories():
            limits.known(what, name, names)
        for segment in self.segments:
            self._check(segment)
        self._check_that_some_come()
        self._check_history()
        limits.few("places", self.places)
        if self.bills:
            limits.distinct("category of bills", self.bills.categories)
            self._check_place(self.bills.place)
        departments = [category.department for category in self.categories]
        excluded = LabelDefinitions.read(self.outlet.labels).recommendation.excluded_departments
        for name in excluded:
            limits.known("department that recommendations exclude", name, departments)
        for action in self.treatment.actions:
            for name in action.segments:
                limits.known(
                    f"segment of action {action.name!r}", name, [each.name for each in self.segments]
                )

    def _named_categories(self) -> Iterator[tuple[str, str]]:
        """Every place that names a category, and the name."""
        for segment in self.segments:
            yield f"anchor of segment {segment.name!r}", segment.anchor
            yield from (
                (f"category in the taste of segment {segment.name!r}", name) for name in segment.taste
            )
        for festival in self.calendar.festivals:
            yield from ((f"category of festival {festival.name!r}", name) for name in festival.taste)
        for promotion in self.promotions:
            yield f"category of promotion {promotion.name!r}", promotion.category
        if self.contracts and self.contracts.category:
            yield "category of contracts", self.contracts.category
        if self.bills:
            yield from (("category of bills", name) for name in self.bills.categories)

    def _check(self, segment: Segment) -> None:
        """Refuses a segment that needs what this world does not have."""
        where = f"segment {segment.name!r}"
        if segment.bound and self.contracts is None:
            raise UserError(f"{where} is bound, and the world has no contracts. Add them.")
        if segment.billed and self.bills is None:
            raise UserError(f"{where} is billed, and the world has no bills. Add them.")
        if segment.extras and not self._wanted(segment):
            raise UserError(f"{where} has extras and no category that has a weight for it.")

    def _check_that_some_come(self) -> None:
        """Refuses a world in which nothing is ever bought."""
        come = any(each.share * each.visits_per_week * (1 - each.dormant) for each in self.segments)
        if not come or not any(rule.visits for rule in self.life_cycle.stages.values()):
            raise UserError(
                "nobody ever comes: visits_per_week of all segments, or visits of all stages, are 0, or all "
                "customers are dormant. Let some come."
            )

    def _check_history(self) -> None:
        """Refuses customers who registered before all that tables can hold."""
        days = self.joining.history_days
        if self.joining.before and self.first_day - days < _EARLIEST:
            raise UserError(
                f"start is {self.start} and joining: history_days {days}, and tables hold no day before "
                f"{to_date(_EARLIEST)}. Begin later, or have at most {self.first_day - _EARLIEST} of them."
            )

    def _check_place(self, place: str) -> None:
        """Refuses bills that cannot be told from visits."""
        anchors = [segment.anchor for segment in self.segments]
        visited = {each.place for each in self.categories if each.weight or each.name in anchors}
        if place in {*visited, self.basket.online_place}:
            raise UserError(
                f"bills: place is {place!r}, where visits are as well. Give bills one of their own."
            )

    def _wanted(self, segment: Segment) -> bool:
        """Whether something beside the anchor can be bought."""
        return any(
            category.weight * segment.taste.get(category.name, 1.0) > 0 and category.name != segment.anchor
            for category in self.categories
        )

    @property
    def first_day(self) -> int:
        """The first day that is lived, since 1970-01-01."""
        return to_day(self.start)

    @property
    def places(self) -> tuple[str, ...]:
        """Where things are bought: of the categories in their order, then online, then bills."""
        online = [self.basket.online_place] if self.basket.online_place else []
        bills = [self.bills.place] if self.bills else []
        return tuple(dict.fromkeys([*(category.place for category in self.categories), *online, *bills]))

    @property
    def payments(self) -> tuple[str, ...]:
        """Means of payment, as in the basket's section."""
        return tuple(self.basket.payments)

    def category(self, name: str) -> int:
        """Position of the category of that name."""
        return [category.name for category in self.categories].index(name)
