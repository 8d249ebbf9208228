"""What an action does: the catalogue's belief, corrected by outcomes against control groups.

An effect is a named assumption of the catalogue with a prior, normal with `value` as mean and `spread` as
standard deviation. `nextbest experiments effects` measures it and keeps the measurements; the belief after
them is made here, from today's catalogue, so that a prior that is edited counts at once.

    estimate = (successes/contacted - successes/control) / exposure
    error    = sqrt(p1 (1 - p1) / (n1 + 2) + p0 (1 - p0) / (n0 + 2)) / exposure
    weight   = spread^2 / (spread^2 + error^2)
    mean     = (1 - weight) x prior mean + weight x estimate,   spread = prior spread x sqrt(1 - weight)

`exposure` is what the success rate gains per unit of the effect: the mean of propensity / effect over the
contacted. Where "does it" is no visit, the margin of what each customer spent takes the place of success:

    estimate = (mean margin/contacted - mean margin/control) / exposure
    error    = sqrt(s1^2 / n1 + s0^2 / n0) / exposure

with the margin that a unit of the effect gains as exposure, the groups' own variances (Welch 1947), and no
estimate from fewer than 30 of a group. The error of rates is that of Agresti and Caffo (2000), with p =
(successes + 1) / (n + 2) in both groups, which is never 0; the belief after it is the normal model with known
variance (Gelman et al., Bayesian Data Analysis, 2.5). Several actions that share an effect are measured apart
and pooled by precision. A mean below 0 counts as 0 in decisions, where a negative chance would be none.

Where no effect is declared, nothing is measured against a control group, and all that outcomes can say is
whether fewer customers accept than are believed to do it because of the contact: `factor` is the smaller of 1
and (a + accepted) / (a + expected), the mean of a Poisson rate under a gamma prior of mean 1 that weighs as
much as a = 20 expected acceptances. Who accepts may have come anyway, so that many acceptances prove nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from serving.catalogue.actions import Action, Catalogue
from serving.catalogue.file import Assumption

FORMAT: Final = 1
ACCEPTANCES: Final = 20.0
# The share of outcomes in a belief from which it is called estimated rather than assumed.
MOSTLY: Final = 0.5
# Of fewer customers nobody knows how much their spending varies.
ENOUGH: Final = 30

Basis = Literal["assumed", "estimated"]


@dataclass(frozen=True)
class Measured:
    """One action's effect as outcomes show it.

    Attributes:
        action: the action.
        effect: the assumption that it measures.
        estimate: of the effect, in the assumption's unit.
        error: its standard error, above 0.
        contacted: customers who were contacted.
        control: customers who were held back.
    """

    action: str
    effect: str
    estimate: float
    error: float
    contacted: int
    control: int


@dataclass(frozen=True)
class Accepted:
    """How often an action was accepted, beside how often that was expected.

    Attributes:
        action: the action.
        accepted: contacts that were accepted.
        expected: the sum of the propensities of all its contacts.
    """

    action: str
    accepted: int
    expected: float

    @property
    def factor(self) -> float:
        """What the action's propensity is multiplied by, above 0 and at most 1."""
        return min(1.0, (ACCEPTANCES + self.accepted) / (ACCEPTANCES + self.expected))


@dataclass(frozen=True)
class Belief:
    """What is believed of an effect.

    Attributes:
        mean: its mean, of the assumption's unit.
        spread: its standard deviation.
        weight: share of the outcomes in it, 0 (all assumed) to 1.
        outcomes: customers, contacted and held back, behind that share.
    """

    mean: float
    spread: float
    weight: float = 0.0
    outcomes: int = 0

    @property
    def basis(self) -> Basis:
        """Whether it rests mostly on outcomes."""
        return "estimated" if self.weight >= MOSTLY else "assumed"

    @property
    def used(self) -> float:
        """The mean as decisions use it: not below 0."""
        return max(self.mean, 0.0)


