"""The rules of the life cycle, read from `lifecycle.yaml` and checked: stages, tiers by value, peer groups.

They are data, because thresholds belong to a business and not to the code that applies them. A rule that
names no feature, a share beyond one or a level without a threshold is refused when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from features.catalogue import FEATURES, NAMES
from features.errors import UserError, unknown
from features.expressions import expression as expressions
from features.expressions.expression import Expression

SHARE: Final = "share"
MONEY: Final = "money"
ATTRIBUTES: Final = ("segment", "area", "kind")
GROUP_COLUMNS: Final = (*ATTRIBUTES, "tier", "stage")
_UNITS: Final = {feature.name: feature.unit for feature in FEATURES}


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        id: stable name, the value of `stage` in scores and conditions.
        name_zh: name in Chinese.
        meaning: what it says about the customer, in English.
        meaning_zh: the same in Chinese.
        rule: when it holds, provided that no earlier one does.
    """

    id: str
    name_zh: str
    meaning: str
    meaning_zh: str
    rule: Expression

    @property
    def evidence(self) -> tuple[str, ...]:
        """The features that the rule reads."""
        return tuple(sorted(self.rule.names))


@dataclass(frozen=True)
class TierRules:
    """How customers are put into tiers.

    Attributes:
        value: the feature in cents that counts.
        levels: names, best first; the last is for everybody else.
        by: kind of customer -> `share` or `money`; the first kind is for those of no kind.
        bounds: kind -> for each level but the last, its share of the customers, or its least money in cents.
    """

    value: str
    levels: tuple[str, ...]
    by: Mapping[str, str]
    bounds: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class PeerRules:
    """With whom a customer is compared, and in what.

    Attributes:
        minimum: smallest group that says anything.
        groups: columns that a group has in common, the closest group first.
        figures: features that are compared.
    """

    minimum: int
    groups: tuple[tuple[str, ...], ...]
    figures: tuple[str, ...]


@dataclass(frozen=True)
class PotentialRules:
    """What a customer could bring.

    Attributes:
        figure: feature in cents, one of the peers' figures.
        reach: share of the comparable customers who bring less than what is held to be within reach.
        peers: who is comparable.
    """

    figure: str
    reach: float
    peers: PeerRules


@dataclass(frozen=True)
class Lifecycle:
    """All rules of one file.

    Attributes:
        stages: in the order in which the rules are tried.
        journey: ids of the stages in the order of a customer's life.
        tiers: levels by value.
        peers: groups to compare with.
        potential: what comparable customers reach.
    """

    stages: tuple[Stage, ...]
    journey: tuple[str, ...]
    tiers: TierRules
    peers: PeerRules
    potential: PotentialRules

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature that the rules read, in the catalogue's order."""
        read = {self.tiers.value, *self.peers.figures, *self.stage_names}
        return tuple(name for name in NAMES if name in read)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The features that the rules of the stages read, in the catalogue's order."""
        read = {"visits_all"}.union(*(stage.rule.names for stage in self.stages))
        return tuple(name for name in NAMES if name in read)


def read(text: str) -> Lifecycle:
    """The rules in a file's text.

    Raises:
        UserError: a rule is not valid; the sentence names it and what is expected.
    """
    content = _section(
        "lifecycle", yaml.safe_load(text), ("stages", "journey", "tiers", "peers", "potential")
    )
    stages = tuple(_stage(name, form) for name, form in content["stages"].items())
    journey = tuple(content["journey"])
    if sorted(journey) != sorted(stage.id for stage in stages):
        raise UserError(f"lifecycle: journey is {list(journey)}; it has to name every stage once.")
    peers = _peers(content["peers"])
    return Lifecycle(
        stages, journey, _tiers(content["tiers"]), peers, _potential(content["potential"], peers)
    )


def _stage(name: str, form: Any) -> Stage:
    given = _section(f"stage {name!r}", form, ("name_zh", "en", "zh", "rule"))
    rule = expressions.parse(given["rule"], NAMES, kind="boolean")
    return Stage(name, given["name_zh"], given["en"], given["zh"], rule)


