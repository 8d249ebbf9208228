"""All pictures of a training report: which there are depends on what its rows support."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.measuring import agreement
from training.reporting import curves, drift, explained, plots, profit, profit_page, slices, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.reporting.report_content import ReportContent


@dataclass(frozen=True)
class Image:
    """A drawn picture.

    Attributes:
        png: the file.
        wide: takes the whole width of a page, others half.
    """

    png: bytes
    wide: bool

    @classmethod
    def of(cls, figure: Figure) -> Image:
        """A figure, drawn once for all uses: drawing is what takes the time."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=style.DPI)
        return cls(buffer.getvalue(), figure.get_figwidth() > style.WIDE)

    @property
    def uri(self) -> str:
        """As a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


def images(content: ReportContent) -> dict[str, Image]:
    """Every picture that the content supports, drawn, by name."""
    return {name: Image.of(figure) for name, figure in figures(content).items()}


def figures(content: ReportContent) -> dict[str, Figure]:
    """Every picture that the content supports, by name."""
    return {**_of_rows(content), **_of_groups(content), **_of_inputs(content)}


def _of_rows(content: ReportContent) -> dict[str, Figure]:
    """How good the predictions are."""
    frame, evaluation = content.frame, content.evaluation
    pair, label = curves.pair_in(frame), curves.label_in(frame)
    drawn: dict[str, Figure] = {}
    if any(not math.isnan(each.value) for each in evaluation.differences):
        drawn["differences"] = plots.differences(evaluation, plots.list_measures(evaluation))
    if pair:
        drawn["roc_pr"] = curves.roc_pr(frame, pair[1], evaluation)
        drawn["gain"] = curves.gain(frame, pair[1], evaluation.models)
    if promise := pair[1] if pair else content.gate:
        drawn["calibration"] = curves.calibration(frame, promise, content.gate_bound)
    if plots.list_measures(evaluation):
        drawn["lists"] = plots.lists(evaluation)
    if label and curves.horizons_in(frame):
        drawn["horizons"] = curves.horizons(frame, label)
    if agreement.pairs_in(frame):
        drawn["agreement"] = agreement.picture(frame)
    if content.curve is not None:
        terms = profit.example(content.curve)
        drawn["profit"] = profit_page.picture(content.curve, terms, content.currency, gain=False)
    return drawn


def _of_groups(content: ReportContent) -> dict[str, Figure]:
    """When and for whom they are good."""
    evaluation, whole = content.evaluation, content.evaluation.value(content.primary).value
    drawn: dict[str, Figure] = {}
    cutoffs = len(evaluation.cutoffs) + (len(content.choice.cutoffs) if content.choice else 0)
    if cutoffs > 1 and not math.isnan(whole):
        drawn["by_cutoff"] = plots.by_cutoff(evaluation, content.primary, content.choice)
    if any(not math.isnan(each.value.value) for each in content.slices):
        drawn["slices"] = slices.picture(content.slices, evaluation.metric(content.primary), whole)
    return drawn


def _of_inputs(content: ReportContent) -> dict[str, Figure]:
    """What the model reads, how that has moved, and how its setting was found."""
    drawn: dict[str, Figure] = {}
    if content.explained is not None and len(content.explained.customer_id):
        drawn["explained"] = explained.picture(content.explained)
    elif content.importance:
        drawn["importance"] = plots.feature_importance(content.importance)
    if content.drift:
        drawn["drift"] = drift.picture(content.drift)
    losses = [float(trial["loss"]) for trial in content.trials if trial["loss"] is not None]
    if sum(not math.isnan(loss) for loss in losses) > 1:
        drawn["trials"] = plots.trials(losses)
    return drawn
