"""The registry: which version of a model is champion, and whether a challenger takes its place.

A challenger is compared with the champion on the same rows (customer and as-of), by the primary metric. The
rows are those of the validation cutoffs: promotion is a choice, and choices read no window of the reserved
period. The champion's predictions are those of its own run; at a validation cutoff of the challenger that the
champion's run lacks but that is no earlier than its as-of, the champion itself predicts, for it has seen
nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.clock import to_date
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training import flavor, tasks, tracking
from training.datasets import open_snapshots
from training.evaluation import evaluate
from training.fitted import Fitted
from training.metrics import MODEL, Metric

if TYPE_CHECKING:
    import pandas as pd

ALIAS = "champion"
# Household-bootstrap replicates behind the interval of a verdict.
REPLICATES = 500
CHAMPION = "champion"


@dataclass(frozen=True)
class Registered:
    """A registered version, its model loaded.

    Attributes:
        task: name of the task and of the registered model.
        version: its number.
        run_id: the run that made it.
        as_of: day it was trained as of.
        fitted: the model.
    """

    task: str
    version: int
    run_id: str
    as_of: int
    fitted: Fitted


@dataclass(frozen=True)
class Verdict:
    """What came of an attempt to promote.

    Attributes:
        task: name of the task.
        run_id: run of the challenger.
        version: version of the challenger.
        promoted: whether the challenger is champion now and was not before.
        champion_version: version of the champion after the attempt.
        metric: name of the primary metric.
        challenger_value: its value for the challenger on the common rows; None without any.
        champion_value: its value for the earlier champion on them; None without any.
        rows: number of common rows.
        sentence: the verdict in words.
        warnings: what the challenger's run warned of, a baseline that beats it for one.
    """

    task: str
    run_id: str
    version: int
    promoted: bool
    champion_version: int
    metric: str
    challenger_value: float | None
    champion_value: float | None
    rows: int
    sentence: str
    warnings: str


def champion(workspace: Workspace, task: str) -> Registered | None:
    """The champion of a task, or None when there is none.

    Raises:
        UserError: it cannot be loaded: other feature declarations, or its files are gone.
    """
    found = champion_version(workspace, task)
    if found is None:
        return None
    version, run_id = found
    fitted = load(workspace, run_id)
    return Registered(task, version, run_id, fitted.as_of, fitted)


def champion_version(workspace: Workspace, task: str) -> tuple[int, str] | None:
    """Version and run of a task's champion, without loading it."""
    from mlflow.exceptions import MlflowException

    if workspace.tracking_uri.startswith("sqlite:") and not workspace.root.exists():
        return None
    try:
        version = tracking.client(workspace).get_model_version_by_alias(task, ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return int(version.version), str(version.run_id)


def versions(workspace: Workspace, task: str) -> list[tuple[int, str]]:
    """Number and run of every registered version of a task, ascending."""
    found = tracking.client(workspace).search_model_versions(f"name = '{task}'")
    return sorted((int(each.version), str(each.run_id)) for each in found)


def load(workspace: Workspace, run_id: str) -> Fitted:
    """The model that a run made."""
    return flavor.load_model(tracking.artifact(workspace, run_id, tracking.MODEL))


def promote(workspace: Workspace, task: str, run_id: str | None = None) -> Verdict:
    """Make a version champion when there is none, or when it beats the champion on the same rows.

    Args:
        workspace: where the versions are.
        task: name of the task.
        run_id: the challenger's run; default: the latest version.

    Raises:
        UserError: the task has no such version.
    """
    metric = _primary(workspace, task)
    version, challenger = _challenger(workspace, task, run_id)
    current = champion_version(workspace, task)
    ruling = _rule(workspace, metric, Pairing(task, version, challenger, current))
    store = tracking.client(workspace)
    store.set_model_version_tag(task, str(version), "verdict", ruling.sentence)
    if ruling.promoted:
        store.set_registered_model_alias(task, ALIAS, str(version))
    return Verdict(
        task=task,
        run_id=challenger,
        version=version,
        promoted=ruling.promoted,
        champion_version=version if ruling.promoted or current is None else current[0],
        metric=metric.name,
        challenger_value=ruling.ours,
        champion_value=ruling.theirs,
        rows=ruling.rows,
        sentence=ruling.sentence,
        warnings=tracking.run_info(workspace, challenger).tags["warnings"],
    )


@dataclass(frozen=True)
class Pairing:
    """Who is compared: a challenger, and the champion's version and run if there is one."""

    task: str
    version: int
    run_id: str
    current: tuple[int, str] | None


@dataclass(frozen=True)
class Ruling:
    """The outcome of a comparison: see `Verdict`."""

    promoted: bool
    sentence: str
    ours: float | None = None
    theirs: float | None = None
    rows: int = 0


def _rule(workspace: Workspace, metric: Metric, pair: Pairing) -> Ruling:
    """Compare challenger and champion on common rows."""
    new = f"{pair.task} version {pair.version}"
    if pair.current is None:
        return Ruling(True, f"{new} is champion: there was none before.")
    old, run_id = pair.current
    if old == pair.version:
        return Ruling(False, f"{new} is already champion.")
    wins = f"{new} takes the place of version {old}"
    stays = f"{new} is not promoted, version {old} stays champion"
    frame = common_rows(workspace, pair.task, pair.run_id, run_id)
    if not len(frame):
        if not (_loadable(workspace, run_id) and _has_choice(workspace, run_id)):
            why = "can no longer be loaded (other feature declarations, or its files are gone)"
            return Ruling(True, f"{wins}, which {why}; there was no row to compare them on.")
        as_of = to_date(tracking.run_info(workspace, run_id).as_of)
        hint = f"Train the challenger so that it has a validation cutoff on or after {as_of}."
        return Ruling(False, f"{stays}: their validation cutoffs have no row in common. {hint}")
    compared = evaluate(frame, (MODEL, CHAMPION), (metric,), REPLICATES)
    ours, theirs = (compared.value(metric.name, model).value for model in (MODEL, CHAMPION))
    better = ours > theirs if metric.higher_is_better else ours < theirs
    gap = compared.difference(metric.name, CHAMPION)
    days = ", ".join(str(to_date(day)) for day in sorted(set(frame[AS_OF])))
    on = (
        f"{metric.title} {ours:.4f} against {theirs:.4f} on the same {len(frame):,} rows of validation as of "
        f"{days} (difference {gap.value:+.4f}, 95 % interval {gap.low:+.4f} to {gap.high:+.4f})"
    )
    return Ruling(better, f"{wins if better else stays}: {on}.", ours, theirs, len(frame))


def common_rows(workspace: Workspace, task: str, challenger: str, current: str) -> pd.DataFrame:
    """The challenger's validation rows that the champion predicts, too, as `champion.<field>`."""
    import pandas as pd

    rows = tracking.load_rows(workspace, challenger, tracking.CHOICE)
    if rows.empty:
        return rows
    parts: list[pd.DataFrame] = []
    if _has_choice(workspace, current):
        stored = tracking.load_rows(workspace, current, tracking.CHOICE)
        parts += [] if stored.empty else [_as_champion(stored, MODEL)]
    lacking = set(rows[AS_OF]).difference(*(part[AS_OF] for part in parts))
    info = tracking.run_info(workspace, current)
    fresh = sorted(int(day) for day in lacking if day >= info.as_of)
    if fresh and _loadable(workspace, current):
        until = tracking.run_info(workspace, challenger).as_of
        chosen = tasks.named(task)
        examples = chosen.examples(open_snapshots(workspace, until), fresh)
        parts.append(_as_champion(chosen.rows(load(workspace, current), examples, CHAMPION), CHAMPION))
    if not parts:
        return rows.iloc[:0]
    theirs = pd.concat(parts, ignore_index=True)
    return rows.merge(theirs, on=[CUSTOMER_ID, AS_OF], how="inner", validate="one_to_one")


def _as_champion(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The keys and the predictions of `model`, the latter as the champion's."""
    prefix = f"{model}."
    fields = {
        name: f"{CHAMPION}.{name.removeprefix(prefix)}" for name in rows.columns if name.startswith(prefix)
    }
    return rows[[CUSTOMER_ID, AS_OF, *fields]].rename(columns=fields)


def _loadable(workspace: Workspace, run_id: str) -> bool:
    try:
        load(workspace, run_id)
    except UserError:
        return False
    return True


def _has_choice(workspace: Workspace, run_id: str) -> bool:
    """Whether a run's validation rows are there: its files may be gone."""
    try:
        tracking.artifact(workspace, run_id, tracking.CHOICE)
    except UserError:
        return False
    return True


def _challenger(workspace: Workspace, task: str, run_id: str | None) -> tuple[int, str]:
    chosen = [each for each in versions(workspace, task) if run_id in (None, each[1])]
    if not chosen:
        what = f"run {run_id} of {task}" if run_id else f"model {task}"
        raise UserError(
            f"{what} is not registered in this workspace. Run `nextbest train {task}` first.",
            ExitCode.NOT_BUILT,
        )
    return max(chosen)


def _primary(workspace: Workspace, task: str) -> Metric:
    """The metric that decides, built for the source's labels."""
    chosen = tasks.named(task)
    labels = open_snapshots(workspace).labels
    return next(metric for metric in chosen.metrics(labels) if metric.name == chosen.primary)