@dataclass(frozen=True)
class Effects:
    """The beliefs of a catalogue's effects.

    Attributes:
        beliefs: by assumption, those that are some action's effect.
        factors: by action without an effect, what its propensity is multiplied by; 1 for all others.
        as_of: first day of whose outcomes nothing was read; None when none were read at all.
    """

    beliefs: Mapping[str, Belief]
    factors: Mapping[str, float] = field(default_factory=dict)
    as_of: int | None = None

    @property
    def version(self) -> str | None:
        """First 12 hex digits of a hash of the beliefs; None for the catalogue's own."""
        if self.as_of is None:
            return None
        return hashlib.sha256(repr((sorted(self.beliefs.items()), self.factors)).encode()).hexdigest()[:12]

    @classmethod
    def prior(cls, catalogue: Catalogue) -> Effects:
        """The catalogue's own beliefs."""
        return cls.after(catalogue, (), ())

    @classmethod
    def after(
        cls,
        catalogue: Catalogue,
        measured: Iterable[Measured],
        accepted: Iterable[Accepted],
        as_of: int | None = None,
    ) -> Effects:
        """The catalogue's beliefs after measurements; those of other effects or actions are passed over."""
        found = list(measured)
        beliefs = {
            name: posterior(catalogue.assumptions[name], [item for item in found if item.effect == name])
            for name in {action.effect for action in catalogue.actions}
            if name is not None
        }
        without = {action.id for action in catalogue.actions if action.effect is None}
        factors = {item.action: item.factor for item in accepted if item.action in without}
        return cls(beliefs, factors, as_of)

    @classmethod
    def read(cls, file: Path, catalogue: Catalogue) -> Effects:
        """The beliefs after what a file holds.

        Args:
            file: what `keep` wrote; there may be none.
            catalogue: the priors.

        Raises:
            UserError: the file is not one of measurements, or of a newer format.
        """
        content = read_json(file)
        if not content:
            return cls.prior(catalogue)
        if content.get("format") != FORMAT:
            raise UserError(
                f"{file} is of format {content.get('format')}, not {FORMAT}. "
                "Run `nextbest experiments effects` again.",
                ExitCode.NOT_BUILT,
            )
        try:
            measured = [Measured(**item) for item in content["measured"]]
            accepted = [Accepted(**item) for item in content["accepted"]]
            as_of = clock.to_day(clock.parse_date(content["as_of"], name="as_of"))
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{file} does not hold measurements ({error}). Run `nextbest experiments effects` again.",
                ExitCode.NOT_BUILT,
            ) from None
        return cls.after(catalogue, measured, accepted, as_of)

    def carried(self, catalogue: Catalogue) -> Effects:
        """The same beliefs and factors for another catalogue, as far as it has them; its own for the rest."""
        own, actions = Effects.prior(catalogue).beliefs, {action.id for action in catalogue.actions}
        return replace(
            self,
            beliefs={name: self.beliefs.get(name, belief) for name, belief in own.items()},
            factors={action: factor for action, factor in self.factors.items() if action in actions},
        )

    def at(self, as_of: int) -> Effects | None:
        """The beliefs for a decision as of a day; None, the catalogue's own, if they read later outcomes."""
        return self if self.as_of is None or self.as_of <= as_of else None

    def of(self, action: Action) -> Belief | None:
        """The belief of an action's effect; None for an action that declares none."""
        return None if action.effect is None else self.beliefs[action.effect]

    def basis(self, action: Action) -> Basis:
        """Whether an action's value rests on assumptions or on outcomes."""
        belief = self.of(action)
        return "assumed" if belief is None else belief.basis


def keep(file: Path, as_of: int, measured: Iterable[Measured], accepted: Iterable[Accepted]) -> None:
    """Write measurements that read nothing of `as_of` or later; readers see the old file or the new."""
    content = {
        "format": FORMAT,
        "as_of": str(clock.to_date(as_of)),
        "measured": [asdict(item) for item in measured],
        "accepted": [asdict(item) for item in accepted],
    }
    write_json(file, content)


def measure(
    action: Action, contacted: tuple[int, int], control: tuple[int, int], exposure: float
) -> Measured | None:
    """An action's effect from successes and customers of both groups; None where it cannot be told.

    Args:
        action: with a declared effect.
        contacted: successes and customers.
        control: likewise, of those held back.
        exposure: what the success rate gains per unit of the effect, above 0.
    """
    (won, n1), (won_anyway, n0) = contacted, control
    if not n1 or not n0 or exposure <= 0 or action.effect is None:
        return None
    p1, p0 = (won + 1) / (n1 + 2), (won_anyway + 1) / (n0 + 2)
    error = math.sqrt(p1 * (1 - p1) / (n1 + 2) + p0 * (1 - p0) / (n0 + 2)) / exposure
    return Measured(action.id, action.effect, (won / n1 - won_anyway / n0) / exposure, error, n1, n0)


def measure_sales(
    action: Action, contacted: NDArray[np.float64], control: NDArray[np.float64], exposure: float
) -> Measured | None:
    """An action's effect from the margin of each customer of both groups; None where it cannot be told.

    Args:
        action: with a declared effect.
        contacted: cents of margin within the horizon, of each who was contacted.
        control: likewise, of each who was held back.
        exposure: cents that a unit of the effect gains per customer, above 0.
    """
    n1, n0 = len(contacted), len(control)
    if min(n1, n0) < ENOUGH or exposure <= 0 or action.effect is None:
        return None
    error = math.sqrt(contacted.var(ddof=1) / n1 + control.var(ddof=1) / n0) / exposure
    estimate = float(contacted.mean() - control.mean()) / exposure
    return Measured(action.id, action.effect, estimate, error, n1, n0) if error else None


def posterior(prior: Assumption, measured: Iterable[Measured]) -> Belief:
    """The belief after measurements; a prior without a spread is certain of itself."""
    found = list(measured)
    spread = prior.spread or 0.0
    if not found or not spread:
        return Belief(prior.value, spread)
    precision = sum(1 / item.error**2 for item in found)
    estimate = sum(item.estimate / item.error**2 for item in found) / precision
    weight = spread**2 / (spread**2 + 1 / precision)
    return Belief(
        mean=(1 - weight) * prior.value + weight * estimate,
        spread=spread * math.sqrt(1 - weight),
        weight=weight,
        outcomes=sum(item.contacted + item.control for item in found),
    )
