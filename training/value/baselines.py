"""The value model's baselines: past rate, BG/NBD and Pareto/NBD (both x Gamma-Gamma), logistic RFM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.baselines import bg_nbd, logistic
from training.value.boosters import PROBABILITY
from training.value.examples import ValueExamples, paid


def columns(learnt: ValueExamples, rows: ValueExamples) -> dict[str, NDArray[Any]]:
    """`<baseline>.<field>` of each row, over the row's own window.

    Args:
        learnt: rows that the logistic regression learns from.
        rows: n rows to report on.
    """
    matrix = rows.matrix
    share = rows.days / np.maximum(matrix.column("tenure_days"), 1.0)
    rate = matrix.column("visits_all") * share
    a_visit = rows.expected(lambda model, at, _: model.spend_per_visit(at))
    pareto = rows.expected(lambda model, at, on: model.visits(at, rows.days[on]))
    chance = rows.expected(lambda model, at, on: model.rhythm.visit(bg_nbd.summary(at), rows.days[on]))
    bg, bg_chance = np.empty(len(rows)), np.empty(len(rows))
    for day in rows.cutoffs:
        on = np.flatnonzero(matrix.as_of == day)
        seen = bg_nbd.summary(matrix.take(on))
        bg[on] = rows.rhythm[day].visits(seen, rows.days[on])
        bg_chance[on] = rows.rhythm[day].visit(seen, rows.days[on])
    fitted = logistic.fit(learnt.matrix, learnt.learnt[:, 0] > 0)
    # Learnt on shorter windows than the report is about, it still ranks.
    kind = PROBABILITY if (rows.days == rows.learn_days).all() else "score"
    return {
        "past_rate.visits": rate,
        "past_rate.spend_cents": paid(matrix.column("spend_all")) * share,
        "past_rate.score": rate,
        "bg_nbd.visits": bg,
        "bg_nbd.spend_cents": bg * a_visit,
        "bg_nbd.probability": bg_chance,
        "pareto_nbd.visits": pareto,
        "pareto_nbd.spend_cents": pareto * a_visit,
        "pareto_nbd.probability": chance,
        f"logistic_rfm.{kind}": logistic.probability(fitted, matrix),
    }
