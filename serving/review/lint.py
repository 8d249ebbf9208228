"""Judging a catalogue before customers meet it: what contradicts itself, and what it does to the real base.

An error is something that cannot be meant so, a warning something that may, a note something that may well.
Who is left without an action, which action never wins and which wins for nearly all is counted on the base as
of the workspace's clock, with the contact history of that day and without control groups and exploration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from features import clock
from features.output import figure, table
from serving.catalogue.actions import Action, Catalogue
from serving.decisions.rules import Rule
from serving.review.contradictions import SEVERITIES, Finding, contradictions
from serving.review.outlook import OUTSIDE, AtPlace, Count, Outlook

if TYPE_CHECKING:
    from rich.table import Table

# An action that stands first for so many of those who are offered anything at a place wins "for nearly all".
NEARLY_ALL: Final = 0.9
# So many customers without any action anywhere are too many.
MANY_WITHOUT: Final = 0.25


@dataclass(frozen=True)
class LintReport:
    """What was found in a catalogue.

    Attributes:
        file: the catalogue.
        version: of its content.
        as_of: day of the base; None when only the file was looked at.
        customers: of the base.
        counts: what comes of each action at each of its places.
        without: customers who are offered nothing, by place, and anywhere (under "").
        findings: errors first.
    """

    file: Path
    version: str
    as_of: str | None
    customers: int
    counts: tuple[Count, ...]
    without: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(finding.severity == "warning" for finding in self.findings)

    @property
    def judged(self) -> str:
        """How many of what there are."""
        return f"{self.errors} errors, {self.warnings} warnings"

    def lines(self) -> list[str | Table]:
        """The report for people."""
        rows = [
            (
                count.place,
                count.action,
                f"{count.eligible:,}",
                f"{count.offered:,}",
                f"{count.first:,}",
                figure(count.expected_cents, "cents"),
                ", ".join(f"{rule} {number:,}" for rule, number in _most(count)),
            )
            for count in self.counts
        ]
        columns = ("place", "action", "eligible", "offered", "first", "expected", "dropped by")
        empty = [f"{place} {number:,}" for place, number in self.without.items() if place]
        found = [(finding.severity, finding.rule, finding.subject, finding.says) for finding in self.findings]
        head = f"catalogue {self.version} ({self.file})"
        ending = [table("findings", ("severity", "rule", "where", "what"), found)] if found else []
        if self.as_of is None:
            return [head, *ending, self.judged]
        return [
            f"{head} on {self.customers:,} customers as of {self.as_of}",
            table("what comes of it", columns, rows),
            f"offered nothing: anywhere {self.without['']:,}; {', '.join(empty)}",
            *ending,
            self.judged,
        ]


def static(catalogue: Catalogue) -> LintReport:
    """Judge a catalogue by what it says alone."""
    return LintReport(
        file=catalogue.file,
        version=catalogue.version,
        as_of=None,
        customers=0,
        counts=(),
        without={},
        findings=_sorted(contradictions(catalogue)),
    )


def lint(outlook: Outlook) -> LintReport:
    """Judge a catalogue by what it says and by what it does to the base."""
    places = [seen for seen in outlook.places.values() if seen.actions]
    counts = tuple(count for seen in places for count in seen.counts)
    return LintReport(
        file=outlook.catalogue.file,
        version=outlook.catalogue.version,
        as_of=str(clock.to_date(outlook.as_of)),
        customers=len(outlook.customer_id),
        counts=counts,
        without={
            "": int(outlook.without.sum()),
            **{place: int((seen.offered == 0).sum()) for place, seen in outlook.places.items()},
        },
        findings=_sorted((*contradictions(outlook.catalogue), *_found(outlook, counts))),
    )


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _most(count: Count, shown: int = 2) -> list[tuple[str, int]]:
    """The rules that drop most customers."""
    return sorted(count.dropped.items(), key=lambda item: -item[1])[:shown]


def _found(outlook: Outlook, counts: tuple[Count, ...]) -> Iterator[Finding]:
    yield from _triggers(outlook)
    yield from _strange(outlook)
    for action in outlook.catalogue.actions:
        yield from _action(outlook, action, [count for count in counts if count.action == action.id])
    for place, seen in outlook.places.items():
        yield from _place(place, seen)
    left, size = int(outlook.without.sum()), len(outlook.customer_id)
    if left > MANY_WITHOUT * size:
        yield Finding(
            "warning",
            "without_action",
            "catalogue",
            f"{left:,} of {size:,} customers ({left / size:.0%}) are offered nothing anywhere; more than "
            f"{MANY_WITHOUT:.0%} is much. Add an action for them, or widen a condition.",
            left,
        )


def _triggers(outlook: Outlook) -> Iterator[Finding]:
    for name, days in outlook.catalogue.trigger_days.items():
        if max(days) < outlook.as_of:
            last = clock.to_date(max(days))
            yield Finding(
                "warning", "expired", f"trigger {name}", f"its last day was {last}. Give it new days."
            )


def _strange(outlook: Outlook) -> Iterator[Finding]:
    for channel, refused in outlook.strange.items():
        if refused:
            yield Finding(
                "warning",
                "unknown_channel",
                f"channel {channel}",
                f"{refused:,} of {len(outlook.customer_id):,} customers have refused it, and the catalogue "
                "knows no such channel: they count as having refused all. Name it in a channel's known_as.",
                refused,
            )


def _action(outlook: Outlook, action: Action, counts: list[Count]) -> Iterator[Finding]:
    """What is the matter with one action: the first thing, which explains the others."""
    where, size = f"action {action.id}", len(outlook.customer_id)
    starts, ends = _period(outlook.catalogue, action)
    if ends is not None and ends < outlook.as_of:
        says = f"it, or its experiment, ended on {clock.to_date(ends)}. Take it out, or give it new days."
        yield Finding("warning", "expired", where, says)
    elif starts is not None and starts > outlook.as_of:
        return
    elif not any(count.eligible for count in counts):
        yield _nobody(outlook, action)
    elif not any(count.offered for count in counts):
        best = max(counts, key=lambda count: count.eligible)
        yield Finding(
            "error" if all(_has_no_number(count) for count in counts) else "warning",
            "never_offered",
            where,
            f"{best.eligible:,} of {size:,} customers meet its condition and none is offered it "
            f"({best.place}: {_reasons(best)}). Look at its value, or at what holds it back.",
            best.eligible,
        )
    elif not any(count.first for count in counts):
        best = max(counts, key=lambda count: count.offered)
        winner, _ = outlook.winners(best.place).most_common(1)[0]
        yield Finding(
            "warning",
            "never_wins",
            where,
            f"it is offered to {best.offered:,} of {size:,} customers at {best.place}, and stands first for "
            f"none at any place; there {winner} does most often. Raise its value, or take it out.",
            best.offered,
        )
    else:
        for count in counts:
            if count.eligible and not count.offered:
                says = f"none of {count.eligible:,} customers is offered it ({_reasons(count)}). "
                yield Finding(
                    "warning",
                    "never_offered",
                    f"{where} at {count.place}",
                    f"{says}Take the place out of its places, or look at what holds it back there.",
                    count.eligible,
                )


def _period(catalogue: Catalogue, action: Action) -> tuple[int | None, int | None]:
    """First and last day of an action and its experiment together."""
    starts, ends = [action.starts], [action.ends]
    if action.experiment is not None:
        experiment = catalogue.experiments[action.experiment.id]
        starts.append(None if experiment.starts is None else clock.to_day(experiment.starts))
        ends.append(None if experiment.ends is None else clock.to_day(experiment.ends))
    return (
        max((day for day in starts if day is not None), default=None),
        min((day for day in ends if day is not None), default=None),
    )


def _has_no_number(count: Count) -> bool:
    """Whether an action's chance or value can be computed for nobody who may be offered it."""
    missing = sum(count.dropped.get(rule.id, 0) for rule in (Rule.NO_PROPENSITY, Rule.NO_VALUE))
    return count.eligible == missing


