"""The interactive comparison: all sections, and the one script that ties them together."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    LinearScale,
    LogScale,
    LogTicker,
)
from bokeh.models.layouts import LayoutDOM
from bokeh.models.widgets import Div, Select
from bokeh.plotting import figure

from wavebook_tools.comparison import controls, learning_curves, lineage, rewards, sensitivity
from wavebook_tools.comparison import final_metrics as finals
from wavebook_tools.comparison.curves import DRAWN, bands, curve, metric_names, metrics_and_points
from wavebook_tools.comparison.data import Comparison
from wavebook_tools.comparison.gaps import NOT_EVALUATED, NOTHING_FITS, NOTHING_RECORDED, Gap
from wavebook_tools.comparison.learning_curves import Panel, grid
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.comparison.overview import overview_html, verdict_table
from wavebook_tools.comparison.packing import pack
from wavebook_tools.comparison.terrains import MOST_BARS, terrains
from wavebook_tools.metrics.quantities import quantity

REQUEST, ANSWER = "wavebook-request", "wavebook-answer"
"""Names of the sources through which the page asks JupyterLab's panel for detail and is answered."""
SCRIPTS = ("interaction", "unpacking", "linking", "saving")
"""Parts of the one script, which answers every event of the page."""
STATE = "wavebook-state"
"""Name of the source that holds what a person chose in the page, and takes it over from the page before."""


def interactive(comparison: Comparison, linked: Linked, *, live: bool, overview: bool) -> LayoutDOM:
    """All sections of a comparison in one column, tied together by ``interaction.js``.

    Args:
        comparison: What is compared.
        linked: Its experiments as rows.
        live: Whether a server is there to ask for more points.
        overview: Whether the table belongs to it. A notebook's cell has it above, with what the figures mean.
    """
    filters = controls.filters(linked)
    sections: list[LayoutDOM] = []
    table: Div | None = None
    if overview:
        text = overview_html(comparison, linked.experiments, linked.verdicts)
        table = Div(text=text, sizing_mode="stretch_width", stylesheets=[filters.hide])
        sections.append(table)
    gaps: list[Gap] = []
    if filters.selects:
        gaps.append(Gap.of([], [range(len(linked.experiments))], NOTHING_FITS))
        sections += [row(*filters.selects, styles=controls.WRAPPED), gaps[-1].note]
    measured = finals.final_metrics(comparison, linked)
    if measured:
        gaps.append(Gap.of(measured, [finals.rows_with_a_mean(plot) for plot in measured], NOT_EVALUATED))
        heading = _heading("Fixed evaluation", finals.EXPLANATION if overview else "")
        sections += [heading, gaps[-1].note, grid(measured)]
    curves = _Curves(linked, live=live)
    if not curves.panels:
        none = Div(text="<p>No iteration has been recorded yet.</p>", sizing_mode="stretch_width")
        return column(*sections, none, sizing_mode="stretch_width")

    legend = controls.legend(linked, filters.hide)
    smoothing, axes, export = controls.smoothing(curves.end), controls.axes(), controls.Exports.make()
    panels = [
        column(select, panel.plot, sizing_mode="stretch_width")
        for select, panel in zip(curves.selects, curves.panels, strict=True)
    ]
    gaps.append(curves.gap())
    sections += [
        _heading("Learning curves", learning_curves.EXPLANATION if overview else ""), legend, row(smoothing, axes),
        gaps[-1].note, grid(panels),
    ]  # fmt: skip
    figures = [*measured, *(panel.plot for panel in curves.panels)]
    arguments: dict[str, Any] = {
        "rows": _rows(linked, filters.keys),
        "filters": vars(filters),
        "gaps": [vars(gap) for gap in gaps],
        "finals": measured,
        "most_rows": finals.MOST_ROWS,
        "legend": legend,
        "table": table,
        "smoothing": smoothing,
        "axes": axes,
        "export_buttons": {**vars(export), "csv": _table_text(linked)},
        "faded": FADED,
        "band": learning_curves.BAND,
        "scales": _scales(),
        **curves.arguments(),
    }
    for more, section, name in (_rewards(linked, curves), _terrains(linked), _parameters(linked)):
        arguments[name] = more
        if section is not None:
            sections += section
            figures += [plot for part in section for plot in part.select({"type": figure}) if isinstance(plot, figure)]
    if (tree := lineage.lineage(comparison, linked)) is not None:
        sections += [_heading("Lineage", lineage.EXPLANATION), grid([tree])]
        figures.append(tree)
    sections += [_heading("Take along", "One row an experiment, the curves as shown, or all figures."), export.layout()]
    arguments["parallel"] = next((plot for plot in figures if plot.name == "parallel"), None)
    _tie(CustomJS(args={}, code=_code()), arguments | {
        "figures": figures, "sources": linked.sources, "scattered": linked.scattered, "hovers": linked.hovers,
        "marks": linked.marks, "shown": linked.shown, "state": ColumnDataSource({"state": []}, name=STATE),
    })  # fmt: skip
    return column(*sections, sizing_mode="stretch_width")


