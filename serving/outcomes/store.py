"""What came of decisions, in the record store: kept once, joined to its decision, read by customer.

An outcome may come before its decision has been written, or be of a decision of another worker. It is kept
all the same, without a customer. Who writes decisions joins afterwards what is waiting for them, and who
keeps an outcome looks for its decision afterwards: whichever of the two commits last sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import sqlalchemy as sa

from features.workspace import Workspace
from serving.contacts.standing import SHOWN
from serving.contacts.touches import Touch
from serving.records import batches as batch_records
from serving.records.record import Record
from serving.records.store import RecordStore
from serving.records.tables import OUTCOMES

# When an outcome without an instant of its own was stated.
UNSTATED: Final = -1
_PAGE: Final = 500
# An outcome says that there was a contact: where none is reported as shown, the first outcome stands for it.
_TOUCHES: Final = """
SELECT customer_id, day, instant, action_id, channel, kind,
       kind > 0 AND min(kind) OVER w > 0 AND row_number() OVER (w ORDER BY instant, number) = 1
FROM outcomes WHERE {} WINDOW w AS (PARTITION BY decision_id, action_id)"""
_CONTACTED: Final = """
SELECT count(*) FROM (
    SELECT decision_id, min(kind) AS first FROM outcomes
    WHERE action_id = {0} AND day >= {0} AND customer_id IS NOT NULL {1} GROUP BY decision_id) AS seen
