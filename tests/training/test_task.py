"""The contract of every task: what holds for one holds for all that are registered."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import NAMES
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.campaigns import inputs
from training.customer_task import CustomerTask
from training.datasets import Snapshots, open_snapshots
from training.fitted import Fitted
from training.measuring import gate
from training.plan import Rows, lay_out
from training.registry import flavor
from training.task import Budget, Task
from training.tasks import TASKS, named

from .conftest import visits

FIRST = pd.Timestamp("2017-01-01")
LAST = 300
CUT = 40
SMALL = Budget(trials=1, step_days=28, cutoffs=3, folds=1, reports=1, replicates=20)
# Months begin on days that leave every task a window to report on.
LABELS = """
choices_until = 2017-09-15

[labels.value]
horizon_days = 56
"""


def lines(customers: int = 150) -> pd.DataFrame:
    """The visits of the small world with something bought on each: fuel every second time, and two items."""
    frame = visits().query("customer_id < @last", local_dict={"last": f"c{customers:04d}"})
    draw = np.random.default_rng(3)
    number = frame["customer_id"].str[1:].astype(int).to_numpy()
    liked = draw.integers(0, 6, size=(len(frame), 2)) + (number % 3)[:, None] * 4
    bought = [
        frame.assign(product_id=[f"item{place:02d}" for place in liked[:, column]]) for column in (0, 1)
    ]
    fuel = frame[draw.random(len(frame)) < 0.5].assign(product_id="fuel", amount=40.0)
    return pd.concat([*bought, fuel], ignore_index=True).assign(quantity=1, store_id="s1")


def products() -> pd.DataFrame:
    names = [f"item{place:02d}" for place in range(14)]
    return pd.DataFrame(
        {
            "product_id": [*names, "fuel"],
            "department": ["GROCERY"] * len(names) + ["FUEL"],
            "category": [f"group {place // 4}" for place in range(len(names))] + ["FUEL"],
            "product_type": [f"type {place // 2}" for place in range(len(names))] + ["FUEL"],
        }
    )


def campaigns(customers: int = 150) -> dict[str, pd.DataFrame]:
    """A campaign every twelve days, each for half of the customers; the odd ones often answer."""
    draw = np.random.default_rng(4)
    planned, told, answered = [], [], []
    for place, start in enumerate(range(70, LAST - 30, 12)):
        begins = FIRST + pd.Timedelta(days=start)
        planned.append((f"k{place}", f"Type {'AB'[place % 2]}", begins, begins + pd.Timedelta(days=20)))
        for number in draw.permutation(customers)[: customers // 2]:
            told.append((f"c{number:04d}", f"k{place}", begins))
            if draw.random() < (0.5 if number % 2 else 0.05):
                when = begins + pd.Timedelta(days=int(draw.integers(1, 19)), hours=12)
                answered.append((f"c{number:04d}", f"k{place}", f"coupon{place}", "redemption", when))
    return {
        "campaigns": pd.DataFrame(planned, columns=["campaign_id", "kind", "starts_at", "ends_at"]),
        "exposures": pd.DataFrame(told, columns=["customer_id", "campaign_id", "contacted_at"]),
        "responses": pd.DataFrame(
            answered, columns=["customer_id", "campaign_id", "coupon_id", "kind", "occurred_at"]
        ),
    }


def made(root: Path, tables: dict[str, pd.DataFrame]) -> Snapshots:
    source = root / "source"
    source.mkdir(parents=True)
    for name, frame in tables.items():
        frame.to_parquet(source / f"{name}.parquet", index=False)
    (source / "source.toml").write_text('name = "contract"\ntime_zone = "UTC"\n' + LABELS, encoding="utf-8")
    workspace = Workspace(root / "workspace").create()
    ingest(workspace, str(source))
    return open_snapshots(workspace)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return made(
        tmp_path_factory.mktemp("world"), {"transactions": lines(), "products": products(), **campaigns()}
    )


@pytest.fixture(scope="module")
def cut_world(world: Snapshots, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The world earlier, on tables that never had a later row."""
    day = world.until - CUT
    return Snapshots(world.canonical.cut(day, tmp_path_factory.mktemp("cut")), day)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A task with the rows of its plan and a model of its first setting."""

    task: Task[Any]
    rows: Rows[Any]
    plan: Any
    params: dict[str, Any]
    fitted: Fitted

    @property
    def report(self) -> Any:
        return self.rows.at(self.plan.reports[-1], self.plan.as_of)


def train(task: Task[Any], snapshots: Snapshots) -> Trained:
    plan = lay_out(task, snapshots, SMALL)
    rows = Rows(task, snapshots, plan, SMALL)
    rows.prepare(choices=True)
    params = {**task.first, "rounds": 40, "min_child_weight": 2.0}
    # Fitted as of the report's cutoff: what it then says of the report is a forecast.
    past = rows.train(plan.reports[-1])
    fitted = task.finish(task.fit(past, params, 1), past, params, 1)
    return Trained(task, rows, plan, params, fitted)


@pytest.fixture(scope="module", params=sorted(TASKS))
def trained(request: pytest.FixtureRequest, world: Snapshots) -> Trained:
    return train(named(request.param), world)


def frame(trained: Trained, fitted: Fitted | None = None) -> pd.DataFrame:
    return trained.task.rows(fitted or trained.fitted, trained.report)


def test_it_says_what_it_is_for(trained: Trained, world: Snapshots) -> None:
    task = trained.task
    assert task.title
    assert task.purpose
    assert task.missing(world.canonical) is None
    assert task.primary in {metric.name for metric in task.metrics(world.labels)}
    # What a probability is about is stated: the window that its model learnt from, or one row's like most.
    stated = trained.fitted.meta["horizon_days"]
    windows = (task.horizon_days(world.labels), task.learning_days(world.labels))
    assert stated in windows if task.stated_days(world.labels) else 0 < stated <= min(windows)
    assert type(task)(**task.options()).options() == task.options()


def test_report_rows_are_told_apart_by_the_keys_and_are_the_baselines_rows(trained: Trained) -> None:
    ours = frame(trained)
    assert len(ours) > 20
    assert not ours.duplicated(list(trained.task.keys)).any()
    cutoff = trained.plan.reports[-1]
    theirs = trained.task.baselines(trained.rows.before(cutoff), trained.rows.train(cutoff), trained.report)
    keys = list(trained.task.keys)
    assert theirs[keys].equals(ours[keys])
    assert set(trained.task.bars.values()) <= {str(name).split(".")[0] for name in theirs.columns}


def test_the_same_rows_and_seed_give_the_same_model_to_the_byte(trained: Trained) -> None:
    cutoff = trained.plan.reports[-1]
    past = trained.rows.train(cutoff)
    again = trained.task.finish(trained.task.fit(past, trained.params, 1), past, trained.params, 1)
    assert again.digest() == trained.fitted.digest()


def test_a_stored_model_answers_as_the_one_in_memory(trained: Trained, tmp_path: Path) -> None:
    trained.fitted.with_meta(as_of=trained.plan.as_of).save(tmp_path / "model")
    assert frame(trained, flavor.load_model(tmp_path / "model")).equals(frame(trained))


def test_what_its_own_inputs_mean_binds_its_models(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, meta = trained.task, trained.fitted.meta
    assert list(meta["declared"].items()) == list(task.declared.items())
    # Whatever a model reads is a feature of the catalogue or declared by its task.
    kinds = map(inputs.kind_input, meta.get("kinds", ()))
    assert set(task.explain(trained.fitted, trained.report).names) <= {*NAMES, *task.declared, *kinds}
    trained.fitted.save(tmp_path / "model")
    for name in task.declared:
        with monkeypatch.context() as changed:
            changed.setattr(type(task), "declared", {**task.declared, name: "something else"})
            with pytest.raises(
                UserError, match=rf"other feature declarations.*\({re.escape(repr(name))} is another\)"
            ):
                flavor.load_model(tmp_path / "model")
    assert flavor.load_model(tmp_path / "model").task == task.name


def test_tables_cut_at_the_as_of_give_the_same_model_and_answers(
    trained: Trained, world: Snapshots, cut_world: Snapshots
) -> None:
    whole, cut = (train(trained.task, snapshots) for snapshots in (world.cut(cut_world.until), cut_world))
    assert cut.plan == whole.plan
    assert cut.fitted.digest() == whole.fitted.digest()
    assert frame(cut).equals(frame(whole))


def test_contributions_name_every_input_of_every_row(trained: Trained) -> None:
    found = trained.task.explain(trained.fitted, trained.report)
    each = found.scaled(1.0, 0.0).values  # noqa: PD011
    assert each.shape == (len(found.base), len(found.names))
    assert np.isfinite(each).all()
    assert np.abs(each).max() > 0


def test_a_report_can_say_what_moves_every_model_and_how_that_has_moved(trained: Trained) -> None:
    draws = [trained.task.sampled(trained.fitted, trained.report, 50, seed) for seed in (1, 1, 2)]
    first, again, other = (draw for draw in draws if draw is not None)
    for rows, added in (first, again, other):
        assert 0 < len(rows) <= 50
        assert rows.names == added.names
        assert rows.column(rows.names[0]).shape == added.base.shape == (len(rows),)
    assert np.array_equal(first[0].as_of, again[0].as_of)
    assert np.array_equal(first[1].base, again[1].base)
    then = trained.task.inputs(trained.rows.train(trained.plan.reports[-1]))
    now = trained.task.inputs(trained.report)
    assert then is not None
    assert now is not None
    assert then.names == now.names
    assert set(then.names) <= set(trained.fitted.meta["features"])
    assert now.as_of.min() > then.as_of.max()


def test_probabilities_keep_their_promise(trained: Trained) -> None:
    found = gate.promised(trained.task.gate, frame(trained))
    assert found, "a task without a probability has nothing that can be multiplied by money"
    for what, promise in found.items():
        assert len(promise.p) > 20, what
        assert ((promise.p >= 0) & (promise.p <= 1)).all(), what
        # Forty rounds on a world of 150 customers: what chance explains, and a twentieth. Those of a
        # horizon are sums over bins that a few rows each fill.
        slack = 0.12 if "days" in what else 0.05
        assert promise.error < promise.by_chance(replicates=200) + slack, what


@pytest.mark.parametrize(
    "trained", sorted(name for name, task in TASKS.items() if isinstance(task, CustomerTask)), indirect=True
)
def test_one_customer_gets_alone_what_they_get_among_others(trained: Trained) -> None:
    matrix = trained.report.matrix
    together = trained.task.predict(trained.fitted, matrix)
    assert set(trained.task.fields) <= set(together)
    for row in range(0, len(matrix), 29):
        alone = trained.task.predict(trained.fitted, matrix.take(np.array([row])))
        assert all(np.array_equal(alone[name], together[name][[row]]) for name in together)


DEGENERATE = {
    "one customer": lambda frame: frame[frame["customer_id"] == "c0004"],
    "one day": lambda frame: frame[frame["occurred_at"].dt.day_of_year == 150],
    "everybody every day": lambda frame: pd.concat(
        [
            frame.drop_duplicates("customer_id")
            .head(12)
            .assign(
                occurred_at=FIRST + pd.Timedelta(days=day, hours=12),
                basket_id=lambda of, day=day: of["customer_id"] + f"-{day}",
            )
            for day in range(LAST)
        ]
    ),
}


@pytest.fixture(scope="module", params=list(DEGENERATE))
def degenerate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    few = DEGENERATE[request.param](lines())
    return made(tmp_path_factory.mktemp("few"), {"transactions": few, "products": products(), **campaigns()})


# Measures of what need not be there: an item that is new to the customer or bought at all, an alert.
OF_SOME = re.compile(r"_new$|_hit$|_outside$|\.(?!promised|bought)\w+10_")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_poor_data_end_in_a_sentence_or_in_a_model_that_answers(degenerate: Snapshots, name: str) -> None:
    task = named(name)
    reason = task.missing(degenerate.canonical)
    if reason is not None:
        assert reason.endswith(".")
        return
    refusal = ""
    try:
        trained = train(task, degenerate)
    except UserError as error:
        refusal = str(error)
    if refusal:
        # It says of which task what is missing, with figures, and how to get it.
        assert re.match(rf"{name} (as of \S+ needs \d+ days of history|cannot be learned: .*\d)", refusal)
        assert re.search(r"\. (Use|Check|Train) ", refusal)
        return
    answers = frame(trained).filter(like="model.")
    assert len(answers)
    everybody_s = [column for column in answers if not OF_SOME.search(str(column))]
    assert everybody_s
    assert np.isfinite(answers[everybody_s].to_numpy(dtype=np.float64)).all()
    assert not np.isinf(answers.to_numpy(dtype=np.float64)).any()
