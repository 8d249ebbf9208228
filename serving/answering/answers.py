"""The answer to each question about one customer: the same for the service and the command line."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from features import clock
from features.catalogue import catalogue_hash
from features.errors import UserError
from features.life_cycle import stages
from serving.access import areas, keys, who
from serving.access.who import Found
from serving.answering import deciding, loops, portraits
from serving.answering.engine import Engine, Subject
from serving.decisions import considered, proposals
from serving.messages import schemas
from serving.messages.problems import ProblemError
from serving.records.record import Record
from serving.scoring import scores
from serving.scoring.products import Pick

Write = Callable[[Record], None]
ITEMS = 10


def score(engine: Engine, request: schemas.ScoreRequest) -> schemas.ScoreAnswer | schemas.ScoresAnswer:
    """Scores of a known customer, or of several customers.

    Raises:
        ProblemError: nobody has seen the one customer before the as-of (404).
        UserError: the as-of or the place cannot be answered for.
    """
    place_of(engine, request)
    asked = [request.customer] if request.customer else request.customers or []
    subjects = _subjects(engine, request, asked)
    if request.customer and not subjects[0][1].known:
        raise not_found(subjects[0][1])
    given = [_scores(engine, request, *one) for one in subjects]
    if request.customer:
        return given[0]
    return schemas.ScoresAnswer(request_id=request.request_id, degraded=engine.degraded(), scores=given)


def decide(engine: Engine, request: schemas.DecisionRequest, write: Write | None) -> schemas.DecisionAnswer:
    """The next best actions of a customer; recorded with `write` unless it is a dry run.

    Raises:
        UserError: the as-of or the place cannot be answered for.
    """
    place = place_of(engine, request)
    at = None if request.time is None else _instant(request.time)
    found, subject = _subject(engine, request, engine.catalogue.tasks(place))
    basket = len(set(request.basket))
    decided = deciding.decide(engine, subject, place, live=request.as_of is None, at=at, basket=basket)
    head = _head(engine, request, found, subject)
    answer = schemas.DecisionAnswer(
        **{**head, "degraded": [*head["degraded"], *decided.missing]},
        decision_id=None,
        place=place,
        vehicle=who.vehicle(engine.identifiers, request.customer),
        catalogue_version=engine.catalogue.version,
        actions=proposals.actions(decided, request.limit, engine.currency, request.language),
        selection_probability=float(decided.probability[0]) if decided.chosen[0] else None,
        arms=decided.arms_of(0),
        control=decided.controls_of(0),
        dropped=[
            schemas.DroppedAnswer(**vars(item))
            for item in considered.dropped(decided, 0, request.limit, request.language)
        ]
        if request.explain
        else None,
    )
    if write and not request.dry_run:
        proposed = [
            {"action_id": a.action_id, "channel": a.channel, "expected_value_cents": a.expected_value_cents}
            for a in answer.actions
        ]
        answer.decision_id = recorded(
            write,
            request,
            answer,
            endpoint="next-best-action",
            catalogue_version=engine.catalogue.version,
            proposed=proposed,
            considered=considered.pairs(decided, 0),
            arms=answer.arms,
            controls=answer.control,
            selection_probability=answer.selection_probability,
        )
    return answer


def recommend(engine: Engine, request: schemas.RecommendRequest, write: Write | None) -> schemas.ItemsAnswer:
    """Products that the customer is likely to buy.

    Raises:
        UserError: the as-of or the place cannot be answered for.
    """
    return _items(engine, request, write)


def portrait(engine: Engine, request: schemas.CustomerRequest) -> schemas.Portrait:
    """All that is known of a customer; leaves no record.

    Raises:
        ProblemError: nobody has seen the customer before the as-of (404).
        UserError: the as-of or the place cannot be answered for.
    """
    place = place_of(engine, request)
    found, subject = _subject(engine, request)
    history = subject.history
    if not subject.known or history is None:
        raise not_found(subject)
    decided = deciding.decide(engine, subject, place, live=request.as_of is None)
    picks = engine.picks(subject, ITEMS, ("any", "new"))
    seen, _ = history.visits.visible(subject.as_of)
    head = _head(engine, request, found, subject)
    parts, missing = portraits.parts(engine, subject, request.language)
    parts |= loops.parts(engine, subject, request.language, live=request.as_of is None)
    return schemas.Portrait(
        **{**head, "degraded": [*head["degraded"], *missing, *decided.missing]},
        **parts,
        data_as_of=str(clock.to_date(engine.clock_day)),
        first_day=str(clock.to_date(int(seen.min()))),
        last_day=str(clock.to_date(int(seen.max()))),
        scores=_scores(engine, request, found, subject),
        place=place,
        actions=proposals.actions(decided, request.limit, engine.currency, request.language),
        recommendations=[_item(engine, pick, request.language) for pick in picks["any"]],
        new_for_you=[_item(engine, pick, request.language) for pick in picks["new"]],
    )


def number(value: float) -> float | None:
    """A float for JSON, where unknown is null."""
    return None if math.isnan(value) else value


def not_found(subject: Subject) -> ProblemError:
    """The 404 for a customer without history."""
    return ProblemError(404, unknown_customer(subject.customer_id, subject.as_of), "unknown-customer")


def unknown_customer(customer_id: str, as_of: int) -> str:
    """The sentence for a customer without history before a day."""
    return f"customer {customer_id!r} is not known before {clock.to_date(as_of)}."


def _instant(text: str) -> int:
    """UTC microseconds of an instant as it is written.

    Raises:
        UserError: it is none, has no offset, or is of no time that anybody plans for.
    """
    at = clock.parse_instant(text)
    if at is None or not 0 <= clock.to_microseconds(at) < clock.to_microseconds(clock.END):
        raise UserError(
            f"time is {text!r}; write an instant from 1970 to 2199 with its offset, as "
            "2018-01-03T08:30:00-05:00."
        )
    return clock.to_microseconds(at)


def place_of(
    engine: Engine, request: schemas.CustomerRequest | schemas.ScoreRequest | schemas.CrossSellRequest
) -> str:
    """The place of a request, or the catalogue's default one.

    Raises:
        UserError: there is no such place.
    """
    place = request.place or engine.catalogue.default_place
    engine.catalogue.at(place)
    return place


def _subject(
    engine: Engine, request: schemas.CustomerRequest, wanted: Collection[str] = scores.TASKS
) -> tuple[Found, Subject]:
    return _subjects(engine, request, [request.customer], wanted)[0]


def _subjects(
    engine: Engine,
    request: schemas.CustomerRequest | schemas.ScoreRequest,
    asked: Sequence[schemas.Customer],
    wanted: Collection[str] = scores.TASKS,
) -> list[tuple[Found, Subject]]:
    """The customers of a request, whom its key may ask about, and how they were found."""
    found = [who.find(engine.identifiers, customer) for customer in asked]
    ids = [one.customer_id for one in found]
    subjects = engine.subjects([(name, engine.day(request.as_of, name)) for name in ids], wanted)
    if (key := keys.asking.get()).areas is not None:
        for subject in subjects:
            areas.check(key, engine.area(subject.customer_id, subject.history, subject.as_of))
    return list(zip(found, subjects, strict=True))


def _head(
    engine: Engine,
    request: schemas.CustomerRequest | schemas.ScoreRequest,
    found: Found,
    subject: Subject,
) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "customer_id": subject.customer_id,
        "known": subject.known,
        "as_of": str(clock.to_date(subject.as_of)),
        "models": {
            task: _model((*facts.items(), *_origin(subject, task).items()))
            for task, facts in engine.champions.describe(subject.as_of).items()
        },
        "identified_by": found.by,
        "degraded": [*engine.degraded(), *found.degraded()],
    }


# A class costs more to make than the rest of an answer's head, and nearly all customers have the same ones.
@lru_cache(maxsize=1024)
def _model(facts: tuple[tuple[str, Any], ...]) -> schemas.Model:
    return schemas.Model(**dict(facts))


def _origin(subject: Subject, task: str) -> dict[str, Any]:
    origin = subject.scores.origins.get(task)
    return {} if origin is None else origin.of(0)


def _scores(
    engine: Engine,
    request: schemas.CustomerRequest | schemas.ScoreRequest,
    found: Found,
    subject: Subject,
) -> schemas.ScoreAnswer:
    values = {name: number(float(column[0])) for name, column in subject.scores.columns.items()}
    return schemas.ScoreAnswer(
        **_head(engine, request, found, subject),
        stage=stages.assign(subject.matrix.columns())[0],
        **values,
        status=str(subject.scores.status()[0]),
    )


def _items(engine: Engine, request: schemas.RecommendRequest, write: Write | None) -> schemas.ItemsAnswer:
    place = place_of(engine, request)
    found, subject = _subject(engine, request, ())
    picks = engine.picks(subject, request.limit or ITEMS, (request.kind,))[request.kind]
    answer = schemas.ItemsAnswer(
        **_head(engine, request, found, subject),
        decision_id=None,
        place=place,
        kind=request.kind,
        horizon_days=engine.recommender.horizon_days if engine.recommender else None,
        items=[_item(engine, pick, request.language) for pick in picks],
        ignored=[],
    )
    if write and not request.dry_run:
        proposed = [{"product_id": item.product_id, "score": item.score} for item in answer.items]
        answer.decision_id = recorded(
            write,
            request,
            answer,
            endpoint="recommend",
            catalogue_version=engine.catalogue.version,
            proposed=proposed,
            considered=[],
        )
    return answer


def _item(engine: Engine, pick: Pick, language: str) -> schemas.Item:
    return schemas.Item(
        rank=pick.rank,
        product_id=pick.product_id,
        name=engine.recommender.names.get(pick.product_id) if engine.recommender else None,
        score=pick.score,
        reason=pick.reason_zh if language == "zh" else pick.reason_en,
    )


def recorded(
    write: Write,
    request: schemas.CustomerRequest | schemas.CrossSellRequest,
    answer: schemas.DecisionAnswer | schemas.ItemsAnswer,
    *,
    endpoint: str,
    catalogue_version: str,
    proposed: list[dict[str, Any]],
    considered: list[dict[str, Any]],
    **more: Any,
) -> str:
    """The id under which an answer has been recorded."""
    decision_id = uuid.uuid4().hex
    write(
        Record(
            decision_id=decision_id,
            endpoint=endpoint,
            request_id=request.request_id,
            # Nobody has an empty id: what was offered to anybody at the till is no contact with a customer.
            customer_id=answer.customer_id or "",
            as_of=answer.as_of,
            place=answer.place,
            decided_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            models={task: model.version for task, model in answer.models.items()},
            catalogue_version=catalogue_version,
            answer=proposed,
            considered=considered,
            features=catalogue_hash(),
            **more,
        )
    )
    return decision_id
