"""Everything that is needed to answer for one customer, opened once: store, models, catalogue, names.

It reads nothing at or after the as-of it is asked for, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features import build, clock
from features import catalogue as feature_catalogue
from features.canonical import Canonical
from features.customer_store.applying import Applier
from features.customer_store.history import History
from features.customer_store.store import CustomerStore
from features.errors import ExitCode, UserError
from features.evaluators import online
from features.evaluators.offline import FeatureMatrix
from features.identity.identifiers import Identifiers
from features.identity.profile import FactsReader
from features.life_cycle.portrait import Bases
from features.pseudonyms import Pseudonyms
from features.workspace import Workspace
from serving.access import areas, keys
from serving.access.areas import Areas
from serving.answering import tables_gone
from serving.catalogue import actions
from serving.catalogue.actions import Catalogue
from serving.contacts.history import ContactHistory
from serving.contacts.touches import OwnContacts
from serving.decisions.capacity import Bars
from serving.decisions.effects import Effects
from serving.publishing import MANIFEST
from serving.scoring import kept, scorer, scores
from serving.scoring.beside import Beside, Buyer
from serving.scoring.kept import Kept
from serving.scoring.kept_items import KeptItems
from serving.scoring.products import Pick, Recommender
from serving.scoring.scorer import Champions, Scores
from training.recommendation.histories import Histories


@dataclass(frozen=True)
class Subject:
    """One customer as of one day.

    Attributes:
        customer_id: the id in the tables (a pseudonym when the source's id was a phone or card).
        as_of: the day.
        known: whether anything was known of the customer before it.
        history: what the store holds, later days included; None for an id it has never seen.
        matrix: one row of features, all unknown when `known` is false.
        scores: what the models say, priors when `known` is false.
    """

    customer_id: str
    as_of: int
    known: bool
    history: History | None
    matrix: FeatureMatrix
    scores: Scores


@dataclass(frozen=True)
class Engine:
    """The opened workspace.

    Attributes:
        workspace: where it was opened.
        canonical: the tables.
        store: histories by customer.
        champions: the models in use.
        catalogue: the actions.
        recommender: the product model, None without a champion of that task.
        beside: the same for what goes with a basket.
        applier: brings posted events into the store.
        pseudonyms: turns an id that is a phone or card number into the one kept here.
        identifiers: whom a phone, card or plate number or an open id means.
        areas: where customers belong.
        bases: thresholds and peers by as-of, for tiers and portraits.
        facts: what is known of who somebody is, for portraits.
        history: contacts with the customers, for the contact policy.
        effects: what is believed of the actions' effects after outcomes.
        allow_future_model: answer for days before a champion's own, and say so.
        kept: scores of the last batch; None: the models are always asked.
        bars: how that batch shared out what is scarce.
        kept_items: what it knew of customers for lists of new items; None: all is worked out.
        stale: what could not be taken up since it was opened, in sentences.
    """

    workspace: Workspace
    canonical: Canonical
    store: CustomerStore
    champions: Champions
    catalogue: Catalogue
    recommender: Recommender | None
    beside: Beside | None
    applier: Applier
    pseudonyms: Pseudonyms
    identifiers: Identifiers
    areas: Areas
    bases: Bases
    facts: FactsReader
    history: ContactHistory
    effects: Effects
    allow_future_model: bool
    kept: Kept | None = None
    bars: Bars = field(default_factory=Bars)
    kept_items: KeptItems | None = None
    stale: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        workspace: Workspace,
        *,
        actions_file: Path | None = None,
        allow_future_model: bool = False,
        own: OwnContacts | None = None,
        champions: Champions | None = None,
    ) -> Engine:
        """Open a workspace for answering.

        Args:
            workspace: which.
            actions_file: catalogue instead of the workspace's.
            allow_future_model: answer for days before a champion's own.
            own: what came of earlier decisions; None: nothing is known of it.
            champions: the last good ones, which stay in use if new ones do not load.

        Raises:
            UserError: something is not built yet, or the catalogue is not valid.
        """
        canonical = Canonical.open(workspace)
        catalogue = actions.load(actions.choose(workspace.root, actions_file))
        store = build.open_store(workspace)
        if build.built_from(canonical) is None:
            raise UserError(
                "the customer store was built from other tables than the last ingest's: answers would miss "
                "what is new. Run `nextbest features build`.",
                ExitCode.NOT_BUILT,
            )
        champions = _champions(workspace, champions)
        applier = build.open_applier(workspace, store)
        applier.catch_up()
        pseudonyms = Pseudonyms(workspace)
        recommender = Recommender.of(champions, canonical)
        return cls(
            workspace=workspace,
            canonical=canonical,
            store=store,
            champions=champions,
            catalogue=catalogue,
            recommender=recommender,
            beside=Beside.of(recommender, canonical),
            applier=applier,
            pseudonyms=pseudonyms,
            identifiers=Identifiers.read(canonical, pseudonyms),
            areas=Areas.read(canonical),
            bases=Bases(canonical),
            facts=FactsReader(canonical),
            history=ContactHistory.of(canonical, *_named(catalogue), applier=applier, own=own),
            effects=Effects.read(workspace.effects, catalogue),
            allow_future_model=allow_future_model,
        ).with_scores()

    def with_catalogue(self, catalogue: Catalogue) -> Engine:
        """The same, deciding by another catalogue; effects that cannot be read stay what they were."""
        history = self.history.named(*_named(catalogue))
        try:
            effects = Effects.read(self.workspace.effects, catalogue)
        except UserError:
            effects = self.effects.carried(catalogue)
        return replace(self, catalogue=catalogue, history=history, effects=effects)

    def with_champions(self) -> Engine:
        """The same with the champions that the registry has now.

        Raises:
            UserError: one cannot be loaded, or there is none any more.
        """
        champions = Champions.load(self.workspace, self.champions).one_thread()
        champions.require()
        recommender = Recommender.of(champions, self.canonical)
        if recommender and self.recommender and recommender.model is self.recommender.model:
            return replace(self, champions=champions).with_scores()
        beside = Beside.of(recommender, self.canonical)
        if beside is not None:
            tables_gone.read(self.canonical, lambda: beside.prepare(self.clock_day))
        found = replace(self, champions=champions, recommender=recommender, beside=beside)
        return found.with_scores()

    def with_scores(self) -> Engine:
        """The same with what the last batch made: scores, help with lists, shares of what is scarce."""
        labels, folder = self.canonical.source.labels, self.workspace.scores
        return replace(
            self,
            kept=Kept.read(folder, self.champions, labels),
            bars=Bars.read(folder / MANIFEST),
            kept_items=KeptItems.read(folder),
        )

    @property
    def clock_day(self) -> int:
        """The first day that the loaded data do not cover."""
        return self.canonical.clock_day

    @property
    def currency(self) -> str:
        """The source's currency code."""
        return self.canonical.source.currency

    def now(self, customer_id: str) -> int:
        """The as-of that is now for a customer: the workspace's clock, or later to see what was posted."""
        posted = [self.applier.known_day(name) for name in {customer_id, self.pseudonyms.of(customer_id)}]
        return max([self.clock_day, *(day + 1 for day in posted if day is not None)])

    @property
    def products(self) -> NDArray[np.str_]:
        """Product ids by the store's code, those of posted events too."""
        return self.store.products

    def day(self, as_of: str | None, customer_id: str = "") -> int:
        """The as-of of a request about a customer.

        Raises:
            UserError: it is not a date, lies after the customer's now, or before a champion's own as-of.
        """
        now = self.now(customer_id)
        day = now if as_of is None else clock.to_day(clock.parse_date(as_of, name="as_of"))
        if day > now:
            check_day(self.canonical, day)
        self.champions.check(day, allow_future=self.allow_future_model)
        return day

    def subject(self, customer_id: str, as_of: int, wanted: Collection[str] = scores.TASKS) -> Subject:
        """A customer's features as of a day, and the scores of the tasks that are wanted."""
        return self.subjects([(customer_id, as_of)], wanted)[0]

    def subjects(
        self, asked: Sequence[tuple[str, int]], wanted: Collection[str] = scores.TASKS
    ) -> list[Subject]:
        """The same of several customers, scored together."""
        seen = [self._seen(customer_id, as_of) for customer_id, as_of in asked]
        rows, labels = [matrix for _, known, matrix in seen if known], self.canonical.source.labels
        scored = kept.scored(self.kept, self.champions, rows, labels, wanted)
        return [
            Subject(
                customer_id=str(matrix.customer_id[0]),
                as_of=as_of,
                known=known,
                history=history,
                matrix=matrix,
                scores=next(scored) if known else scorer.priors(self.champions),
            )
            for (history, known, matrix), (_, as_of) in zip(seen, asked, strict=True)
        ]

    def _seen(self, customer_id: str, as_of: int) -> tuple[History | None, bool, FeatureMatrix]:
        """A customer's history, whether anything of it was known before the day, and one row of features."""
        customer_id, history = self.stored(customer_id)
        names = feature_catalogue.NAMES
        known = history is not None and seen_before(history, as_of)
        values = np.full(len(names), np.nan) if history is None else online.evaluate(history, as_of)
        matrix = FeatureMatrix(
            np.array([customer_id], dtype=object), np.array([as_of], dtype=np.int32), names, values[None, :]
        )
        return history, known, matrix

    def stored(self, customer_id: str) -> tuple[str, History | None]:
        """The id under which a customer is stored, and the history; None for one never seen."""
        history = self.store.get(customer_id)
        if history is None:
            # Only an id that is not stored as it is can be one that was hashed at the door of the tables.
            customer_id = self.pseudonyms.of(customer_id)
            history = self.store.get(customer_id)
        return customer_id, history

    def area(self, customer_id: str, history: History | None, as_of: int) -> str | None:
        """The area of a customer as of a day; None when it is not known."""
        return self.areas.of(customer_id, history, as_of, self.store)

    def check(self, customer_id: str) -> None:
        """Refuse a customer whom the key of the request may not ask or tell about.

        Raises:
            ProblemError: the customer is of another area (403).
        """
        if (key := keys.asking.get()).areas is not None:
            name, history = self.stored(customer_id)
            areas.check(key, self.area(name, history, self.now(name)))

    def picks(
        self, subject: Subject, limit: int, kinds: Sequence[str], basket: Sequence[str] = ()
    ) -> dict[str, list[Pick]]:
        """Products for a customer by kind, best first; empty lists without a product model."""
        if self.recommender is None:
            return {kind: [] for kind in kinds}
        histories = self.bought(subject.customer_id, subject.history, subject.as_of)
        return self.recommender.picks(histories, subject.as_of, limit, kinds, basket)

    def buyer(self, customer_id: str, history: History | None, as_of: int) -> Buyer | None:
        """One customer as a buyer; None for one never seen."""
        if history is None:
            return None
        histories = partial(self.bought, customer_id, history, as_of)
        return Buyer(history.baskets, self.products, histories)

    def bought(self, customer_id: str, history: History | None, as_of: int) -> Histories:
        """What one customer bought before a day."""
        if history is not None:
            # Baskets that count for another person since belong to no list of this one.
            history = history._replace(baskets=history.baskets.visible(as_of))
        stores = self.store.stores if self.recommender and self.recommender.by_store else None
        return Histories.of([history], self.products, [customer_id], stores)

    def unknown_products(self, basket: Sequence[str]) -> list[str]:
        """Products of a basket that have no say in its lists; all of them without a product model."""
        distinct = list(dict.fromkeys(basket))
        return distinct if self.recommender is None else self.recommender.unknown(distinct)

    def degraded(self) -> list[str]:
        """What is missing from every answer, in sentences."""
        return [*self.champions.missing.values(), *self.stale]


def _champions(workspace: Workspace, known: Champions | None) -> Champions:
    """The champions in the registry, or, if they do not load, the last good ones.

    Raises:
        UserError: one cannot be loaded, or there is none, and none are known.
    """
    try:
        champions = Champions.load(workspace, known).one_thread()
        champions.require()
    except UserError:
        if known is None:
            raise
        return known
    return champions


def _named(catalogue: Catalogue) -> tuple[list[str], dict[str, list[str]]]:
    """The actions and channels of a catalogue, as its contact history names them."""
    return [action.id for action in catalogue.actions], catalogue.known_as


def seen_before(history: History, as_of: int) -> bool:
    """Whether any of a customer's visits counts at the day."""
    return bool(len(history.visits.visible(as_of)[0]))


def check_day(canonical: Canonical, day: int) -> None:
    """Refuse an as-of that the data do not reach.

    Raises:
        UserError: it lies after the workspace's clock.
    """
    if day > canonical.clock_day:
        raise UserError(
            f"as-of {clock.to_date(day)} is after the workspace's clock "
            f"({clock.to_date(canonical.clock_day)}): "
            "what happened in between is not known yet. Ingest newer data, or ask for that day or before."
        )
