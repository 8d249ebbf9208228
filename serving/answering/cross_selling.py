"""What goes with a basket: for a customer, or for anybody at the till."""

from __future__ import annotations

from typing import Any, Final

from features import clock
from features.customer_store.history import History
from features.errors import UserError
from serving.access import areas, keys, who
from serving.answering import answers, tables_gone
from serving.answering.engine import Engine, seen_before
from serving.decisions.rules import Rule
from serving.decisions.withheld import KIND, withheld
from serving.messages import schemas
from serving.messages.cross_sell import CrossSellAnswer, Told
from serving.messages.problems import ProblemError
from serving.scoring import scores
from serving.scoring.beside import Offer, Offers
from serving.scoring.shelves import DAYS

CLOSED: Final = "store {} has sold nothing in the {} days before {}: nothing is offered there."


def cross_sell(
    engine: Engine, request: schemas.CrossSellRequest, write: answers.Write | None
) -> CrossSellAnswer:
    """Products to offer beside the basket in hand: new to the customer if there is one.

    Raises:
        ProblemError: nobody has seen the customer before the as-of (404), or the key may not ask about them.
        UserError: the as-of, the place or the store cannot be answered for.
    """
    place = answers.place_of(engine, request)
    who_is, history, as_of = _customer(engine, request)
    offers = _offers(engine, request, who_is["customer_id"], history, as_of)
    rule = None
    if history is not None:
        standing = engine.history.standing([who_is["customer_id"]], as_of, live=request.as_of is None)
        rule = withheld(engine.catalogue, place, who_is["customer_id"], standing)
    closed = [CLOSED.format(request.store, DAYS, clock.to_date(as_of))] if offers.closed else []
    models = engine.champions.describe(as_of)
    items = [] if rule else [_item(engine, offer, request.language) for offer in offers.offers]
    answer = Told.model_validate(
        {
            **who_is,
            "degraded": [*engine.degraded(), *_missing(engine), *who_is["degraded"], *closed],
            "request_id": request.request_id,
            "as_of": str(clock.to_date(as_of)),
            "models": {task: models[task] for task in (scores.RECOMMENDATION,) if task in models},
            "decision_id": None,
            "place": place,
            "kind": "any" if offers.by_basket else "new",
            "horizon_days": engine.recommender.horizon_days
            if engine.recommender and not offers.by_basket
            else None,
            "items": items,
            "withheld": None if rule is None else rule.id,
            "ignored": engine.unknown_products(request.basket),
            "store": request.store,
            "rests_on": offers.rests_on,
            "score_of": "basket" if offers.by_basket else "horizon",
        }
    )
    if write and not request.dry_run:
        answer.decision_id = answers.recorded(
            write,
            request,
            answer,
            endpoint="cross-sell",
            catalogue_version=engine.catalogue.version,
            proposed=[
                {
                    "product_id": offer.product_id,
                    "score": offer.score,
                    "reasons": [reason.id for reason in offer.reasons],
                }
                for offer in (() if rule else offers.offers)
            ],
            considered=[] if rule is None else [{"action_id": KIND, "dropped": rule.id}],
            controls=["holdout"] if rule is Rule.HOLDOUT else [],
        )
    return answer


def _customer(
    engine: Engine, request: schemas.CrossSellRequest
) -> tuple[dict[str, Any], History | None, int]:
    """What the answer says of whom it is about, the history, and the day."""
    if request.customer is None:
        nobody: dict[str, Any] = {"customer_id": None, "identified_by": None, "known": False, "degraded": []}
        return nobody, None, engine.day(request.as_of)
    found = who.find(engine.identifiers, request.customer)
    as_of = engine.day(request.as_of, found.customer_id)
    customer_id, history = engine.stored(found.customer_id)
    if history is None or not seen_before(history, as_of):
        raise ProblemError(
            404,
            f"{answers.unknown_customer(customer_id, as_of)} Ask without customer for what goes with the "
            "basket alone.",
            "unknown-customer",
        )
    if (key := keys.asking.get()).areas is not None:
        areas.check(key, engine.area(customer_id, history, as_of))
    known = {"customer_id": customer_id, "identified_by": found.by, "known": True}
    return {**known, "degraded": found.degraded()}, history, as_of


def _offers(
    engine: Engine,
    request: schemas.CrossSellRequest,
    customer_id: str | None,
    history: History | None,
    as_of: int,
) -> Offers:
    """The products; none without a product model.

    Raises:
        UserError: there is no such store, or the tables that would tell what it sells are gone.
    """
    beside, limit = engine.beside, request.limit or answers.ITEMS
    if beside is None:
        return Offers((), by_basket=history is None, rests_on=())
    buyer = None if customer_id is None else engine.buyer(customer_id, history, as_of)
    found = tables_gone.read(
        engine.canonical,
        lambda: beside.offers(buyer, as_of, limit, request.basket, request.store, engine.kept_items),
    )
    if found is None:
        raise UserError(tables_gone.REPLACED.format("store"))
    return found


def _missing(engine: Engine) -> list[str]:
    return [] if engine.beside is None else engine.beside.missing


def _item(engine: Engine, offer: Offer, language: str) -> dict[str, Any]:
    """The values of an `OfferedItem`."""
    reasons = [
        {"id": reason.id, "text": reason.in_language(language), "evidence": reason.evidence}
        for reason in offer.reasons
    ]
    return {
        "rank": offer.rank,
        "product_id": offer.product_id,
        "name": engine.recommender.names.get(offer.product_id) if engine.recommender else None,
        "score": offer.score,
        "reason": reasons[0]["text"],
        "category": offer.category,
        "reasons": reasons,
    }
