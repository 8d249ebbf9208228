"""`nextbest profit`: how deep to target, from what a contact costs and a success brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final

import typer

from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from features.workspace import Workspace
    from training.registry.tracking import RunInfo
    from training.reporting.profit import Advice, Terms

MOST: Final = 1_000_000_000
"""Of one amount: times a base of millions, in cents, it still fits 64 bits."""


@dataclass(frozen=True)
class Profit:
    """What `profit` answers.

    Attributes:
        task: the run's task.
        run_id: the run.
        currency: of all amounts.
        sentence: the advice in words.
        advice: the numbers; amounts in cents.
        files: picture and page.
    """

    task: str
    run_id: str
    currency: str
    sentence: str
    advice: Advice
    files: tuple[str, ...]


def profit(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A training run's id, or a task: then its champion's run.")
    ],
    *,
    cost: Annotated[str, typer.Option("--cost", help="Cost of a contact, in the source's currency.")],
    margin: Annotated[str, typer.Option("--margin", help="What a success brings, in the same currency.")],
    effect: Annotated[
        float,
        typer.Option("--effect", help="Share of the positives reached that a contact turns into a success."),
    ] = 1.0,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say how deep to target: gain and profit of contacting those with the highest probabilities first."""
    from training.reporting.profit import Terms, money, share

    terms = Terms(_cents("--cost", cost), _cents("--margin", margin), effect)
    found = advise_run(workspace(root), run, terms)
    advice = found.advice
    rows = [
        (
            words,
            share(stop.depth),
            f"{stop.contacts:,}",
            share(stop.probability, 1) if stop.contacts else "-",
            f"{stop.found:,}",
            f"{money(stop.profit_cents)} ({money(stop.low_cents)} to {money(stop.high_cents)})",
        )
        for words, stop in (
            (
                f"all from P = {share(advice.break_even, 1)} on"
                if advice.break_even <= 1
                else "none: no contact pays",
                advice.by_probability,
            ),
            ("best depth, in hindsight", advice.best),
            ("everybody", advice.everybody),
        )
    ]
    columns = ("contacted", "share", "contacts", "least P", advice.label, f"profit, {found.currency}")
    grid = table(f"{found.task}, run {found.run_id}: {advice.rows:,} report rows", columns, rows)
    spread = f"best depth, 95 % interval: {share(advice.depth_low)} to {share(advice.depth_high)}"
    written = [f"written: {file}" for file in found.files]
    emit(found, as_json=as_json, text=[f"{found.sentence}.", grid, spread, advice.assumption, *written])


def advise_run(space: Workspace, run: str, terms: Terms) -> Profit:
    """Advice on a run's report rows, with picture and page in the workspace's reports.

    Raises:
        UserError: there is no such run, or its task predicts no single probability.
    """
    from features.canonical import Canonical
    from training import tasks
    from training.registry import registry, tracking
    from training.reporting import curves, profit_page, report
    from training.reporting.gallery import Image
    from training.reporting.profit import curve

    if run in tasks.TASKS:
        champion = registry.champion_version(space, run)
        if champion is None:
            raise UserError(
                f"{run} has no champion: name a run, or `nextbest promote {run}`.", ExitCode.NOT_BUILT
            )
        run = champion[1]
    info = tracking.run_info(space, run)
    frame = tracking.load_rows(space, run)
    pair = curves.pair_in(frame)
    if pair is None:
        raise UserError(
            f"{info.task} predicts no probability of one thing, so nobody can be ranked by it. Name a run of "
            "a task that does, churn for one."
        )
    found = curve(frame, *pair, seed=info.seed)
    currency = Canonical.open(space).source.currency
    parts = profit_page.box(found, terms, currency)
    sentence = profit_page.finding(parts["advice"], currency)
    space.reports.mkdir(parents=True, exist_ok=True)
    picture = space.reports / f"profit-{info.task}-{run[:8]}.png"
    image = Image.of(profit_page.picture(found, terms, currency))
    picture.write_bytes(image.png)
    page = picture.with_suffix(".html")
    title = report.stated(tasks.TASKS[info.task].title, _horizon(info))
    text = report.render(
        report.TEMPLATES / "profit.html",
        title=title,
        task=info.task,
        run_id=run,
        finding=sentence,
        default=image.uri,
        **parts,
    )
    page.write_text(text, encoding="utf-8")
    return Profit(info.task, run, currency, sentence, parts["advice"], (str(picture), str(page)))


def _horizon(info: RunInfo) -> int | None:
    """The horizon that a run's labels had, in days; None when it does not say or rows differ."""
    from features.labels import LabelDefinitions
    from training import tasks

    if "labels" not in info.tags:
        return None
    return tasks.TASKS[info.task].stated_days(LabelDefinitions.read(json.loads(info.tags["labels"])))


def _cents(option: str, amount: str) -> int:
    """An amount of money typed by a person, in cents.

    Raises:
        UserError: it is no number, has a fraction of a cent, or is more than MOST.
    """
    try:
        cents = Decimal(amount) * 100
    except ArithmeticError:
        cents = Decimal("NaN")
    if not cents.is_finite() or cents != cents.to_integral_value():
        raise UserError(f"{option} is {amount!r}: it has to be an amount of money, like 0.50.")
    if cents > MOST * 100:
        raise UserError(f"{option} is {amount!r}: it has to be at most {MOST:,}.")
    return int(cents)
