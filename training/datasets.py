"""Point-in-time data for training: features as of cutoffs, visits for labels, nothing at or after the as-of.

    from training import datasets, tasks
    snapshots = datasets.open_snapshots("path/to/workspace", "2017-12-01")
    data = tasks.named("churn").dataset(snapshots, ["2017-09-01", "2017-10-01"])
    data.frame  # customer_id, as_of, inputs, label; see training.dataset

A cutoff c is an as-of for features; its label reads [c, c + horizon). A window has ended by X when
c + horizon <= X. Fitting as of X therefore uses cutoffs up to X - horizon: the gap is the label's, and
without it the fit would have seen days that were still to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from features import facts
from features.as_of import known_day
from features.canonical import Canonical
from features.clock import parse_date, to_date, to_day
from features.columns import CUSTOMER_ID
from features.errors import ExitCode, UserError
from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from features.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from features.labels import LabelDefinitions

T = TypeVar("T")

# A visit's key: customer code in the high bits, day in the low ones, so that one search finds both.
_DAY_BITS = 20
_DAY_MASK = (1 << _DAY_BITS) - 1


@dataclass(frozen=True)
class Visits:
    """Days on which customers came, n of them, ordered by customer and day.

    Attributes:
        customers: ids, ascending; a code is a place in this array.
        key: customer code << 20 | day.
        known_day: first day on which the visit could be known.
        joined: references that have become another customer's, by reference: that customer's visits answer
            whether they came again.
    """

    customers: NDArray[Any]
    key: NDArray[np.int64]
    known_day: NDArray[np.int32]
    joined: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pd.DataFrame, joined: Mapping[str, str]) -> Visits:
        """From distinct `customer_id` and `day` with the `known_day` of each, in any order."""
        ids = rows[CUSTOMER_ID].to_numpy(dtype=object)
        customers, codes = np.unique(ids.astype(str), return_inverse=True)
        key = (codes.astype(np.int64) << _DAY_BITS) | rows["day"].to_numpy(dtype=np.int64)
        order = np.argsort(key, kind="stable")
        return cls(customers, key[order], rows["known_day"].to_numpy(dtype=np.int32)[order], joined)

    def before(self, until: int) -> Visits:
        """Those that are known and happened before `until`."""
        kept = ((self.key & _DAY_MASK) < until) & (self.known_day < until)
        return Visits(self.customers, self.key[kept], self.known_day[kept], self.joined)

    def next_days(self, customer_id: NDArray[Any], as_of: NDArray[np.int32]) -> NDArray[np.float64]:
        """Days from each as-of to the customer's next visit, that day included; NaN when there is none."""
        if not len(self.key):
            return np.full(len(customer_id), np.nan)
        if self.joined:
            customer_id = np.array([self.joined.get(name, name) for name in customer_id], dtype=object)
        code = np.searchsorted(self.customers, customer_id.astype(self.customers.dtype)).astype(np.int64)
        code = np.minimum(code, len(self.customers) - 1)
        known = self.customers[code] == customer_id
        place = np.searchsorted(self.key, (code << _DAY_BITS) | as_of.astype(np.int64))
        found = self.key[np.minimum(place, len(self.key) - 1)]
        same = known & (place < len(self.key)) & (found >> _DAY_BITS == code)
        return np.where(same, (found & _DAY_MASK) - as_of + 1.0, np.nan)


