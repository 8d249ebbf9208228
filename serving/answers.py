"""The answer to each question about one customer: the same for the service and the command line."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from features import clock
from features.life_cycle import stages
from serving import decisions, meanings, portraits, schemas, scorer, scores
from serving.actions import Action
from serving.decisions import Choice, Columns, Decisions
from serving.engine import Engine, Subject
from serving.problems import ProblemError
from serving.products import Pick
from serving.records import Record

Write = Callable[[Record], None]
ITEMS = 10


def score(engine: Engine, request: schemas.CustomerRequest) -> schemas.ScoreAnswer:
    """Scores of a known customer.

    Raises:
        ProblemError: nobody has seen the customer before the as-of (404).
        UserError: the as-of or the place cannot be answered for.
    """
    _place(engine, request)
    subject = _subject(engine, request)
    if not subject.known:
        raise not_found(subject)
    return _scores(engine, request, subject)


def decide(engine: Engine, request: schemas.DecisionRequest, write: Write | None) -> schemas.DecisionAnswer:
    """The next best actions of a customer; recorded with `write` unless it is a dry run.

    Raises:
        UserError: the as-of or the place cannot be answered for.
    """
    place = _place(engine, request)
    subject = _subject(engine, request, engine.catalogue.tasks(place) | set(scorer.SHRUNK))
    considered = decisions.decide(engine.catalogue, place, engine.columns(subject, place))
    answer = schemas.DecisionAnswer(
        **_head(engine, request, subject),
        decision_id=None,
        place=place,
        catalogue_version=engine.catalogue.version,
        actions=actions(engine, considered, request.limit, request.language),
        dropped=[
            schemas.DroppedAnswer(action_id=item.action_id, channel=item.channel, reason=item.reason)
            for item in considered.dropped(0, request.limit)
        ],
    )
    if write and not request.dry_run:
        proposed = [
            {"action_id": a.action_id, "channel": a.channel, "expected_value_cents": a.expected_value_cents}
            for a in answer.actions
        ]
        answer.decision_id = _record(
            write,
            request,
            answer,
            endpoint="next-best-action",
            catalogue_version=engine.catalogue.version,
            proposed=proposed,
            considered=considered.considered(0),
        )
    return answer


def cross_sell(engine: Engine, request: schemas.CrossSellRequest, write: Write | None) -> schemas.ItemsAnswer:
    """Products that are new to the customer, to offer beside the basket in hand.

    Raises:
        UserError: the as-of or the place cannot be answered for.
    """
    return _items(engine, request, write, endpoint="cross-sell", kind="new", basket=request.basket)


def recommend(engine: Engine, request: schemas.RecommendRequest, write: Write | None) -> schemas.ItemsAnswer:
    """Products that the customer is likely to buy.

    Raises:
        UserError: the as-of or the place cannot be answered for.
    """
    return _items(engine, request, write, endpoint="recommend", kind=request.kind)


def portrait(engine: Engine, request: schemas.CustomerRequest) -> schemas.Portrait:
    """All that is known of a customer; leaves no record.

    Raises:
        ProblemError: nobody has seen the customer before the as-of (404).
        UserError: the as-of or the place cannot be answered for.
    """
    place = _place(engine, request)
    subject = _subject(engine, request)
    history = subject.history
    if not subject.known or history is None:
        raise not_found(subject)
    considered = decisions.decide(engine.catalogue, place, engine.columns(subject, place))
    picks = engine.picks(subject, ITEMS, ("any", "new"))
    seen, _ = history.visits.visible(subject.as_of)
    head = _head(engine, request, subject)
    parts, missing = portraits.parts(engine, subject, request.language)
    return schemas.Portrait(
        **{**head, "degraded": [*head["degraded"], *missing]},
        **parts,
        data_as_of=str(clock.to_date(engine.clock_day)),
        first_day=str(clock.to_date(int(seen.min()))),
        last_day=str(clock.to_date(int(seen.max()))),
        scores=_scores(engine, request, subject),
        place=place,
        actions=actions(engine, considered, request.limit, request.language),
        recommendations=[_item(engine, pick, request.language) for pick in picks["any"]],
        new_for_you=[_item(engine, pick, request.language) for pick in picks["new"]],
    )


def actions(
    engine: Engine, considered: Decisions, limit: int | None, language: str
) -> list[schemas.ActionAnswer]:
    """The ranked actions of one customer, in words."""
    return [_action(engine, considered.columns, choice, language) for choice in considered.ranked(0, limit)]


def number(value: float) -> float | None:
    """A float for JSON, where unknown is null."""
    return None if math.isnan(value) else value


def reasons(
    action: Action, columns: Columns, row: int, currency: str, language: str = "en"
) -> list[schemas.Reason]:
    """The features and scores that an action's expressions read, with this customer's known values."""
    found = []
    for name in action.evidence:
        value = float(columns[name][row])
        # "Seen before: 1" is true of nearly all; that somebody was not seen is a reason.
        if math.isnan(value) or (name == scores.KNOWN and value == 1):
            continue
        found.append(
            schemas.Reason(
                feature=name,
                value=value,
                unit=meanings.meanings()[name].unit,
                text=meanings.sentence(name, value, currency, language),
            )
        )
    return found


def not_found(subject: Subject) -> ProblemError:
    """The 404 for a customer without history."""
    return ProblemError(
        404,
        f"customer {subject.customer_id!r} is not known before {clock.to_date(subject.as_of)}.",
        "unknown-customer",
    )


def _place(engine: Engine, request: schemas.CustomerRequest) -> str:
    place = request.place or engine.catalogue.default_place
    engine.catalogue.at(place)
    return place


def _subject(
    engine: Engine, request: schemas.CustomerRequest, wanted: Collection[str] = scores.TASKS
) -> Subject:
    customer_id = request.customer.customer_id
    return engine.subject(customer_id, engine.day(request.as_of, customer_id), wanted)


def _head(engine: Engine, request: schemas.CustomerRequest, subject: Subject) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "customer_id": subject.customer_id,
        "known": subject.known,
        "as_of": str(clock.to_date(subject.as_of)),
        "models": {
            task: schemas.Model(**facts, **_origin(subject, task))
            for task, facts in engine.champions.describe(subject.as_of).items()
        },
        "degraded": engine.degraded(),
    }


def _origin(subject: Subject, task: str) -> dict[str, Any]:
    origin = subject.scores.origins.get(task)
    return {} if origin is None else origin.of(0)


def _scores(engine: Engine, request: schemas.CustomerRequest, subject: Subject) -> schemas.ScoreAnswer:
    values = {name: number(float(column[0])) for name, column in subject.scores.columns.items()}
    return schemas.ScoreAnswer(
        **_head(engine, request, subject),
        stage=stages.assign(subject.matrix.columns())[0],
        **values,
        status=str(subject.scores.status()[0]),
    )


def _action(engine: Engine, columns: Columns, choice: Choice, language: str) -> schemas.ActionAnswer:
    action = choice.action
    return schemas.ActionAnswer(
        rank=choice.rank,
        action_id=action.id,
        kind=action.kind,
        name=action.name.in_language(language),
        text=action.text.in_language(language),
        channel=choice.channel,
        expected_value_cents=choice.expected_value_cents,
        propensity=choice.propensity,
        value_cents=round(choice.value_cents),
        cost_cents=engine.catalogue.channels[choice.channel].cost_cents,
        horizon_days=action.horizon_days,
        value_basis="assumed",
        assumptions={name: engine.catalogue.assumptions[name].value for name in action.assumptions},
        reasons=reasons(action, columns, 0, engine.currency, language),
        cross_sell=action.cross_sell,
    )


def _items(
    engine: Engine,
    request: schemas.CustomerRequest,
    write: Write | None,
    *,
    endpoint: str,
    kind: str,
    basket: Sequence[str] = (),
) -> schemas.ItemsAnswer:
    place = _place(engine, request)
    subject = _subject(engine, request, scorer.SHRUNK)
    picks = engine.picks(subject, request.limit or ITEMS, (kind,), basket)[kind]
    answer = schemas.ItemsAnswer(
        **_head(engine, request, subject),
        decision_id=None,
        place=place,
        kind=kind,
        horizon_days=engine.recommender.horizon_days if engine.recommender else None,
        items=[_item(engine, pick, request.language) for pick in picks],
        ignored=engine.unknown_products(basket),
    )
    if write and not request.dry_run:
        proposed = [{"product_id": item.product_id, "score": item.score} for item in answer.items]
        answer.decision_id = _record(
            write,
            request,
            answer,
            endpoint=endpoint,
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


def _record(
    write: Write,
    request: schemas.CustomerRequest,
    answer: schemas.DecisionAnswer | schemas.ItemsAnswer,
    *,
    endpoint: str,
    catalogue_version: str,
    proposed: list[dict[str, Any]],
    considered: list[dict[str, Any]],
) -> str:
    decision_id = uuid.uuid4().hex
    write(
        Record(
            decision_id=decision_id,
            endpoint=endpoint,
            request_id=request.request_id,
            customer_id=answer.customer_id,
            as_of=answer.as_of,
            place=answer.place,
            decided_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            models={task: model.version for task, model in answer.models.items()},
            catalogue_version=catalogue_version,
            answer=proposed,
            considered=considered,
        )
    )
    return decision_id
