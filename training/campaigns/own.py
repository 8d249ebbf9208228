"""Contacts of our own decisions as campaigns: what response models learn from once there are enough.

The contacts with one action that were decided as of one day are one campaign, its kind the action: it starts
on that day, as of which its inputs are read, and runs for `labels.response.own_days`. So the rest of the task
knows no difference: a campaign teaches when its last day is over, never before.

A contact is one that was reported as shown. Who reports answers alone would teach that everybody answers.

Whom the decisions chose is no sample of all customers. They chose by what the model reads, too, and partly by
chance, with a probability that the file keeps: given its inputs an answer does not depend on having been
chosen, so rows are not weighted by that probability, which would only add noise of the rarely chosen. Where
nothing was left to chance, rows of customers who are never chosen are missing, and the model guesses there.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.canonical import Canonical
from features.clock import to_date
from features.columns import AS_OF, CUSTOMER_ID, DAY, KNOWN_DAY
from training.campaigns import examples
from training.campaigns.campaign import named
from training.campaigns.contacts import CAMPAIGN_ID, Contacts

if TYPE_CHECKING:
    from features.labels import ResponseLabel
    from training.datasets import Snapshots

# One row per decision and action that was shown; days are local, and -1 where nothing was answered.
SCHEMA: Final = pa.schema(
    [
        (CUSTOMER_ID, pa.string()),
        ("action", pa.string()),
        (AS_OF, pa.int32()),
        ("shown_day", pa.int32()),
        ("shown_known_day", pa.int32()),
        ("answer_day", pa.int32()),
        ("answer_known_day", pa.int32()),
        ("selection_probability", pa.float64()),
    ]
)
# Windows of contacts that a fit reads: each of their days needs features of its own.
WINDOWS: Final = 4


def contacts(snapshots: Snapshots) -> Contacts | None:
    """Our own contacts that were known before the snapshots' end; None when the workspace keeps none."""
    if snapshots.own is None:
        return None
    canonical, days = snapshots.canonical, snapshots.labels.response.own_days
    file = snapshots.own, snapshots.own.stat().st_mtime_ns
    return _read(file, canonical.folder, canonical.identity, snapshots.until, days)


def lacking(snapshots: Snapshots, known: Contacts) -> str:
    """What is not enough of own contacts, as a clause; empty when there are enough."""
    label = snapshots.labels.response
    shown, answered = _counts(snapshots, known)
    found = (
        ("contacts that are over", shown, label.own_contacts),
        ("of these that were answered", answered, label.own_answers),
        ("that were not", shown - answered, label.own_answers),
    )
    short = [f"{has:,} {what}, where {least:,} are enough" for what, has, least in found if has < least]
    return "; ".join(short)


def sentence(snapshots: Snapshots, known: Contacts, label: ResponseLabel) -> str:
    """What is learned from."""
    starts = [past.start for past in examples.usable(snapshots, known)]
    shown, answered = _counts(snapshots, known)
    return (
        f"learned from own records: {shown:,} contacts decided as of {to_date(min(starts))} to "
        f"{to_date(max(starts))}, {answered:,} of them accepted or redeemed within {label.own_days} days."
    )


def digest(known: Contacts) -> str:
    """SHA-256 of the contacts and answers, whatever their order."""
    sha = hashlib.sha256()
    for rows in (known.exposed, known.answered):
        sha.update(rows.sort_values(list(rows.columns)).to_csv(index=False).encode())
    return sha.hexdigest()


def _counts(snapshots: Snapshots, known: Contacts) -> tuple[int, int]:
    """Contacts that are over, and how many of them were answered."""
    usable = examples.usable(snapshots, known)
    return sum(past.facts.targeted for past in usable), sum(past.answers for past in usable)


@lru_cache(maxsize=8)
def _read(file: tuple[Path, int], folder: Path, identity: Path, until: int, days: int) -> Contacts:
    """Read once per file as it was written at an instant, generation of tables and day."""
    rows = pq.read_table(file[0], schema=SCHEMA).to_pandas()
    rows = rows[(rows["shown_day"] < until) & (rows["shown_known_day"] < until)]
    rows = rows[(rows["shown_day"] >= rows[AS_OF]) & (rows["shown_day"] < rows[AS_OF] + days)]
    names = {day: str(to_date(day)) for day in rows[AS_OF].unique()}
    rows = rows.assign(**{CAMPAIGN_ID: rows["action"] + "@" + rows[AS_OF].map(names).astype(str)})
    answers = rows[(rows["answer_day"] >= rows["shown_day"])]
    answers = answers[(answers["answer_day"] < until) & (answers["answer_known_day"] < until)]
    campaigns = rows[[CAMPAIGN_ID, "action", AS_OF]].drop_duplicates().sort_values([AS_OF, CAMPAIGN_ID])
    return Contacts(
        Canonical.read(folder, identity),
        until,
        pd.DataFrame(
            {
                CAMPAIGN_ID: campaigns[CAMPAIGN_ID],
                "kind": campaigns["action"].map(named),
                "start_day": campaigns[AS_OF].astype("int64"),
                "end_day": campaigns[AS_OF].astype("int64") + days - 1,
            }
        ).reset_index(drop=True),
        _events(rows, "shown"),
        _events(answers, "answer"),
        2 * days,
        daily=True,
    )


def _events(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Distinct contacts, or answers, as `Contacts` has them."""
    columns = {f"{what}_day": DAY, f"{what}_known_day": KNOWN_DAY}
    return (
        rows[[CUSTOMER_ID, CAMPAIGN_ID, *columns]]
        .rename(columns=columns)
        .drop_duplicates()
        .sort_values([CUSTOMER_ID, CAMPAIGN_ID, DAY, KNOWN_DAY])
        .reset_index(drop=True)
    )