WHERE first = 0 OR NOT EXISTS (
    SELECT 1 FROM outcomes AS o
    WHERE o.decision_id = seen.decision_id AND o.action_id = {0} AND o.kind = 0)"""


@dataclass(frozen=True)
class Outcome:
    """What came of one proposal.

    Attributes:
        outcome_id: the caller's own id, if given.
        decision_id: the decision.
        customer_id: whom it was about; None as long as no decision has the id.
        action_id: the action; empty as long as it is not known.
        channel: empty as long as it is not known.
        kind: position in `standing.KINDS`.
        stated_at: UTC microseconds; `UNSTATED` without.
        instant: the same, or when it was taken in.
        day: local day of the instant.
        known_day: local day from which it is known.
        value_cents: what was bought or redeemed.
        recorded_at: UTC instant, ISO.
    """

    outcome_id: str | None
    decision_id: str
    customer_id: str | None
    action_id: str
    channel: str
    kind: int
    stated_at: int
    instant: int
    day: int
    known_day: int
    value_cents: int | None
    recorded_at: str


_COLUMNS: Final = tuple(OUTCOMES.c[each.name] for each in fields(Outcome))


class OutcomeStore:
    """Outcomes of a workspace. Safe to share between threads.

    Args:
        store: where they are kept.
        workspace: where decisions of batches are kept.
    """

    def __init__(self, store: RecordStore, workspace: Workspace) -> None:
        self.records, self.workspace = store, workspace

    @classmethod
    def of(cls, workspace: Workspace) -> OutcomeStore:
        """The outcomes of a workspace, in a record store of their own connections.

        Raises:
            UserError: as `RecordStore`.
        """
        return cls(RecordStore.of(workspace), workspace)

    def add(self, outcomes: Sequence[Outcome]) -> list[bool]:
        """Keep outcomes; says of each whether it is new. The same again changes nothing.

        Raises:
            RecordsDownError: the store cannot be reached; nothing has been kept.
        """
        insert = self.records.insert(OUTCOMES)
        with self.records.writing() as connection:
            new = [connection.execute(insert, vars(each)).rowcount == 1 for each in outcomes]
        waiting = [each.decision_id for each in outcomes if each.customer_id is None]
        if waiting:
            self.join(waiting)
        return new

    def join(self, ids: Iterable[str]) -> int:
        """Join outcomes that wait for these decisions, as far as they are there; how many.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        wanted, joined = list(dict.fromkeys(ids)), 0
        for first in range(0, len(wanted), _PAGE):
            page = wanted[first : first + _PAGE]
            marks = ", ".join([self.records.mark] * len(page))
            query = (
                "SELECT DISTINCT decision_id FROM outcomes "
                f"WHERE customer_id IS NULL AND decision_id IN ({marks})"
            )
            waiting = [row[0] for row in self.records.rows(query, page)]
            if waiting:
                joined += self._join(self.decisions(waiting))
        return joined

    def join_all(self) -> int:
        """Join every outcome whose decision has appeared.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        query = "SELECT DISTINCT decision_id FROM outcomes WHERE customer_id IS NULL"
        return self._join(self.decisions([row[0] for row in self.records.rows(query, ())]))

    def decisions(self, ids: Sequence[str]) -> dict[str, Record]:
        """Decisions by id, online ones and those of batches.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        found = self.records.decisions(ids)
        rest = [name for name in ids if name not in found]
        return {**found, **(batch_records.find(self.workspace, rest) if rest else {})}

    def answered(self) -> Iterator[str]:
        """Ids of the decisions of which there are outcomes, ascending."""
        query = sa.select(OUTCOMES.c.decision_id).where(OUTCOMES.c.customer_id.is_not(None)).distinct()
        return (row[0] for row in self.records.select(query.order_by(OUTCOMES.c.decision_id)))

    def of_decisions(self, ids: Sequence[str]) -> dict[str, list[Outcome]]:
        """Outcomes by decision, in the order of their instants; decisions without any are left out.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        found: dict[str, list[Outcome]] = {}
        for first in range(0, len(ids), _PAGE):
            chosen = OUTCOMES.c.decision_id.in_(ids[first : first + _PAGE])
            query = sa.select(*_COLUMNS).where(chosen).order_by(OUTCOMES.c.instant, OUTCOMES.c.number)
            for row in self.records.select(query):
                found.setdefault(row.decision_id, []).append(Outcome(**row._asdict()))
        return found

    def unmatched(self) -> Iterator[Outcome]:
        """Outcomes whose decision nobody has seen, in the order in which they came."""
        query = sa.select(*_COLUMNS).where(OUTCOMES.c.customer_id.is_(None)).order_by(OUTCOMES.c.number)
        return (Outcome(**row._asdict()) for row in self.records.select(query))

    def touches(self, references: Sequence[str] | None, before: int | None) -> Iterator[Touch]:
        """Contacts and answers of some references, or of all, known before a day, or all known.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        mark = self.records.mark
        where, values = "customer_id IS NOT NULL", list[object]()
        if references is not None:
            where, values = f"customer_id IN ({', '.join([mark] * len(references))})", [*references]
        if before is not None:
            where += f" AND day < {mark} AND known_day < {mark}"
            values = [*values, before, before]
        for reference, day, instant, action, channel, kind, stands in self.records.rows(
            _TOUCHES.format(where), values
        ):
            if stands:
                yield Touch(reference, day, instant, action, channel, SHOWN)
            yield Touch(reference, day, instant, action, channel, kind)

    def contacted(self, action: str, since: int, before: int | None) -> int:
        """Decisions by which somebody was contacted with an action from a day on; see `touches`.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        mark = self.records.mark
        until = "" if before is None else f"AND day < {mark} AND known_day < {mark}"
        values = [action, since, *([] if before is None else [before, before]), action]
        return int(self.records.rows(_CONTACTED.format(mark, until), values)[0][0])

    def _join(self, decisions: Mapping[str, Record]) -> int:
        ids, joined = list(decisions), 0
        with self.records.writing() as connection:
            for first in range(0, len(ids), _PAGE):
                chosen = OUTCOMES.c.decision_id.in_(ids[first : first + _PAGE])
                rows = connection.execute(sa.select(OUTCOMES).where(chosen).order_by(OUTCOMES.c.number)).all()
                there = {_key(row, row.action_id) for row in rows if row.action_id and not row.outcome_id}
                for row in rows:
                    if row.customer_id is not None:
                        continue
                    record, one = decisions[row.decision_id], OUTCOMES.c.number == row.number
                    action = row.action_id or record.first[0]
                    if not row.action_id and not row.outcome_id and _key(row, action) in there:
                        # The same came once more, and named the action that this one leaves open.
                        connection.execute(sa.delete(OUTCOMES).where(one))
                        continue
                    if not row.outcome_id:
                        there.add(_key(row, action))
                    channel = row.channel or record.channel_of(action).lower()
                    values = {"customer_id": record.customer_id, "action_id": action, "channel": channel}
                    joined += connection.execute(sa.update(OUTCOMES).where(one).values(**values)).rowcount
        return joined


def _key(row: sa.Row[tuple[object, ...]], action: str) -> tuple[str, str, int, int]:
    return row.decision_id, action, row.kind, row.stated_at