def _tiers(form: Any) -> TierRules:
    given = _section("tiers", form, ("value", "levels", "kinds"))
    value, levels = _feature("tiers", given["value"]), tuple(given["levels"])
    if _UNITS[value] != "cents":
        raise UserError(f"tiers: value {value!r} is in {_UNITS[value]}; it has to be a feature in cents.")
    if len(levels) < len(("first", "rest")) or len(set(levels)) < len(levels):
        raise UserError(f"tiers: levels are {list(levels)}; two or more different names are needed.")
    by: dict[str, str] = {}
    bounds: dict[str, tuple[float, ...]] = {}
    for kind, entry in given["kinds"].items():
        where = f"tiers of kind {kind!r}"
        numbers = _section(where, entry, ("by", *levels[:-1]))
        if numbers["by"] not in {SHARE, MONEY}:
            raise unknown(f"basis of {where}", str(numbers["by"]), (SHARE, MONEY))
        by[kind] = numbers["by"]
        bounds[kind] = _bounds(where, by[kind], [numbers[level] for level in levels[:-1]])
    if not by:
        raise UserError("tiers: no kind of customer is declared. Add one, like person.")
    return TierRules(value, levels, by, bounds)


def _bounds(where: str, by: str, given: Sequence[Any]) -> tuple[float, ...]:
    """The bounds of the levels: shares that rise from the best level down, or cents that fall."""
    if not all(isinstance(bound, (int, float)) and bound > 0 for bound in given):
        raise UserError(f"{where}: bounds {list(given)} have to be numbers above 0.")
    if by == SHARE:
        if list(given) != sorted(set(given)) or given[-1] > 1:
            raise UserError(f"{where}: shares {list(given)} have to rise from the best level down, up to 1.")
        return tuple(float(bound) for bound in given)
    if list(given) != sorted(set(given), reverse=True):
        raise UserError(f"{where}: money {list(given)} has to fall from the best level down.")
    return tuple(float(round(bound * 100)) for bound in given)


def _peers(form: Any) -> PeerRules:
    given = _section("peers", form, ("minimum", "groups", "figures"))
    minimum, groups = _groups("peers", given)
    return PeerRules(minimum, groups, tuple(_feature("peers", name) for name in given["figures"]))


def _potential(form: Any, peers: PeerRules) -> PotentialRules:
    given = _section("potential", form, ("figure", "reach", "minimum", "groups"))
    figure, reach = given["figure"], given["reach"]
    if figure not in peers.figures or _UNITS[figure] != "cents":
        known = [name for name in peers.figures if _UNITS[name] == "cents"]
        raise UserError(
            f"potential: figure {figure!r} has to be a figure of the peers in cents, like {known}."
        )
    if not isinstance(reach, float) or not 0 < reach < 1:
        raise UserError(f"potential: reach is {reach!r}; it has to be a share between 0 and 1, like 0.8.")
    minimum, groups = _groups("potential", given)
    return PotentialRules(figure, reach, PeerRules(minimum, groups, (figure,)))


def _groups(where: str, given: Mapping[str, Any]) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """The smallest group, and the groups' columns, the closest first."""
    minimum, groups = given["minimum"], tuple(tuple(group) for group in given["groups"])
    if not isinstance(minimum, int) or minimum < 1:
        raise UserError(f"{where}: minimum is {minimum!r}; it has to be a whole number of 1 or more.")
    for column in (column for group in groups for column in group):
        if column not in GROUP_COLUMNS:
            raise unknown("column of a peer group", str(column), GROUP_COLUMNS)
    if not groups or groups[-1] != ():
        raise UserError(f"{where}: the last group has to be [], everybody, so that all have peers.")
    return minimum, groups


def _feature(where: str, name: Any) -> str:
    if name not in NAMES:
        raise unknown(f"feature of {where}", str(name), NAMES)
    return str(name)


def _section(where: str, form: Any, keys: Sequence[str]) -> Mapping[str, Any]:
    """A section with exactly these keys."""
    if not isinstance(form, Mapping):
        raise UserError(f"{where} is {form!r}; it has to have the keys {', '.join(keys)}.")
    for key in form:
        if key not in keys:
            raise unknown(f"key of {where}", str(key), keys)
    if missing := [key for key in keys if key not in form]:
        raise UserError(f"{where} has no {missing[0]!r}. Add it.")
    return form


RULES: Final = read(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