@dataclass
class Snapshots:
    """The tables as they were known on day `until`: no row with day or known_day at or after it.

    Attributes:
        canonical: the tables.
        until: the run's as-of D; the exclusive end of everything read.
        own: file of our own contacts (`training.campaigns.own`); None: there is none.
    """

    canonical: Canonical
    until: int
    own: Path | None = None
    _features: dict[int, FeatureMatrix] = field(default_factory=dict, repr=False)
    _shared: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> LabelDefinitions:
        """What the source counts as churn, next purchase and so on."""
        return self.canonical.source.labels

    @cached_property
    def first_day(self) -> int:
        """First day with a visit.

        Raises:
            UserError: nothing is known before `until`.
        """
        if not len(self.visits.key):
            raise UserError(
                f"no transaction is known before {to_date(self.until)}; the data begin on "
                f"{to_date(self.canonical.first_day)}. Name a later --as-of.",
                ExitCode.BAD_DATA,
            )
        return int((self.visits.key & _DAY_MASK).min())

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection whose event tables end before `until`."""
        return self.canonical.connect(until=self.until)

    def cut(self, until: int) -> Snapshots:
        """The same tables as known on an earlier day; features already computed are shared."""
        earlier = Snapshots(self.canonical, min(until, self.until), self.own, self._features, self._shared)
        # Visits of persons depend on which references were known to be one by then.
        if "visits" in self.__dict__ and facts.PEOPLE not in self.canonical.facts:
            earlier.__dict__["visits"] = self.visits.before(earlier.until)
        return earlier

    @cached_property
    def visits(self) -> Visits:
        """Distinct customer-days with at least one line."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT customer_id, day, min(known_day) AS known_day FROM transactions "
                "GROUP BY customer_id, day ORDER BY customer_id, day"
            ).df()
        return Visits.of(rows, self.canonical.joined(self.until))

    @cached_property
    def late(self) -> bool:
        """Whether some rows became known only after their day, so that labels depend on when one looks."""
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM transactions WHERE known_day > day").fetchone()
        return bool(row and row[0])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content visible before `until`."""
        return self.canonical.fingerprint(self.until)

    def days(self, cutoffs: Sequence[int | str]) -> tuple[int, ...]:
        """Cutoffs, given as days or as dates in text, as days in ascending order.

        Raises:
            UserError: there is none, or one is no date or lies after `until`.
        """
        found = tuple(sorted({day(each) if isinstance(each, str) else int(each) for each in cutoffs}))
        if not found:
            raise UserError("no cutoff is named. Name one, or leave `cutoffs` out.")
        if found[-1] > self.until:
            raise UserError(
                f"cutoff {to_date(found[-1])} is after {to_date(self.until)}, as of which the snapshots are. "
                "Open snapshots as of a later day."
            )
        return found

    def shared(self, name: str, cutoff: int, compute: Callable[[FeatureMatrix], T]) -> T:
        """Something computed from a cutoff's features alone, once for all tasks of a run."""
        key = (name, cutoff)
        if key not in self._shared:
            self._shared[key] = compute(self.features([cutoff]))
        value: T = self._shared[key]
        return value

    def features(self, cutoffs: Sequence[int], *, keep: bool = True) -> FeatureMatrix:
        """Every feature of every customer known at each cutoff, rows by cutoff and customer.

        Args:
            cutoffs: days.
            keep: for whoever asks again.

        Raises:
            ValueError: a cutoff lies after `until`.
        """
        wanted = sorted(set(cutoffs))
        if wanted and wanted[-1] > self.until:
            raise ValueError(f"cutoff {to_date(wanted[-1])} is after the snapshot's {to_date(self.until)}")
        found = {cutoff: self._features[cutoff] for cutoff in wanted if cutoff in self._features}
        absent = [cutoff for cutoff in wanted if cutoff not in found]
        if absent:
            computed = offline.compute(self.canonical, absent)
            found |= {cutoff: computed.take(computed.as_of == cutoff) for cutoff in absent}
        if keep:
            self._features.update(found)
        return concatenate([found[cutoff] for cutoff in wanted])


def concatenate(parts: Sequence[FeatureMatrix]) -> FeatureMatrix:
    """Rows of several matrices of the same features, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return FeatureMatrix(
        customer_id=np.concatenate([part.customer_id for part in parts]),
        as_of=np.concatenate([part.as_of for part in parts]),
        names=parts[0].names,
        values=np.concatenate([part.values for part in parts]),  # noqa: PD011 (an array)
    )


def cutoffs(earliest: int, horizon_days: int, until: int, *, step_days: int, count: int) -> tuple[int, ...]:
    """Training cutoffs of a fit as of `until`, ascending; empty when history is too short.

    The latest is `until` - horizon, whose window has just ended; from there back in steps, at most `count` of
    them and none before `earliest`, the first day with enough history before it.
    """
    latest = until - horizon_days
    grid = range(latest, max(earliest, latest - step_days * (count - 1)) - 1, -step_days)
    return tuple(sorted(grid))


def report_cutoffs(first: int, horizon_days: int, until: int, *, count: int) -> tuple[int, ...]:
    """First days of a month, the latest whose windows end by `until`, none before `first`.

    When history is too short for any, the latest day that has both; empty when there is none.

    Args:
        first: first day as of which a fit has something to read.
        horizon_days: length of the windows.
        until: day by which they have ended.
        count: how many at most.
    """
    latest = until - horizon_days
    days = [day for day in range(latest, first - 1, -1) if to_date(day).day == 1]
    chosen = days[:count] or ([latest] if latest >= first else [])
    return tuple(sorted(chosen))


def open_snapshots(workspace: Workspace | str | Path, as_of: str | int | None = None) -> Snapshots:
    """The snapshots of a workspace as of a date (default: its clock).

    Raises:
        UserError: it is not a date, or after the workspace's clock.
    """
    space = workspace if isinstance(workspace, Workspace) else Workspace(Path(workspace))
    canonical = Canonical.open(space)
    if isinstance(as_of, str):
        as_of = day(as_of)
    until = canonical.clock_day if as_of is None else known_day(canonical, as_of)
    return Snapshots(canonical, until, space.own_contacts if space.own_contacts.exists() else None)


def day(text: str) -> int:
    """The day number of a date written as YYYY-MM-DD."""
    return to_day(parse_date(text, name="cutoff"))