class _Curves:
    """The panels and what they are filled from."""

    def __init__(self, linked: Linked, *, live: bool) -> None:
        self.experiments = experiments = linked.experiments
        names, points = metrics_and_points(experiments)
        self.carried = names
        self.offered = metric_names(experiments) if live else names
        self.panels: list[Panel] = learning_curves.make_panels(linked, names[:DRAWN])
        self.selects = controls.metric_selects(names[:DRAWN], self.offered)
        self.end = max((panel.end for panel in self.panels), default=1)
        self.banding = bands(experiments)
        self.packed = pack([curve(e, name, points) for name in names for e in experiments], banded=self.banding)
        self.request = ColumnDataSource({"question": []}, name=REQUEST)
        self.answer = ColumnDataSource({"answer": []}, name=ANSWER)

    def gap(self) -> Gap:
        """Panels stay as they are where another metric was recorded: it can be chosen."""
        recorded = [row for row, e in enumerate(self.experiments) if any(len(run.history) for run in e.runs)]
        return Gap.of([panel.plot for panel in self.panels], [recorded] * len(self.panels), NOTHING_RECORDED)

    def arguments(self) -> dict[str, Any]:
        return {
            "panels": [vars(panel) for panel in self.panels],
            "selects": self.selects,
            "packed": {**vars(self.packed), "names": self.carried},
            "quantities": {
                name: [quantity(name).label, quantity(name).axis]
                for name in (*self.offered, *finals.METRICS)
            },
            "banding": self.banding,
            "request": self.request,
            "answer": self.answer,
        }  # fmt: skip


_Section = tuple[dict[str, Any] | None, list[LayoutDOM] | None, str]


def _rewards(linked: Linked, curves: _Curves) -> _Section:
    found = rewards.reward_terms(linked, curves.offered)
    if found is None:
        return None, None, "rewards"
    return vars(found), [_heading("Reward terms", rewards.EXPLANATION), found.select, grid([found.plot])], "rewards"


def _terrains(linked: Linked) -> _Section:
    found = terrains(linked)
    if found is None:
        return None, None, "terrains"
    select = Select(
        title="Measured",
        value=found.metrics[0],
        options=controls.options((name, quantity(name).label) for name in found.metrics),
        width=300,
        stylesheets=[controls.inputs()],
    )
    text = f"The fixed evaluation on each kind of ground, for the {MOST_BARS} best experiments that the filters show."
    gap = Gap.of([found.plot], [], NOT_EVALUATED)  # which rows have bars depends on what is chosen as measured
    arguments = vars(found) | {"select": select, "most": MOST_BARS, "gap": vars(gap)}
    return arguments, [_heading("Terrains", text), select, gap.note, grid([found.plot])], "terrains"