def _reasons(count: Count) -> str:
    """The rules that hold back most of those who meet a condition."""
    inside = {rule: number for rule, number in count.dropped.items() if rule not in OUTSIDE}
    return ", ".join(f"{rule} {number:,}" for rule, number in sorted(inside.items(), key=lambda i: -i[1])[:3])


def _nobody(outlook: Outlook, action: Action) -> Finding:
    """An action whose condition nobody meets."""
    where, none = f"action {action.id}", f"none of {len(outlook.customer_id):,} customers meets its condition"
    unknown = ", ".join(sorted(action.eligible.names & outlook.never_known))
    if unknown:
        says = f"{none}: {unknown} is unknown for all of them. It waits for a source that says it."
        return Finding("warning", "nobody", where, says, 0)
    passing = ", ".join(sorted(action.eligible.names & outlook.catalogue.meanings.keys()))
    if passing:
        says = f"{none} on this day. It reads what may change by tomorrow ({passing})."
        return Finding("note", "nobody", where, says, 0)
    says = f"{none} ({action.eligible.text}). Correct the condition, or take the action out."
    return Finding("warning", "nobody", where, says, 0)


def _place(place: str, seen: AtPlace) -> Iterator[Finding]:
    where, size = f"place {place}", len(seen.first)
    served = seen.offered > 0
    if not seen.actions or not served.any():
        what = f"none of {size:,} customers is offered anything here" if seen.actions else "it has no action"
        yield Finding("error", "empty_place", where, f"{what}. Add an action, or take the place out.", size)
        return
    position = int(np.bincount(seen.first[served]).argmax())
    wins, offered = int((seen.first == position).sum()), int(served.sum())
    if len(seen.actions) > 1 and wins >= NEARLY_ALL * offered:
        yield Finding(
            "warning",
            "wins_for_nearly_all",
            f"action {seen.actions[position]} at {place}",
            f"it stands first for {wins:,} of the {offered:,} customers who are offered anything "
            f"there ({wins / offered:.0%}; from {NEARLY_ALL:.0%} on it is nearly all). Its value may be too "
            "high, or its condition too wide.",
            wins,
        )
