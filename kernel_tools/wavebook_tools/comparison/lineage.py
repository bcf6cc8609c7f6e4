"""Which wave came from which, and the best velocity error that was known after each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from bokeh.models import ColumnDataSource, FixedTicker, Range1d
from bokeh.plotting import figure

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment, collect
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.comparison.overview import MARKS
from wavebook_tools.comparison.verdict import judge_all
from wavebook_tools.display.style import BASELINE_COLOUR, PALETTE, add_hover, make_figure
from wavebook_tools.errors import WavebookError
from wavebook_tools.metrics.quantities import quantity
from wavebook_tools.records.plan import WavePlan

EXPLANATION = (
    "Dots are experiments (hollow: of earlier waves that are not compared here), the wide line is the best velocity "
    "error so far, thin lines lead from the best of a wave to the best of those that came from it. Waves with other "
    "tasks or sizes are not comparable by this alone."
)


def lineage(comparison: Comparison, linked: Linked) -> figure | None:
    """The compared waves and their ancestors in the order of time; None where there is one wave or no result."""
    whole = _with_ancestors(comparison)
    plans = sorted(whole.plans, key=lambda plan: plan.id)
    if len(plans) < 2:
        return None
    verdicts = judge_all(whole)
    place = {plan.id: number for number, plan in enumerate(plans)}
    rows = {experiment.id: row for row, experiment in enumerate(linked.experiments)}
    compared: dict[str, list[Any]] = {"row": [], "x": [], "y": [], "wave": [], "verdict": []}
    earlier: dict[str, list[Any]] = {"label": [], "x": [], "y": [], "wave": [], "verdict": []}
    best: dict[int, float] = {}
    for plan in plans:
        for experiment in whole.of_wave(plan.id):
            if not (numbers := experiment.measured()):
                continue
            error = fmean(numbers)
            verdict = verdicts[experiment.id].verdict
            row = rows.get(experiment.id)
            dots, first = (earlier, experiment.label) if row is None else (compared, row)
            values = (first, place[plan.id], error, f"{plan.id}: {plan.goal}", MARKS[verdict])
            for column, value in zip(dots.values(), values, strict=True):
                column.append(value)
            if verdict != "failed":  # its surviving seeds are no fair sample
                best[plan.id] = min(error, best.get(plan.id, math.inf))
    if not compared["x"] and not earlier["x"]:
        return None
    plot = make_figure("Waves and the best so far", "", quantity(JUDGED).title, height=300, name="lineage",
                       x_range=Range1d(start=-0.5, end=len(plans) - 0.5))  # fmt: skip
    plot.xaxis.ticker = FixedTicker(ticks=list(place.values()))
    plot.xaxis.major_label_overrides = {place[plan.id]: f"wave {plan.id}" for plan in plans}
    _draw_children(plot, plans, place, best)
    _draw_best(plot, plans, place, best)
    tooltips = [("", "@label"), ("wave", "@wave"), ("velocity error", "@y{0.0000}"), ("verdict", "@verdict")]
    source = linked.scatter_source(compared.pop("row"), **compared)
    circles = plot.scatter("x", "y", source=source, size=10, color="colour", alpha="alpha", nonselection_alpha=FADED,
                           name="lineage")  # fmt: skip
    linked.link(plot, [circles], tooltips)
    others = plot.scatter("x", "y", source=ColumnDataSource(earlier), size=9, fill_alpha=0, color=BASELINE_COLOUR)
    add_hover(plot, tooltips, renderers=[others])
    return plot


def _with_ancestors(comparison: Comparison) -> Comparison:
    found = {plan.id: plan for plan in comparison.plans}
    experiments: list[Experiment] = list(comparison.experiments)
    waiting = [plan.parent for plan in comparison.plans]
    while waiting:
        parent = waiting.pop()
        if parent is None or parent in found:
            continue
        try:
            more = collect(comparison.project, [parent])
        except WavebookError:
            continue
        found[parent] = more.plans[0]
        experiments += more.experiments
        waiting.append(more.plans[0].parent)
    return Comparison(comparison.project, tuple(found.values()), tuple(experiments))


def _draw_children(plot: figure, plans: Sequence[WavePlan], place: dict[int, int], best: dict[int, float]) -> None:
    born = [(p.parent, p.id) for p in plans if p.parent is not None and p.parent in best and p.id in best]
    plot.segment(
        [place[parent] for parent, _ in born],
        [best[parent] for parent, _ in born],
        [place[child] for _, child in born],
        [best[child] for _, child in born],
        line_color=BASELINE_COLOUR,
    )


def _draw_best(plot: figure, plans: Sequence[WavePlan], place: dict[int, int], best: dict[int, float]) -> None:
    x: list[int] = []
    y: list[float] = []
    for plan in plans:
        if plan.id in best:
            x.append(place[plan.id])
            y.append(min(best[plan.id], y[-1] if y else math.inf))
    plot.step(x, y, mode="after", line_color=PALETTE[2], line_width=3)