def _parameters(linked: Linked) -> _Section:
    parameters = sensitivity.code_parameters(linked.experiments)
    parallel = sensitivity.parallel_coordinates(linked, parameters)
    against = sensitivity.scatter(linked, parameters)
    if parallel is None or against is None:
        return None, None, "scatter"
    plot, source = against
    select = Select(
        title="Parameter",
        value=parameters[0].name,
        options=controls.options((one.name, one.short) for one in parameters),
        width=300,
        stylesheets=[controls.inputs()],
    )
    bars = sensitivity.importance_bars(parameters)
    judged = np.isfinite(sensitivity.judged(linked.experiments)).nonzero()[0].tolist()
    every = Gap.of([parallel], [range(len(linked.experiments))], NOTHING_FITS)  # its lines may lack the last axis
    evaluated = Gap.of([plot], [judged], NOT_EVALUATED)
    arguments = {
        "select": select,
        "plot": plot,
        "source": source,
        "parameters": sensitivity.as_arguments(parameters),
        "choices": FixedTicker(ticks=[]),
        "numbers": BasicTicker(),
        "gaps": [vars(every), vars(evaluated)],
    }
    cells = [column(select, evaluated.note, plot, sizing_mode="stretch_width"), *([bars] if bars else [])]
    heading = _heading("Parameters", sensitivity.EXPLANATION)
    return arguments, [heading, every.note, grid([parallel]), grid(cells)], "scatter"


def _tie(script: CustomJS, arguments: dict[str, Any]) -> None:
    """Let the script answer every event that it knows."""
    script.args = arguments
    plots = [panel["plot"] for panel in arguments["panels"]]
    plots[0].js_on_change("inner_width", script)  # set when the figure is laid out for the first time
    if arguments["parallel"]:
        arguments["parallel"].js_on_change("inner_width", script)
    for plot in plots:
        plot.x_range.js_on_change("start", script)
        plot.x_range.js_on_change("end", script)
    arguments["state"].js_on_change("data", script)
    arguments["smoothing"].js_on_change("value", script)
    arguments["axes"].js_on_change("active", script)
    arguments["legend"].js_on_change("active", script)
    arguments["answer"].js_on_change("data", script)
    selects = [*arguments["selects"], *arguments["filters"]["selects"]]
    selects += [arguments[name]["select"] for name in ("rewards", "terrains", "scatter") if arguments[name]]
    for select in selects:
        select.js_on_change("value", script)
    for name in ("table", "curves", "picture"):
        arguments["export_buttons"][name].js_on_click(script)
    for source in (*arguments["sources"], *arguments["scattered"]):
        source.selected.js_on_change("indices", script)
    for hover, _ in arguments["hovers"]:
        hover.callback = script


def _code() -> str:
    folder = files("wavebook_tools.comparison")
    return "\n".join(folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def _rows(linked: Linked, keys: Sequence[str]) -> list[dict[str, str]]:
    return [
        {
            "id": experiment.id,
            "label": experiment.label,
            "colour": linked.styles[experiment.id][0],
            "dash": linked.styles[experiment.id][1],
            **{key: controls.FILTERS[key][1](experiment) for key in keys},
        }
        for experiment in linked.experiments
    ]


def _scales() -> dict[str, Any]:
    return {
        "linear": LinearScale(),
        "log": LogScale(),
        "linear_x": LinearScale(),
        "log_x": LogScale(),
        "linear_ticker": BasicTicker(),
        "log_ticker": LogTicker(num_minor_ticks=0),
        "log_ticker_x": LogTicker(num_minor_ticks=0),
    }


def _table_text(linked: Linked) -> str:
    """The table of experiments as CSV (RFC 4180), with numbers as they were computed."""
    table = verdict_table(linked.experiments, linked.verdicts)
    text = io.StringIO()
    writer = csv.writer(text)
    exact = ("mean", "difference", "threshold")
    writer.writerow([table.header(name) for name in table.columns])
    for line, experiment in zip(table.rows, linked.experiments, strict=True):
        verdict = linked.verdicts[experiment.id].model_dump()
        values = {**line, **{name: verdict[name] for name in exact}, "verdict": verdict["verdict"]}
        writer.writerow([_cell(values.get(name)) for name in table.columns])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    # A spreadsheet would run a text that begins like this.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _heading(text: str, explanation: str) -> Div:
    told = f"<p>{explanation}</p>" if explanation else ""
    return Div(text=f"<h2>{text}</h2>{told}", sizing_mode="stretch_width")
