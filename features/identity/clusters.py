"""Persons and households: connected references, as of every day on which the evidence changes.

Evidence joins references in a fixed order: what people have merged, then exact keys (the surest kind first),
then similar records (the most probable first). A join is left out when it would put two national ids into one
person, or together what people have split. The id of a person is the oldest of its references.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from features.content import ALWAYS
from features.identity.links import FOREVER, Key, Links

# Two sources of names for a household: the source's own, else the oldest member's.
HOUSEHOLD_PREFIX: Final = "household_"
Seniority = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Belonging:
    """To whom something belongs at the as-ofs after `from_day` and up to `to_day`."""

    what: str
    to: str
    from_day: int
    to_day: int


@dataclass
class Clusters:
    """What came out.

    Attributes:
        people: references that ever belong to another id than their own, and to which one when.
        households: customers in a household, and in which one when.
    """

    people: list[Belonging] = field(default_factory=list)
    households: list[Belonging] = field(default_factory=list)


@dataclass
class _Part:
    """Evidence about references that nothing links to any other."""

    keys: list[Key] = field(default_factory=list)
    similar: list[tuple[float, int, str, str]] = field(default_factory=list)
    given: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    corrections: list[tuple[int, int]] = field(default_factory=list)
    references: list[str] = field(default_factory=list)


class _Groups:
    """References in groups that never hold two national ids, nor two that are to stay apart."""

    def __init__(
        self,
        references: Iterable[str],
        national_ids: Mapping[str, frozenset[str]],
        apart: Mapping[tuple[str, str], str],
    ) -> None:
        self.members = {reference: [reference] for reference in references}
        self.of = {reference: reference for reference in self.members}
        self._ids = dict(national_ids)
        self._apart = apart

    def join(self, a: str, b: str, *, always: bool = False) -> None:
        """Make the groups of two references one, unless something is against it."""
        left, right = self.of[a], self.of[b]
        if left == right:
            return
        mine, other = self._ids.get(left, frozenset()), self._ids.get(right, frozenset())
        if not always and (
            (mine and other and not (mine <= other or other <= mine)) or self._kept_apart(left, right)
        ):
            return
        if len(self.members[left]) < len(self.members[right]):
            left, right = right, left
        moved = self.members.pop(right)
        self.members[left] += moved
        for reference in moved:
            self.of[reference] = left
        if mine or other:
            self._ids[left] = mine | other

    def _kept_apart(self, left: str, right: str) -> bool:
        return bool(self._apart) and any(
            (min(a, b), max(a, b)) in self._apart for a in self.members[left] for b in self.members[right]
        )


def resolve(links: Links, seniority: Seniority) -> Clusters:
    """Persons and households of all evidence, at all times.

    Args:
        links: the evidence.
        seniority: per reference, in which resolution and on which day it was first seen; the least is the
            oldest, ties by its id. A reference that is not in it is younger than all others.
    """
    result = Clusters()
    for part in _parts(links):
        _Timeline(part, links, seniority).run(result)
    result.people.sort(key=lambda one: (one.what, one.from_day))
    result.households.sort(key=lambda one: (one.what, one.from_day))
    return result


def _together(links: Links) -> Iterator[Sequence[str]]:
    """References that some evidence is about, for each piece of it."""
    for key in links.keys:
        yield [reference for _, reference in key.holders]
    for similar in links.similar:
        yield similar.a, similar.b
    yield from links.given.values()
    for correction in links.corrections:
        yield *correction.left, *correction.right


def _parts(links: Links) -> Iterator[_Part]:
    """The evidence in parts that have no reference in common."""
    groups = _Groups(dict.fromkeys(one for some in _together(links) for one in some), {}, {})
    for references in _together(links):
        for reference in references:
            groups.join(references[0], reference)
    parts = {root: _Part(references=sorted(members)) for root, members in groups.members.items()}
    for key in links.keys:
        parts[groups.of[key.holders[0][1]]].keys.append(key)
    for similar in sorted(links.similar, key=lambda s: (-s.probability, s.day, s.a, s.b)):
        part = parts[groups.of[similar.a]]
        part.similar.append((similar.probability, similar.day, similar.a, similar.b))
    for household, members in links.given.items():
        parts[groups.of[members[0]]].given.append((household, members))
    for number, correction in enumerate(links.corrections):
        parts[groups.of[correction.left[0]]].corrections.append((number, correction.day))
    return iter(parts.values())


@dataclass
class _Timeline:
    """One part, from its first day to its last."""

    part: _Part
    links: Links
    seniority: Seniority

    def run(self, result: Clusters) -> None:
        """Add who belongs to whom, and when, to a result."""
        ids: dict[str, list[tuple[int, str]]] = {
            reference: [(ALWAYS, reference)] for reference in self.part.references
        }
        homes: dict[str, list[tuple[int, str]]] = {}
        for day in self._days():
            customers = self._persons(day)
            households = self._households(day, customers)
            for reference, customer in customers.items():
                _note(ids[reference], day, customer)
            for customer in set(households) | set(homes):
                _note(homes.setdefault(customer, [(ALWAYS, "")]), day, households.get(customer, ""))
        for reference, spells in ids.items():
            if any(customer != reference for _, customer in spells):
                result.people += _intervals(reference, spells)
        for customer, spells in homes.items():
            result.households += [one for one in _intervals(customer, spells) if one.to]

    def _days(self) -> list[int]:
        """Days after which something may be different."""
        part = self.part
        days = {day for _, day, _, _ in part.similar} | {day for _, day in part.corrections}
        for key in part.keys:
            days.update(day for day, _ in key.holders)
            days.update(day for day in (key.shared, key.crowded) if ALWAYS < day < FOREVER)
        for reference in part.references:
            days.update(day for day, _ in self.links.national_ids.get(reference, ()))
        if part.given:
            days.add(ALWAYS)
        return sorted(days)

    def _persons(self, day: int) -> dict[str, str]:
        """The customer of each reference at an as-of after `day`, up to the next change."""
        part = self.part
        merged, apart = self._corrected(day)
        known = {
            reference: frozenset(value for seen, value in self.links.national_ids[reference] if seen <= day)
            for reference in part.references
            if reference in self.links.national_ids
        }
        groups = _Groups(part.references, known, apart)
        for a, b in merged:
            groups.join(a, b, always=True)
        for key in part.keys:
            if key.shared > day:
                holders = _holders(key, day, apart)
                for number, reference in enumerate(holders):
                    for earlier in holders[:number]:
                        groups.join(earlier, reference)
        for _, seen, a, b in part.similar:
            if seen <= day:
                groups.join(a, b)
        oldest = {root: min(members, key=self._age) for root, members in groups.members.items()}
        return {reference: oldest[root] for reference, root in groups.of.items()}

    def _corrected(self, day: int) -> tuple[list[tuple[str, str]], dict[tuple[str, str], str]]:
        """What is merged by hand; and the pairs to keep apart, each with the one that was taken out."""
        merged: list[tuple[str, str]] = []
        apart: dict[tuple[str, str], str] = {}
        for number, made in self.part.corrections:
            correction = self.links.corrections[number]
            if made > day:
                continue
            pairs = correction.pairs
            if correction.what == "split":
                apart |= dict.fromkeys(pairs, correction.left[0])
                merged = [(a, b) for a, b in merged if (min(a, b), max(a, b)) not in pairs]
            else:
                apart = {pair: out for pair, out in apart.items() if pair not in pairs}
                merged.append((correction.left[0], correction.right[0]))
        return merged, apart

    def _households(self, day: int, customers: Mapping[str, str]) -> dict[str, str]:
        """The household of each customer that shares one."""
        part = self.part
        homes = _Groups(dict.fromkeys(customers.values()), {}, {})
        named: dict[str, list[tuple[tuple[int, int, str], str]]] = {}
        for key in part.keys:
            if key.shared <= day < key.crowded:
                present = [customers[reference] for seen, reference in key.holders if seen <= day]
                for customer in present[1:]:
                    homes.join(present[0], customer)
        for household, members in part.given:
            for reference in members:
                homes.join(customers[members[0]], customers[reference])
                named.setdefault(customers[reference], []).append((self._age(reference), household))
        result = {}
        for members in homes.members.values():
            if len(members) > 1:
                names = [name for customer in members for name in named.get(customer, ())]
                name = min(names)[1] if names else HOUSEHOLD_PREFIX + min(members, key=self._age)
                result.update(dict.fromkeys(members, name))
        return result

    def _age(self, reference: str) -> tuple[int, int, str]:
        return (*self.seniority.get(reference, (FOREVER, FOREVER)), reference)


def _holders(key: Key, day: int, apart: Mapping[tuple[str, str], str]) -> list[str]:
    """Who holds a key on a day; who was split from another holder of it holds it no more."""
    present = [reference for seen, reference in key.holders if seen <= day]
    taken_out = {out for (a, b), out in apart.items() if a in present and b in present}
    return [reference for reference in present if reference not in taken_out]


def _note(spells: list[tuple[int, str]], day: int, what: str) -> None:
    """Say what holds after `day`, unless it already did."""
    if spells[-1][1] == what:
        return
    if spells[-1][0] == day:
        spells.pop()
    spells.append((day, what))


def _intervals(what: str, spells: Sequence[tuple[int, str]]) -> list[Belonging]:
    ends = [*(day for day, _ in spells[1:]), FOREVER]
    return [Belonging(what, to, start, end) for (start, to), end in zip(spells, ends, strict=True)]
